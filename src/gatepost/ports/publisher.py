"""Changing what stands in DNS, as those ask it who know what should stand there.

In: changes of record sets. Out: what stood there, what became of the changes; values, never an exception for an answer.
Standard: RFC 2136 for what can be asked of a zone at once. Not here: who does it (`net.publish`), what is published
(`server.signing.records`), whether the world sees it (`Resolver`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.ports.dns import DnsStatus


class Action(enum.StrEnum):
    """What a change does to the record set of one name and type."""

    ADD = "add"  # its records are there beside those that are
    REPLACE = "replace"  # its records are there, and no others
    DELETE = "delete"  # its records are gone; the whole set when it names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One record set. `name` is in A-labels without the dot behind; `records` are in master-file form ('"v=spf1 -all"',
    "3 1 1 0123…", "10 mx.example.org."), `ttl` is in seconds and of no concern to a deletion.

    `expected`, if given, are the records that must stand there for the change to be made (an empty tuple: none may):
    what somebody else published meanwhile is not lost.
    """

    action: Action
    name: str
    rtype: str
    records: tuple[str, ...] = ()
    ttl: int = 3600
    expected: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the zone's own server has at a name and type. `records` are in canonical master-file form, sorted; empty
    unless `status` is OK. `zone` is where it stands; empty where none was found. `reason` says why nobody knows."""

    name: str
    rtype: str
    status: DnsStatus
    records: tuple[str, ...] = ()
    ttl: int = 0
    zone: str = ""
    reason: str = ""


class Outcome(enum.StrEnum):
    """What became of the changes of one zone: all of them or none."""

    DONE = "done"
    CONFLICT = "conflict"  # something else stands there than was expected; nothing was changed
    REFUSED = "refused"  # nothing was changed
    UNKNOWN = "unknown"  # sent, but no answer that can be believed: read what stands there


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The changes of `zone` (empty: no zone was found for them) and what became of them. `reason` says what to do."""

    zone: str
    changes: tuple[Change, ...]
    outcome: Outcome
    reason: str = ""


class Publisher(Protocol):
    """Reads and changes zones at the server that is responsible for them."""

    async def read(self, name: str, rtype: str) -> Standing:
        """What stands there now, by the word of the responsible server: no cache is between."""
        ...

    async def publish(self, changes: Sequence[Change]) -> tuple[Published, ...]:
        """Makes the changes, those of one zone all at once or not at all. One result a zone, in order of first use."""
        ...


def undo(change: Change, before: Standing) -> Change:
    """The change that brings back what stood there `before` `change`."""
    expected = change.records if change.action is Action.REPLACE else None
    if before.records:
        return Change(
            action=Action.REPLACE,
            name=change.name,
            rtype=change.rtype,
            records=before.records,
            ttl=before.ttl,
            expected=expected,
        )
    return Change(action=Action.DELETE, name=change.name, rtype=change.rtype, expected=expected)
