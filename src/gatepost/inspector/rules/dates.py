"""Rules on the Date field: can it be read, and does it fit the time of arrival?

In: `Facts`. Out: `Seen`. Standard: RFC 5322 §3.3 (date-time), §3.6.1 (the Date field).
Not here: reading a date (`message.dates`), the times of hops (`path`), a missing Date (`fields`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.trace import JudgedFrom

DAY = 86400.0


@rule(
    code="date.unreadable",
    severity=Severity.NOTICE,
    weight=1.0,
    group="header",
    summary="The Date field holds no date: {text}.",
    why="Real mail programs write proper dates; simple bulk software does not.",
    remedy="The sending program has to be corrected.",
    reference="RFC 5322 §3.3",
)
def unreadable(facts: Facts) -> Seen | None:
    if facts.date is None or facts.date.epoch is not None:
        return None
    return Seen(evidence={"text": facts.header.text("date")[:100], "defects": list(facts.date.defects)})


@rule(
    code="date.malformed",
    severity=Severity.INFO,
    weight=0.3,
    group="header",
    summary="The Date field is not written as the standard has it: {defects}.",
    why="Programs may show another time than was meant.",
    remedy="The sending program has to be corrected.",
    reference="RFC 5322 §3.3",
)
def malformed(facts: Facts) -> Seen | None:
    if facts.date is None or facts.date.epoch is None:
        return None
    defects = [defect for defect in facts.date.defects if defect in ("wrong-day-name", "too-long", "order", "no-zone")]
    if not defects:
        return None
    weight = 1.0 if "wrong-day-name" in defects else None  # the mark of dates that were made up
    return Seen(evidence={"defects": ", ".join(defects), "text": facts.header.text("date")[:100]}, weight=weight)


@rule(
    code="date.in-future",
    severity=Severity.NOTICE,
    weight=1.5,
    group="header",
    summary="The message says it was written {hours:.0f} hours after it arrived.",
    why="Dates in the future keep a message on top of the list; they are made up, or the sender's clock is wrong.",
    remedy="The sender has to set the clock.",
    reference="RFC 5322 §3.6.1",
)
def in_future(facts: Facts) -> Seen | None:
    if facts.date is None or facts.date.epoch is None:
        return None
    ahead = facts.date.epoch - facts.received_at
    if ahead <= facts.settings.date_future_hours * 3600:
        return None
    return Seen(evidence={"hours": ahead / 3600, "date": facts.date.epoch, "received_at": facts.received_at})


@rule(
    code="date.long-ago",
    severity=Severity.INFO,
    weight=0.7,
    group="header",
    summary="The message says it was written {days:.0f} days before it arrived.",
    why="It waited long, was sent again by somebody (replay), or the date is made up.",
    remedy="Look at the path for where it waited.",
    reference="RFC 5322 §3.6.1",
)
def long_ago(facts: Facts) -> Seen | None:
    if facts.date is None or facts.date.epoch is None or facts.path.judged_from is JudgedFrom.UNKNOWN:
        return None  # of a file without a trace nobody knows when it arrived
    age = facts.received_at - facts.date.epoch
    if age <= facts.settings.date_past_days * DAY:
        return None
    return Seen(evidence={"days": age / DAY, "date": facts.date.epoch, "received_at": facts.received_at})
