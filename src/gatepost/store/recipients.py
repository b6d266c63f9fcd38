"""Whom the primaries of backup domains know, remembered for longer than they may be away.

In: an address and the primary's answer. Out: the same again, with when it was given. Answers of all reception processes
are in one database; the number of rows is bounded. Blocks on the disk. Standard: none.
Not here: asking, and how long an answer is believed (`server.backup.recipients`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE recipient (
        address TEXT PRIMARY KEY,
        known INTEGER NOT NULL,
        at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX recipient_at ON recipient (known, at);
    """,
)
UNKNOWN_SHARE = 10  # one row in so many may be of a recipient that does not exist: strangers guess names
_FORGET = (
    "DELETE FROM recipient WHERE address IN"
    " (SELECT address FROM recipient WHERE known = ? ORDER BY at DESC LIMIT -1 OFFSET ?)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the primary said of `address`: whether it knows it, and when (seconds since the epoch)."""

    address: str
    known: bool
    at: float


class KnownRecipients:
    """One connection; one call at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, max_rows: int) -> None:
        self.path = path
        self._connection = connection
        self._max_rows = max_rows

    @classmethod
    def open(cls, folder: Path, max_rows: int = 200_000) -> KnownRecipients:
        """Opens or creates `folder/recipients.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "recipients.db"
        return cls(path, open_database(path, STEPS, check_limit=0), max_rows)

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()

    def get(self, address: str) -> Answer | None:
        """The last answer about `address`."""
        with told(self.path):
            row = self._connection.execute(
                "SELECT address, known, at FROM recipient WHERE address = ?", (address,)
            ).fetchone()
        return Answer(row[0], bool(row[1]), row[2]) if row is not None else None

    def keep(self, notes: Sequence[Answer]) -> None:
        """Writes answers, and forgets the oldest above the bound."""
        rows = [(one.address, int(one.known), one.at) for one in notes]
        with transaction(self._connection, self.path):
            self._connection.executemany("INSERT OR REPLACE INTO recipient VALUES (?, ?, ?)", rows)
            self._connection.execute(_FORGET, (1, self._max_rows))
            self._connection.execute(_FORGET, (0, self._max_rows // UNKNOWN_SHARE))
