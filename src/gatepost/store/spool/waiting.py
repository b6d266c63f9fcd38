"""Waiting mail in bulk: which copies are meant, and what is done to all of them at once.

In: a `Selection` (ids, or words about sender, recipient, age, reply), a `Change`. Out: which copies changed; what
waits, by destination and age. Safe beside a running delivery, like `quarantine`. Standard: none.
Not here: single copies that are held back by a decision (`quarantine`); the commands (`cli`).
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from gatepost.store.spool.ids import parse_id, shard_of, time_of, write_id
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.spooled import DEMANDED, Spooled, State
from gatepost.store.spool.statements import load

WAITING = (State.QUEUED, State.HELD)
_AT_ONCE = 2000  # copies that one transaction changes: the reception waits for it
_ORDERS = {
    "oldest": "message",
    "newest": "message DESC",
    "next": "min(max(next_try, 0)), message",
    "largest": "(SELECT size FROM message WHERE id = recipient.message) DESC, message",
}
ORDERS = tuple(_ORDERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Copies that wait, all of them unless something is said. `ids` are messages; `mail_from`, `rcpt_to` and `reply`
    are parts of the sender, the recipient and the last reply, in any case; `domain` is the recipient's, `address` the
    whole recipient; `code` is how a code begins that decided; `before` and `since` bound the arrival."""

    states: tuple[State, ...] = WAITING
    ids: tuple[str, ...] = ()
    mail_from: str = ""
    rcpt_to: str = ""
    address: str = ""
    domain: str = ""
    reply: str = ""
    code: str = ""
    before: float | None = None
    since: float | None = None

    def condition(self) -> tuple[str, list[object]]:
        """As SQL about the table `recipient`, with its values."""
        parts = [f"state IN ({', '.join('?' * len(self.states))})"]
        values: list[object] = [state.value for state in self.states]
        if self.ids:
            parts.append("message IN (SELECT value FROM json_each(?))")
            values.append(json.dumps([number for one in self.ids if (number := parse_id(one)) is not None]))
        for given, sql in (
            (self.rcpt_to, "instr(lower(address), lower(?))"),
            (self.address, "lower(address) = lower(?)"),
            (self.domain and f"@{self.domain}", "lower(substr(address, -length(?1))) = lower(?1)"),
            (self.reply, "instr(lower(last_reply), lower(?))"),
            (self.mail_from, "message IN (SELECT id FROM message WHERE instr(lower(mail_from), lower(?)))"),
            (self.code and f'"{self.code}', "message IN (SELECT id FROM message WHERE instr(reason, ?))"),
        ):
            if given:
                parts.append(sql.replace("?1", "?"))
                values += [given] * sql.replace("?1", "?").count("?")
        for moment, sql in ((self.before, "<"), (self.since, ">=")):
            if moment is not None:
                parts.append(f"message IN (SELECT id FROM message WHERE received_at {sql} ?)")  # noqa: S608
                values.append(moment)
        return " AND ".join(parts), values


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done: the columns that an UPDATE sets, with their values; `concerns` are the states it takes copies
    from."""

    sets: str
    values: tuple[object, ...] = ()
    concerns: tuple[State, ...] = WAITING


RETRY = Change(sets="next_try = ?", values=(DEMANDED,), concerns=(State.QUEUED,))
HOLD = Change(sets="state = 'held', next_try = 0, bounce = ''", concerns=(State.QUEUED,))
UNHOLD = Change(sets="state = 'queued', next_try = 0", concerns=(State.HELD,))
DROP = Change(sets="state = 'dropped', next_try = 0")


def bounce(reason: str) -> Change:
    """Copies fail at once, and their sender is told `reason`; the delivery process sees to it."""
    return Change(sets="state = 'queued', next_try = ?, bounce = ?", values=(DEMANDED, reason))


def reroute(route: str) -> Change:
    """Copies go by `route` from now on, and at once unless they are held; empty: by the configuration again."""
    return Change(
        sets="next_try = CASE state WHEN 'queued' THEN ? ELSE next_try END, route = ?", values=(DEMANDED, route)
    )


def search(spool: Spool, selection: Selection, order: str = "oldest", limit: int = 1000) -> list[Spooled]:
    """The messages that have such a copy, in one of ORDERS."""
    condition, values = selection.condition()
    sql = f"SELECT message FROM recipient WHERE {condition} GROUP BY message ORDER BY {_ORDERS[order]} LIMIT ?"  # noqa: S608

    def ask(connection: sqlite3.Connection) -> list[Spooled]:
        return load(connection, [row[0] for row in connection.execute(sql, (*values, limit))])

    return list(heapq.merge(*spool.ask(ask), key=_KEYS[order]))[:limit]


def change(spool: Spool, selection: Selection, what: Change) -> list[tuple[str, str]]:
    """Does it; returns id and address of each copy that changed. Some thousand at a time, so that mail goes on coming
    in meanwhile."""
    states = tuple(state for state in selection.states if state in what.concerns)
    condition, values = replace(selection, states=states).condition()
    find = f"SELECT message, position, address FROM recipient WHERE {condition}"  # noqa: S608 - no outside word in it
    changed: list[tuple[str, str]] = []
    copies = list(chain.from_iterable(spool.ask(lambda connection: connection.execute(find, values).fetchall())))
    copies.sort(key=lambda copy: shard_of(copy[0]))
    for part in _parts(copies):
        numbers = {number for number, _, _ in part}
        listed = json.dumps([[number, position] for number, position, _ in part])
        sql = (
            f"UPDATE recipient SET {what.sets} WHERE (message, position) IN"  # noqa: S608 - constants of this room
            " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"
            f" AND state IN ({', '.join('?' * len(states))})"
        )
        given = (*what.values, listed, *(state.value for state in states))
        if spool.change(shard_of(part[0][0]), sql, given, numbers):
            changed += [(write_id(number), address) for number, _, address in part]
    return changed


def _parts(copies: Sequence[tuple[int, int, str]]) -> Iterator[Sequence[tuple[int, int, str]]]:
    """Runs of copies of one shard, none too long."""
    start = 0
    for at in range(1, len(copies) + 1):
        ends = at == len(copies) or shard_of(copies[at][0]) != shard_of(copies[start][0])
        if ends or at - start >= _AT_ONCE:
            yield copies[start:at]
            start = at


@dataclass(slots=True)
class Pile:
    """What waits for one destination: copies, how many of them are `held`, the copies by age (see `AGES`), the oldest
    arrival, the next try (0: now; None: all are held); `reply` is the last that was said, `tried_at` when."""

    copies: int = 0
    held: int = 0
    ages: tuple[int, ...] = ()
    oldest: float = 0.0
    next_try: float | None = None
    tried_at: float = 0.0
    reply: str = ""


AGES = (5, 10, 20, 40, 80, 160, 320, 640, 1280)  # minutes: a pile's copies younger than each, and the rest


def piles(spool: Spool, selection: Selection, now: float, by: str = "domain") -> dict[str, Pile]:
    """What waits, by the recipients' "domain", the "sender"'s domain or the last "reply"; most copies first."""
    condition, values = selection.condition()
    sql = (
        "SELECT recipient.message, address, mail_from, state, next_try, last_try, last_reply FROM recipient"  # noqa: S608
        f" JOIN message ON id = recipient.message WHERE {condition}"
    )
    found: dict[str, Pile] = {}
    for row in chain.from_iterable(spool.ask(lambda connection: connection.execute(sql, values).fetchall())):
        number, address, mail_from, state, next_try, last_try, reply = row
        key = {"domain": _domain(address), "sender": _domain(mail_from), "reply": reply or "not tried yet"}[by]
        pile = found.setdefault(key, Pile(ages=(0,) * (len(AGES) + 1)))
        _put(pile, time_of(number), now, state == State.HELD, next_try)
        if last_try > pile.tried_at:
            pile.tried_at, pile.reply = last_try, reply
    return dict(sorted(found.items(), key=lambda item: (-item[1].copies, item[0])))


def _put(pile: Pile, arrived: float, now: float, held: bool, next_try: float) -> None:
    minutes = (now - arrived) / 60
    place = next((n for n, limit in enumerate(AGES) if minutes < limit), len(AGES))
    pile.copies += 1
    pile.held += held
    pile.ages = (*pile.ages[:place], pile.ages[place] + 1, *pile.ages[place + 1 :])
    pile.oldest = min(pile.oldest or arrived, arrived)
    if not held:
        due = max(0.0, next_try)
        pile.next_try = due if pile.next_try is None else min(pile.next_try, due)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower() or "<>"


def _next_try(spooled: Spooled) -> tuple[float, str]:
    return min((max(r.next_try, 0.0) for r in spooled.in_state(*WAITING)), default=0.0), spooled.id


_KEYS: dict[str, Callable[[Spooled], Any]] = {
    "oldest": lambda spooled: spooled.id,
    "newest": lambda spooled: -(parse_id(spooled.id) or 0),
    "next": _next_try,
    "largest": lambda spooled: (-spooled.size, spooled.id),
}
