"""Rules on ARC: what those who passed the message on saw of it.

In: `Facts`. Out: `Seen`. Standard: RFC 8617 §7.2 (using a chain): a chain is worth as much as its sealers.
Not here: the validation (`msgauth.arc`), who is trusted (`settings`, `indirect`).
"""

from __future__ import annotations

from typing import Any

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.indirect import seals_of, trusted_sealer
from gatepost.inspector.rule import Seen, rule
from gatepost.msgauth.arc import ArcStatus


def _has_chain(facts: Facts) -> bool:
    return facts.auth.arc.result is not ArcStatus.NONE


def _evidence(facts: Facts) -> dict[str, Any]:
    arc = facts.auth.arc
    sealers = [one.sealer for one in arc.sets]
    return {"sealer": arc.sealer, "sealers": sealers, "instance": arc.instance, "reason": arc.reason}


def _trusted(facts: Facts) -> str:
    trusted = facts.settings.trusted_sealers
    return trusted_sealer(seals_of(facts), trusted) if trusted else ""


@rule(
    code="auth.arc.trusted",
    severity=Severity.PASS,
    group="auth",
    summary="{vouched_by}, a trusted forwarder, saw the sender proven before it passed the message on.",
    why="The chain of seals is whole, and you have named its sealer as trusted.",
    reference="RFC 8617 §7.2",
    when=_has_chain,
)
def arc_trusted(facts: Facts) -> Seen | None:
    if facts.auth.arc.result is not ArcStatus.PASS:
        return None
    sealer = _trusted(facts)
    return Seen(evidence={**_evidence(facts), "vouched_by": sealer}) if sealer else None


@rule(
    code="auth.arc.pass",
    severity=Severity.INFO,
    group="auth",
    summary="The message was passed on by {sealer}, whose chain of ARC seals is whole.",
    why="It tells who passed it on. Anyone can seal, so it proves nothing unless you trust the sealer.",
    remedy="If you know this forwarder well, add it to trusted_sealers.",
    reference="RFC 8617 §7.2",
    when=_has_chain,
)
def arc_pass(facts: Facts) -> Seen | None:
    if facts.auth.arc.result is not ArcStatus.PASS or _trusted(facts):
        return None
    return Seen(evidence=_evidence(facts))


@rule(
    code="auth.arc.fail",
    severity=Severity.NOTICE,
    weight=0.5,
    group="auth",
    summary="The chain of ARC seals is broken: {reason}.",
    why="The message was changed after it was last sealed, or the seals were made up.",
    remedy="Treat the message as if it had no seals.",
    reference="RFC 8617 §5.2",
    when=_has_chain,
)
def arc_fail(facts: Facts) -> Seen | None:
    return Seen(evidence=_evidence(facts)) if facts.auth.arc.result is ArcStatus.FAIL else None


@rule(
    code="auth.arc.temperror",
    severity=Severity.INFO,
    group="auth",
    summary="The chain of ARC seals could not be checked: {reason}.",
    why="A key could not be looked up; nobody knows whether the chain is whole.",
    remedy="Try again later.",
    reference="RFC 8617 §5.2",
    when=_has_chain,
)
def arc_temperror(facts: Facts) -> Seen | None:
    return Seen(evidence=_evidence(facts)) if facts.auth.arc.result is ArcStatus.TEMPERROR else None
