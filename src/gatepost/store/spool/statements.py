"""The statements that several readers of a shard share: loading messages, removing finished ones.

In: a connection and row numbers. Out: `Spooled` values; what was removed. Numbers travel as one JSON list, so that one
prepared statement serves any count. Standard: none. Not here: adding (`shard`); when to call these (`queue`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from itertools import groupby

from gatepost.store.spool.rows import MESSAGE_COLUMNS, RECIPIENT_COLUMNS, read_message, read_recipient
from gatepost.store.spool.spooled import LIVE, Spooled

_LISTED = "(SELECT value FROM json_each(?))"
_LIVE_STATES = ", ".join(f"'{state.value}'" for state in LIVE)
_LOAD_MESSAGES = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE id IN {_LISTED}"  # noqa: S608 - constants of this room
_LOAD_RECIPIENTS = f"SELECT {RECIPIENT_COLUMNS} FROM recipient WHERE message IN {_LISTED} ORDER BY message, position"  # noqa: S608
_STILL_ALIVE = f"SELECT DISTINCT message FROM recipient WHERE message IN {_LISTED} AND state IN ({_LIVE_STATES})"  # noqa: S608
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


def purge(connection: sqlite3.Connection, numbers: Collection[int]) -> tuple[set[int], list[int]]:
    """Deletes those of `numbers` that no recipient waits for any more, inside the caller's transaction.

    Returns the numbers that went, and those of them whose octets are in a file, for deletion after the commit.
    """
    listed = json.dumps(list(numbers))
    gone = set(numbers) - {number for (number,) in connection.execute(_STILL_ALIVE, (listed,))}
    if not gone:
        return gone, []
    listed = json.dumps(list(gone))
    in_files = [number for (number,) in connection.execute(_IN_FILES, (listed,))]
    connection.execute(_DELETE_RECIPIENTS, (listed,))
    connection.execute(_DELETE_MESSAGES, (listed,))
    return gone, in_files
