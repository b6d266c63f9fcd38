"""The statements that several readers of a shard share: loading, outcomes, removing what is finished.

In: a connection, row numbers, outcomes. Out: `Spooled` values; what was removed. Numbers travel as one JSON list, so
that one prepared statement serves any count. Standard: none. Not here: adding (`shard`); when to call these (`queue`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from gatepost.store.spool.rows import MESSAGE_COLUMNS, RECIPIENT_COLUMNS, read_message, read_recipient
from gatepost.store.spool.spooled import LIVE, Outcome, Spooled

_LISTED = "(SELECT value FROM json_each(?))"
_LIVE_STATES = ", ".join(f"'{state.value}'" for state in LIVE)
_LOAD_MESSAGES = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE id IN {_LISTED}"  # noqa: S608 - constants of this room
_LOAD_RECIPIENTS = f"SELECT {RECIPIENT_COLUMNS} FROM recipient WHERE message IN {_LISTED} ORDER BY message, position"  # noqa: S608
_ALIVE = f"SELECT message, position FROM recipient WHERE message IN {_LISTED} AND state IN ({_LIVE_STATES})"  # noqa: S608
# What happened stands (delivered, failed, quarantined); "again later" gives way to what the administrator did since:
# hold, return, send elsewhere.
_OUTCOME = (
    "UPDATE recipient SET state = CASE WHEN state = 'queued' OR ?1 <> 'queued' THEN ?1 ELSE state END,"
    " attempts = attempts + ?2,"
    " next_try = CASE WHEN ?1 = 'queued' AND (bounce <> '' OR route <> ?9) THEN next_try ELSE ?3 END,"
    " last_reply = CASE WHEN ?1 = 'queued' AND (state <> 'queued' OR bounce <> '') THEN last_reply ELSE ?4 END,"
    " last_try = CASE WHEN ?2 THEN ?5 ELSE last_try END,"
    " last_relay = CASE WHEN ?8 <> '' THEN ?8 ELSE last_relay END"
    " WHERE message = ?6 AND position = ?7"
)
_IN_FILES = f"SELECT id FROM message WHERE id IN {_LISTED} AND body IS NULL"  # noqa: S608
_DELETE_RECIPIENTS = f"DELETE FROM recipient WHERE message IN {_LISTED}"  # noqa: S608
_DELETE_MESSAGES = f"DELETE FROM message WHERE id IN {_LISTED}"  # noqa: S608


def load(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Spooled]:
    """The messages with these row numbers, in this order; those that are gone are left out."""
    if not numbers:
        return []
    listed = json.dumps(list(numbers))
    rows = connection.execute(_LOAD_RECIPIENTS, (listed,))
    copies = {number: [read_recipient(row) for row in group] for number, group in groupby(rows, lambda row: row[0])}
    rows = connection.execute(_LOAD_MESSAGES, (listed,))
    found = {row[0]: read_message(row, copies[row[0]]) for row in rows if row[0] in copies}
    return [found[number] for number in numbers if number in found]


@dataclass(slots=True)
class Gone:
    """What a transaction removes: row numbers, and those of them whose octets are in a file, to be deleted when the
    transaction is durable."""

    numbers: set[int] = field(default_factory=set)
    in_files: list[int] = field(default_factory=list)


def write_outcomes(
    connection: sqlite3.Connection, outcomes: Sequence[tuple[int, Outcome]], now: float, gone: Gone
) -> None:
    """Writes down what became of recipients, inside the caller's transaction. A message that this finishes is not
    updated first: most are delivered at the first try, and deleting them is all there is to do."""
    ended: dict[int, set[int]] = {number: set() for number, _ in outcomes}
    for number, outcome in outcomes:
        if outcome.state.is_final:
            ended[number].add(outcome.position)
    alive = _alive(connection, ended)
    finished = {number for number, positions in ended.items() if alive.get(number, set()) <= positions}
    connection.executemany(
        _OUTCOME,
        [
            (o.state.value, int(o.tried), o.next_try, o.reply, now, number, o.position, o.relay, o.route)
            for number, o in outcomes
            if number not in finished
        ],
    )
    _remove(connection, finished, gone)


def purge(connection: sqlite3.Connection, numbers: Collection[int], gone: Gone) -> None:
    """Deletes those of `numbers` that no recipient waits for any more, inside the caller's transaction."""
    _remove(connection, set(numbers) - _alive(connection, numbers).keys(), gone)


def _alive(connection: sqlite3.Connection, numbers: Collection[int]) -> dict[int, set[int]]:
    """The positions of the recipients that are not finished, by message."""
    found: dict[int, set[int]] = {}
    for number, position in connection.execute(_ALIVE, (json.dumps(list(numbers)),)):
        found.setdefault(number, set()).add(position)
    return found


def _remove(connection: sqlite3.Connection, numbers: set[int], gone: Gone) -> None:
    if numbers:
        listed = (json.dumps(list(numbers)),)
        gone.numbers |= numbers
        gone.in_files += (number for (number,) in connection.execute(_IN_FILES, listed))
        connection.execute(_DELETE_RECIPIENTS, listed)
        connection.execute(_DELETE_MESSAGES, listed)
