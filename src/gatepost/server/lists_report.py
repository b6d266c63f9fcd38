"""What lists and checks at the door stopped or would have, with the false alarms that releases reveal.

In: the rows of `store.watch`, the journal. Out: a line a check. Standard: none.
Not here: keeping the rows (`store.watch`), printing them (`cli.lists`).

A false alarm is a hit on a message that a person released from the quarantine later. A hit at the door has no message
yet: it counts for the released messages that came from the same address within a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gatepost.store.journal import Journal
from gatepost.store.watch import Watch, WouldHave

VISIT = 900.0  # seconds after a hit at the door in which its client's messages come
MAX_EXAMPLES = 5
DAY = 86400.0
HARMLESS = frozenset({"weigh", "accept"})  # it changed nothing, or it was a good word


@dataclass(slots=True, kw_only=True)
class CheckReport:
    """`hits` are all, `stops` those that stop a message or client, or would if it were on; `false_alarms` are the
    hits on what was released. `examples` are what was hit wrongly, or else what was hit."""

    check: str
    mode: str
    hits: int = 0
    stops: int = 0
    false_alarms: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/lists-report.json."""
        return {
            "check": self.check,
            "mode": self.mode,
            "hits": self.hits,
            "stops": self.stops,
            "false_alarms": self.false_alarms,
            "examples": self.examples,
        }


def report(watch: Watch, journal: Journal | None, since: float) -> list[CheckReport]:
    """A line a check and mode, from the beginning of the day of `since` on; most hits first. Raises StoreError."""
    begin = since // DAY * DAY
    found: dict[tuple[str, str], CheckReport] = {}
    for tally in watch.tallies(since=begin):
        line = found.setdefault((tally.check, tally.mode), CheckReport(check=tally.check, mode=tally.mode))
        line.hits += tally.hits
        line.stops += tally.hits if tally.action not in HARMLESS else 0
    rows = watch.rows(since=begin)
    wrong = set(map(id, _false_alarms(rows, journal, begin))) if journal is not None else set()
    for row in sorted(rows, key=lambda row: id(row) not in wrong):
        line = found.setdefault((row.check, row.mode), CheckReport(check=row.check, mode=row.mode))
        line.false_alarms += id(row) in wrong
        if len(line.examples) < MAX_EXAMPLES:
            line.examples.append({"subject": row.subject, "message_id": row.message_id, "client_ip": row.client_ip})
    return sorted(found.values(), key=lambda line: (-line.stops, -line.hits, line.check))


def _false_alarms(rows: Iterable[WouldHave], journal: Journal, since: float) -> list[WouldHave]:
    released = dict.fromkeys(attempt.id for attempt in journal.attempts_with("released", since))
    came: dict[str, list[float]] = {}
    for message_id in released:
        for entry in journal.search(message_id=message_id, limit=1):
            came.setdefault(entry.client_ip, []).append(entry.at)
    return [
        row
        for row in rows
        if row.message_id in released
        or (not row.message_id and any(0 <= at - row.at <= VISIT for at in came.get(row.client_ip, ())))
    ]
