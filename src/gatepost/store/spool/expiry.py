"""Held mail that nobody came for: it leaves the quarantine when it is too old, or when there is too much of it.

In: an open `Spool`, the time. Out: what went, for whom, and why, so that the journal can tell. Two rules, in order:
what has been held longer than `quarantine_days` goes; while what is left takes more than `quarantine_octets`, what has
been held longest goes first. Copies of a message that are not held stay. Standard: none.
Not here: when it is done (`store.upkeep`), what people delete (`quarantine`).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import chain

from gatepost.store.spool import quarantine
from gatepost.store.spool.ids import write_id
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.spooled import Spooled, State

_DAY = 86400.0
_AT_ONCE = 1000  # messages that one transaction of expiry removes
# A message that the delivery gave up on counts from that moment, any other from its arrival.
_HELD = (
    "SELECT message.id, size, max(received_at, max(last_try)) FROM message JOIN recipient ON message = message.id"
    " WHERE state = 'quarantined' GROUP BY message.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A message that went: the recipients whose copies were held, and why in plain words."""

    id: str
    addresses: tuple[str, ...]
    why: str


def expire(spool: Spool, now: float) -> list[Expired]:
    """Deletes what is too old and what is too much. Raises StoreError."""
    return _too_old(spool, now) + _too_much(spool, now)


def _too_old(spool: Spool, now: float) -> list[Expired]:
    days = spool.settings.quarantine_days
    before = now - days * _DAY
    condition = "state = 'quarantined' AND last_try < ? AND message IN (SELECT id FROM message WHERE received_at < ?)"
    gone: list[Expired] = []
    while old := spool.select(condition, (before, before), _AT_ONCE):
        went = [one for spooled in old if (one := _delete(spool, spooled, f"held for more than {days:g} days", now))]
        gone += went
        if not went:
            break
    return gone


def _too_much(spool: Spool, now: float) -> list[Expired]:
    most = spool.settings.quarantine_octets
    held = sorted(chain.from_iterable(spool.ask(_held)), key=lambda row: (row[2], row[0]))
    total = sum(size for _, size, _ in held)
    gone: list[Expired] = []
    for number, size, _ in held:
        if total <= most:
            break
        total -= size
        spooled = spool.get(write_id(number))
        if spooled is not None:
            why = f"the quarantine was over {most} octets, and this was held longest"
            gone += [one for one in (_delete(spool, spooled, why, now),) if one]
    return gone


def _held(connection: sqlite3.Connection) -> list[tuple[int, int, float]]:
    return connection.execute(_HELD).fetchall()


def _delete(spool: Spool, spooled: Spooled, why: str, now: float) -> Expired | None:
    """None where somebody was faster."""
    addresses = tuple(recipient.address for recipient in spooled.in_state(State.QUARANTINED))
    return Expired(id=spooled.id, addresses=addresses, why=why) if quarantine.delete(spool, spooled.id, now) else None
