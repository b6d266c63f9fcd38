"""What is kept of lists: the house's own entries, how the world's lists are, and where we ourselves are listed.

In: entries from the command line, states from the process that tests the lists. Out: rows, to whoever asks; a number
that tells when another process has changed them. Standard: none.
Not here: matching (`reputation.local`), testing (`server.lists`), what lists would have stopped (`watch`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from gatepost.errors import InputError
from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE entry (
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        verdict TEXT NOT NULL,
        action TEXT NOT NULL,
        expires REAL,
        comment TEXT NOT NULL,
        added_at REAL NOT NULL,
        added_by TEXT NOT NULL,
        PRIMARY KEY (kind, value)
    ) WITHOUT ROWID;
    CREATE TABLE health (
        name TEXT PRIMARY KEY,
        condition TEXT NOT NULL,
        since REAL NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE own (
        name TEXT NOT NULL,
        subject TEXT NOT NULL,
        says TEXT NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (name, subject)
    ) WITHOUT ROWID;
    """,
)
MAX_ENTRIES = 100_000  # every process holds them all in memory: some 50 MB
MAX_COMMENT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry of the house, as `reputation.local.LocalEntry` explains it."""

    kind: str
    value: str
    verdict: str
    action: str = "reject"
    expires: float | None = None
    comment: str = ""
    added_at: float = 0.0
    added_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHealth:
    """How a list was when it was last tested: "well" or "sick", since when, and why."""

    name: str
    condition: str
    since: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnListing:
    """The list `name` names `subject`, an address or domain of ours, since (or before) `since`."""

    name: str
    subject: str
    says: str
    since: float


class ListStore:
    """Thread-safe; one call at a time. Several processes may hold the same file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> ListStore:
        """Opens or creates `folder/lists.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "lists.db"
        return cls(path, open_database(path, STEPS))

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def add(self, entry: StoredEntry) -> StoredEntry | None:
        """Keeps an entry; the one that stood for the same value before, if any, is replaced and answered. Raises
        InputError when there are too many."""
        with self._guard, transaction(self._connection, self.path):
            before = self._find(entry.kind, entry.value)
            count = self._connection.execute("SELECT count(*) FROM entry").fetchone()[0]
            if before is None and count >= MAX_ENTRIES:
                raise InputError("entry", entry.value, f"is one too many: {MAX_ENTRIES} are kept at most")
            self._connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(entry))
        return before

    def remove(self, kind: str, value: str) -> StoredEntry:
        """Takes an entry back. Raises InputError when there is none."""
        with self._guard, transaction(self._connection, self.path):
            before = self._find(kind, value)
            if before is None:
                raise InputError("entry", value, "is on no list here; `gatepost lists show` lists them")
            self._connection.execute("DELETE FROM entry WHERE kind = ? AND value = ?", (kind, value))
        return before

    def _find(self, kind: str, value: str) -> StoredEntry | None:
        row = self._connection.execute("SELECT * FROM entry WHERE kind = ? AND value = ?", (kind, value)).fetchone()
        return _entry(row) if row is not None else None

    def entries(self) -> list[StoredEntry]:
        """All entries, those over their time too, sorted."""
        with self._guard, told(self.path):
            return [_entry(row) for row in self._connection.execute("SELECT * FROM entry ORDER BY kind, value")]

    def changed(self) -> int:
        """A number that differs when another process has changed something since."""
        with self._guard, told(self.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def prune(self, now: float) -> int:
        """Deletes entries over their time; returns how many."""
        with self._guard, transaction(self._connection, self.path):
            return self._connection.execute("DELETE FROM entry WHERE expires <= ?", (now,)).rowcount

    def keep_health(self, states: Iterable[StoredHealth]) -> None:
        """Replaces what is known of the lists."""
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute("DELETE FROM health")
            self._connection.executemany("INSERT INTO health VALUES (?, ?, ?, ?)", map(astuple, states))

    def health(self) -> list[StoredHealth]:
        """How the lists were when they were last tested."""
        with self._guard, told(self.path):
            rows = self._connection.execute("SELECT * FROM health ORDER BY name")
            return [StoredHealth(name=n, condition=c, since=s, reason=r) for n, c, s, r in rows]

    def keep_own(self, found: Iterable[OwnListing], asked: Iterable[str]) -> tuple[list[OwnListing], list[OwnListing]]:
        """Replaces our own listings on the lists `asked`, the time of those that stay kept; returns the new ones and
        those that are gone. A list that could not be asked changes nothing."""
        asked = frozenset(asked)
        before = {(one.name, one.subject): one for one in self.own()}
        fresh = {(one.name, one.subject): one for one in found}
        new = [one for key, one in fresh.items() if key not in before]
        gone = [one for key, one in before.items() if key not in fresh and one.name in asked]
        with self._guard, transaction(self._connection, self.path):
            self._connection.executemany(
                "DELETE FROM own WHERE name = ? AND subject = ?", [(g.name, g.subject) for g in gone]
            )
            self._connection.executemany("INSERT OR REPLACE INTO own VALUES (?, ?, ?, ?)", map(astuple, new))
        return new, gone

    def own(self) -> list[OwnListing]:
        """Where we are listed."""
        with self._guard, told(self.path):
            rows = self._connection.execute("SELECT * FROM own ORDER BY name, subject")
            return [OwnListing(name=n, subject=s, says=w, since=t) for n, s, w, t in rows]


def _entry(row: tuple[object, ...]) -> StoredEntry:
    names = [field.name for field in fields(StoredEntry)]
    return StoredEntry(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]
