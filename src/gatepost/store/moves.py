"""What was seen of people's folders: how far each was looked through, and where a moved message was seen last.

In: folders, ids, places. Out: the same again, so that no move is learnt twice. Old rows go, and the number of rows is
bounded. Blocks on the disk. Standard: none.
Not here: the files (`mailfiles`), what follows from a move (`server.folders`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE folder (
        path TEXT PRIMARY KEY,
        cur INTEGER NOT NULL,
        new INTEGER NOT NULL,
        cursor INTEGER NOT NULL,
        at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE moved (
        address TEXT NOT NULL,
        id TEXT NOT NULL,
        place TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (address, id)
    ) WITHOUT ROWID;
    CREATE INDEX moved_at ON moved (at);
    """,
)
MAX_MOVED = 200_000  # rows, some 20 MB
_DAY = 86400.0
_TOO_MANY = (
    "DELETE FROM moved WHERE (address, id) IN (SELECT address, id FROM moved ORDER BY at DESC LIMIT -1 OFFSET ?)"
)
KEEP_DAYS = 120.0  # longer than the journal by default: who is forgotten there is not learnt again


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How far a folder was looked through: `stamp` as `mailfiles.stamp` gave it (0, 0: not to the end), `cursor` the
    time of the last file."""

    stamp: tuple[int, int] = (0, 0)
    cursor: int = 0


class Moves:
    """One process has it open; one call at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, folder: Path) -> Moves:
        """Opens or creates `folder/moves.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "moves.db"
        return cls(path, open_database(path, STEPS, check_limit=0))

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()

    def looked(self, folder: Path) -> Looked:
        """How far `folder` was looked through."""
        with told(self.path):
            row = self._connection.execute(
                "SELECT cur, new, cursor FROM folder WHERE path = ?", (_text(folder),)
            ).fetchone()
        return Looked(stamp=(row[0], row[1]), cursor=row[2]) if row is not None else Looked()

    def keep(self, folders: Iterable[tuple[Path, Looked]], now: float) -> None:
        """Notes how far folders were looked through."""
        rows = [(_text(path), *one.stamp, one.cursor, now) for path, one in folders]
        with transaction(self._connection, self.path):
            self._connection.executemany("INSERT OR REPLACE INTO folder VALUES (?, ?, ?, ?, ?)", rows)

    def place(self, address: str, message_id: str) -> str | None:
        """Where the message of that mailbox was seen last; None when it never was moved."""
        with told(self.path):
            row = self._connection.execute(
                "SELECT place FROM moved WHERE address = ? AND id = ?", (address, message_id)
            ).fetchone()
        return str(row[0]) if row is not None else None

    def put(self, address: str, message_id: str, place: str, now: float) -> None:
        """Notes where it was seen."""
        with transaction(self._connection, self.path):
            row = (address, message_id, place, now)
            self._connection.execute("INSERT OR REPLACE INTO moved VALUES (?, ?, ?, ?)", row)

    def prune(self, now: float) -> int:
        """Forgets moves that are long ago, and the oldest above `MAX_MOVED`; folders not seen for as long."""
        before = now - KEEP_DAYS * _DAY
        with transaction(self._connection, self.path):
            self._connection.execute("DELETE FROM folder WHERE at < ?", (before,))
            count = self._connection.execute("DELETE FROM moved WHERE at < ?", (before,)).rowcount
            count += self._connection.execute(_TOO_MANY, (MAX_MOVED,)).rowcount
        return count


def _text(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode("utf-8")
