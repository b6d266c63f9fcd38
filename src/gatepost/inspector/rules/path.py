"""Rules on how the message came: the times and number of its hops, and how it is known who handed it in.

In: `Facts`. Out: `Seen`. Standard: RFC 5321 §4.4 (Received), §6.3 (loops).
Not here: the client itself (`client`), whose hop is judged (`trace`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.trace import JudgedFrom

MAX_BACKWARD = 300.0  # seconds a later hop's clock may be behind; servers without NTP drift by minutes
MAX_DELAY = 4 * 3600.0  # seconds in one queue; RFC 5321 §4.5.4.1 lets a warning go out after four hours
MANY_HOPS = 30  # Postfix counts 50, Exim 30 as a loop


def _has_hops(facts: Facts) -> bool:
    return facts.path.count > 1


@rule(
    code="path.time-goes-backward",
    severity=Severity.NOTICE,
    weight=0.8,
    group="path",
    summary="By its Received fields the message arrived at {by} {seconds:.0f} s before it had left the last hop.",
    why="Received fields that were made up often do not fit together in time; clocks that are wrong look the same.",
    remedy="Believe only the hops that your own servers wrote.",
    reference="RFC 5321 §4.4",
    when=_has_hops,
)
def time_goes_backward(facts: Facts) -> Seen | None:
    for number, delay in _delays(facts):
        if delay < -MAX_BACKWARD:
            return Seen(evidence={"by": facts.path.hops[number - 1].by or "a hop", "seconds": -delay, "hop": number})
    return None


@rule(
    code="path.long-delay",
    severity=Severity.INFO,
    group="path",
    summary="The message waited {hours:.1f} hours before it reached {by}.",
    why="A long wait is a queue, greylisting or a message that was sent again.",
    reference="RFC 5321 §4.5.4.1",
    when=_has_hops,
)
def long_delay(facts: Facts) -> Seen | None:
    for number, delay in _delays(facts):
        if delay > MAX_DELAY:
            return Seen(
                evidence={"by": facts.path.hops[number - 1].by or "a hop", "hours": delay / 3600, "hop": number}
            )
    return None


@rule(
    code="path.many-hops",
    severity=Severity.NOTICE,
    weight=1.0,
    group="path",
    summary="The message went through {count} servers, which looks like a loop.",
    why="Normal mail needs two to eight; very many are a mail loop or made-up fields.",
    remedy="Look for a forwarding that leads back to where it came from.",
    reference="RFC 5321 §6.3",
)
def many_hops(facts: Facts) -> Seen | None:
    return Seen(evidence={"count": facts.path.count}) if facts.path.count > MANY_HOPS else None


@rule(
    code="path.judged-by-received",
    severity=Severity.INFO,
    group="path",
    summary="Judged as received from {ip}, as the Received field written by {by} says.",
    why="A saved file does not tell who handed it in, and behind a trusted relay the relay is not the sender.",
    remedy="Give --ip, --ehlo and --mail-from to judge it as received from elsewhere.",
    reference="RFC 5321 §4.4",
)
def judged_by_received(facts: Facts) -> Seen | None:
    if facts.path.judged_from is not JudgedFrom.RECEIVED:
        return None
    return Seen(evidence={"ip": facts.session.client_ip, "by": facts.path.judged_by or "the receiving server"})


@rule(
    code="path.sender-unknown",
    severity=Severity.INFO,
    group="path",
    summary="Who handed the message in is not known, so SPF and reverse DNS could not be checked.",
    why="The file has no Received field with a public address.",
    remedy="Give --ip, --ehlo and --mail-from.",
    reference="RFC 5321 §4.4",
)
def sender_unknown(facts: Facts) -> Seen | None:
    return None if facts.session.client_ip else Seen()


@rule(
    code="path.envelope-unknown",
    severity=Severity.INFO,
    group="path",
    summary="The envelope sender is not known; SPF was checked as if it were the author's address.",
    why="The file has no Return-Path field. Bounces of bulk mail often go to another address than the author's.",
    remedy="Give --mail-from.",
    reference="RFC 5321 §4.4",
)
def envelope_unknown(facts: Facts) -> Seen | None:
    return Seen() if facts.mail_from is None and facts.session.client_ip else None


def _delays(facts: Facts) -> Iterator[tuple[int, float]]:
    """The number of each hop whose field tells a time, and the seconds since the last that did."""
    before: float | None = None
    for number, time in enumerate(facts.path.times, 1):
        if time is not None:
            if before is not None:
                yield number, time - before
            before = time
