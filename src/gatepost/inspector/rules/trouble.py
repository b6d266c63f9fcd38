"""Rules on what could not be opened to the end: bombs, crashes, time-outs, damage, too much of everything.

In: `Facts` with what the opener told. Out: `Seen`. Standard: DESIGN, "A crash or an overrun there is a finding, never a
lost message"; TRAPS, "Archives".
Not here: what is locked with a password (`attachment_archives`), the opening (`sandbox`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.ports import Trouble


def _in_trouble(facts: Facts) -> bool:
    return facts.content is not None and bool(facts.content.opened.trouble)


def _seen(facts: Facts, *codes: str) -> Seen | None:
    """The first trouble of these kinds, how many there are, and the file's name where it has one."""
    if facts.content is None:
        return None
    opened = facts.content.opened
    found: list[Trouble] = [trouble for trouble in opened.trouble if trouble.code in codes]
    if not found:
        return None
    first = found[0]
    name = next((item.name for item in opened.items if item.path == first.item and first.item), "")
    what = name or (f"part {first.item}" if first.item else "the message")
    return Seen(evidence={"what": what, "reason": first.reason, "item": first.item, "count": len(found)})


@rule(
    code="content.bomb",
    severity=Severity.DANGER,
    weight=6.0,
    group="content",
    summary="{what} is made to overwhelm whoever opens it: {reason}.",
    why="Archives that unpack to a thousand times their size, or hold themselves, serve only to bring scanners down "
    "or past what they look at.",
    remedy="Do not open it. If it is expected, ask the sender for the files in another form.",
    reference="practice: archive bombs",
    when=_in_trouble,
)
def bomb(facts: Facts) -> Seen | None:
    return _seen(facts, "bomb")


@rule(
    code="content.crash",
    severity=Severity.WARNING,
    weight=3.0,
    group="content",
    summary="Opening the message brought the reader down: {reason}.",
    why="Files that crash programs are how programs are taken over. The reader ran in a process of its own and could "
    "do no harm, but it has not seen what is inside.",
    remedy="Do not open the attachments before the sender has confirmed them. It may be our bug: please report it.",
    reference="practice: hostile documents",
    when=_in_trouble,
)
def crash(facts: Facts) -> Seen | None:
    return _seen(facts, "crash")


@rule(
    code="content.timeout",
    severity=Severity.WARNING,
    weight=2.0,
    group="content",
    summary="Opening the message took too long and was given up: {reason}.",
    why="What cannot be looked at in time may hold anything.",
    remedy="Be careful with the attachments; give it more time in content.deadline, or have such mail tried again with "
    "inspector.defer_codes.",
    reference="practice: hostile documents",
    when=_in_trouble,
)
def timeout(facts: Facts) -> Seen | None:
    return _seen(facts, "time")


@rule(
    code="content.too-much",
    severity=Severity.NOTICE,
    weight=0.5,
    group="content",
    summary="There is more inside than is looked at: {reason}.",
    why="Large archives are sent in good faith too, but what lies beyond the limit was not seen.",
    remedy="If you get such mail often, raise content.max_items, max_file, max_unpacked or memory.",
    reference="practice: archive bombs",
    when=_in_trouble,
)
def too_much(facts: Facts) -> Seen | None:
    return _seen(facts, "limit", "memory", "output")


@rule(
    code="content.damaged",
    severity=Severity.INFO,
    weight=0.3,
    group="content",
    summary="{what} is damaged or not quite what it says: {reason}.",
    why="Files are cut on their way; but some are broken on purpose, so that scanners give up where programs read on.",
    remedy="Ask the sender to send it again.",
    reference="practice: hostile documents",
    when=_in_trouble,
)
def damaged(facts: Facts) -> Seen | None:
    return _seen(facts, "damaged")


@rule(
    code="content.unopened",
    severity=Severity.NOTICE,
    weight=0.0,
    group="content",
    summary="Nobody looked inside: {reason}.",
    why="Links and attachments were not judged, in part or at all.",
    remedy="`gatepost serve --check` says what is missing; raise content.children if messages wait for one.",
    reference="practice: hostile documents",
    when=_in_trouble,
)
def unopened(facts: Facts) -> Seen | None:
    return _seen(facts, "unavailable")
