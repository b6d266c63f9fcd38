"""What lists and checks at the door would have stopped, or did: kept for `gatepost lists report`.

In: a `WouldHave` a hit, through a `WatchWriter`. Out: rows, newest first, and exact tallies by day and check.
Rows are bounded in number and age; a flood pushes old rows out, the tallies stay right. Mail never waits for it.
Standard: none. Not here: who hits (`reputation`, `server.smtp`), what turned out to be a false alarm (`cli.lists`).

    watch = WatchWriter(Watch.open_sometime(folder, settings.store.watch))
    watch.note(WouldHave(check="door.early-talker", at=now, mode="watch", action="refuse", client_ip=ip, session="12"))
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.store.batches import BatchWriter
from gatepost.store.database import make_folder, open_database, told, transaction
from gatepost.store.settings import WatchSettings

STEPS = (
    """
    CREATE TABLE would_have (
        key INTEGER PRIMARY KEY,
        "check" TEXT NOT NULL,
        at REAL NOT NULL,
        mode TEXT NOT NULL,
        action TEXT NOT NULL,
        client_ip TEXT NOT NULL,
        message_id TEXT NOT NULL,
        session TEXT NOT NULL,
        subject TEXT NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE INDEX would_have_at ON would_have (at);
    CREATE TABLE tally (
        day INTEGER NOT NULL,
        "check" TEXT NOT NULL,
        mode TEXT NOT NULL,
        action TEXT NOT NULL,
        hits INTEGER NOT NULL,
        PRIMARY KEY (day, "check", mode, action)
    ) WITHOUT ROWID;
    """,
)
MAX_TEXT = 300  # characters of a subject or reason that are kept
_DAY = 86400.0
_BUSY_SECONDS = 30.0  # nobody waits for it but its own thread


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldHave:
    """One hit. `check` is dotted: "list.NAME" for a list, "door.WHAT" for a check at the door. `at` is seconds since
    the epoch. `mode` is "watch" (it only says so) or "on". `action` is what it does when on: "weigh" (adds weight),
    "refuse", "delay" … `message_id` is the spool id of the message, empty where the hit came before one; `session` the
    connection's number in its process. `subject` is what was hit (an address, a domain), `reason` says why."""

    check: str
    at: float
    mode: str
    action: str
    client_ip: str = ""
    message_id: str = ""
    session: str = ""
    subject: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often a check hit on one day (days since the epoch, UTC)."""

    day: int
    check: str
    mode: str
    action: str
    hits: int


_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(WouldHave))
_ADD = f"INSERT INTO would_have ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(WouldHave)))})"  # noqa: S608
_COUNT = "INSERT INTO tally VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET hits = hits + 1"
_TRIM = "DELETE FROM would_have WHERE key <= (SELECT max(key) FROM would_have) - ?"


class Watch:
    """Thread-safe; one call at a time. Several processes may write to the same file."""

    def __init__(self, path: Path, connection: sqlite3.Connection, settings: WatchSettings) -> None:
        self.path = path
        self.settings = settings
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path, settings: WatchSettings | None = None) -> Watch:
        """Opens or creates `folder/watch.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "watch.db"
        connection = open_database(path, STEPS, busy_seconds=_BUSY_SECONDS, check_limit=0)
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last rows, never the file
        return cls(path, connection, settings or WatchSettings())

    @classmethod
    def open_sometime(cls, folder: Path, settings: WatchSettings | None = None) -> Watch:
        """The same, but one that cannot be opened now is tried again with every write: mail does not wait for it."""
        try:
            return cls.open(folder, settings)
        except StoreError:
            stand_in = sqlite3.connect(":memory:", check_same_thread=False)
            return _LateWatch(folder / "watch.db", stand_in, settings or WatchSettings())

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def keep(self, notes: Sequence[WouldHave]) -> None:
        """Writes all in one transaction, and lets the oldest rows go where there are too many. Raises StoreError."""
        with self._guard, transaction(self._connection, self.path, _BUSY_SECONDS):
            self._connection.executemany(_ADD, map(_row, notes))
            self._connection.executemany(_COUNT, [(int(n.at // _DAY), n.check, n.mode, n.action) for n in notes])
            self._connection.execute(_TRIM, (self.settings.max_rows,))

    def rows(self, *, since: float = 0.0, limit: int = 1_000_000) -> list[WouldHave]:
        """Hits since a time, newest first."""
        with self._guard, told(self.path):
            found = self._connection.execute(
                f"SELECT {_COLUMNS} FROM would_have WHERE at >= ? ORDER BY at DESC LIMIT ?",  # noqa: S608
                (since, limit),
            )
            names = [field.name for field in fields(WouldHave)]
            return [WouldHave(**dict(zip(names, row, strict=True))) for row in found]

    def tallies(self, *, since: float = 0.0) -> list[Tally]:
        """Hits by day and check, from the day of `since` on, oldest first."""
        with self._guard, told(self.path):
            found = self._connection.execute("SELECT * FROM tally WHERE day >= ?", (int(since // _DAY),))
            return [Tally(day=d, check=c, mode=m, action=a, hits=h) for d, c, m, a, h in found]

    def prune(self, now: float) -> int:
        """Deletes what is older than `keep_days`; returns how many rows."""
        before = now - self.settings.keep_days * _DAY
        with self._guard, transaction(self._connection, self.path, _BUSY_SECONDS):
            self._connection.execute("DELETE FROM tally WHERE day < ?", (int(before // _DAY),))
            return self._connection.execute("DELETE FROM would_have WHERE at < ?", (before,)).rowcount


class _LateWatch(Watch):
    """One that could not be opened yet."""

    def keep(self, notes: Sequence[WouldHave]) -> None:
        """Opens it first. Raises StoreError as long as that fails."""
        with self._guard:
            if self._connection.execute("PRAGMA user_version").fetchone()[0] == 0:  # still the stand-in
                late = Watch.open(self.path.parent, self.settings)
                self._connection.close()
                self._connection = late._connection
        super().keep(notes)


class WatchWriter(BatchWriter[WouldHave]):
    """Owns a `Watch`: `note` never blocks, `close` writes what waits."""


def _row(note: WouldHave) -> tuple[object, ...]:
    """SQLite takes no lone surrogates, and a stranger may write long names."""
    return tuple(
        value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
        for value in astuple(note)
    )
