"""How much each account has sent: messages, recipients, first-time recipients, bad messages, by the hour.

In: what is about to be sent, the limits. Out: which limit it would go over, and then nothing is counted; or None, and
it is. One file for all processes, so that a limit holds over all of them and over a restart. Standard: none.
Not here: what follows (`server.submission.suspension`), the limits themselves (`server.submission.settings`).
A day is the last 24 hours by the clock's hours, an hour this one and the part of the one before that is within reach.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from gatepost.store.database import give_to_owner, make_folder, open_database, told, transaction

HOUR = 3600
STEPS = (
    """
    CREATE TABLE sent (
        account TEXT NOT NULL,
        hour INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        recipients INTEGER NOT NULL,
        new_recipients INTEGER NOT NULL,
        bad_messages INTEGER NOT NULL,
        PRIMARY KEY (account, hour)
    ) WITHOUT ROWID;
    """,
)
_COUNTED = ("messages", "recipients", "new_recipients", "bad_messages")
_READ = f"SELECT hour, {', '.join(_COUNTED)} FROM sent WHERE account = ? AND hour > ?"  # noqa: S608 - our own names
_ADD = (
    f"INSERT INTO sent (account, hour, {', '.join(_COUNTED)}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
    " ON CONFLICT (account, hour) DO UPDATE SET " + ", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTED)
)
_BUSY_SECONDS = 2.0
_KEPT = 48  # hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What one message adds, or what an account has sent in a time."""

    messages: int = 0
    recipients: int = 0
    new_recipients: int = 0
    bad_messages: int = 0


@dataclass(frozen=True, slots=True)
class Over:
    """A limit that is passed: its name ("recipients_per_day"), how much it allows, how much it would have been."""

    limit: str
    most: int
    count: int


class SentCounts:
    """Thread-safe. Raises StoreError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._guard = threading.Lock()
        self._pruned = 0

    @classmethod
    def open(cls, folder: Path) -> SentCounts:
        """Opens or creates `folder/sent.db`."""
        make_folder(folder)
        path = folder / "sent.db"
        connection = open_database(path, STEPS, busy_seconds=_BUSY_SECONDS)
        give_to_owner(path)  # `gatepost user resume` may be the first, as root
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last counts, never the file
        return cls(path, connection)

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def count(self, account: str, more: Amount, limits: Mapping[str, int], now: float) -> Over | None:
        """Counts `more`, unless it goes over one of `limits` (names as in `Over`; 0 or missing: none)."""
        hour = int(now // HOUR)
        with self._guard, transaction(self._connection, self._path, _BUSY_SECONDS):
            over = _passed(self._rows(account, hour), more, limits, now)
            if over is None:
                self._connection.execute(_ADD, (account, hour, *_numbers(more)))
            if hour > self._pruned:
                self._connection.execute("DELETE FROM sent WHERE hour < ?", (hour - _KEPT,))
                self._pruned = hour
        return over

    def note_bad(self, account: str, most: int, now: float) -> Over | None:
        """Counts a bad message; `Over` once there are `most` in a day (0: never)."""
        hour = int(now // HOUR)
        with self._guard, transaction(self._connection, self._path, _BUSY_SECONDS):
            self._connection.execute(_ADD, (account, hour, *_numbers(Amount(bad_messages=1))))
            found = sum(row[4] for row in self._rows(account, hour))
        return Over("bad_messages_per_day", most, found) if 0 < most <= found else None

    def today(self, account: str, now: float) -> Amount:
        """What `account` has sent in the last 24 hours."""
        with self._guard, told(self._path):
            rows = self._rows(account, int(now // HOUR))
        sums = [sum(row[column] for row in rows) for column in range(1, 5)]
        return Amount(messages=sums[0], recipients=sums[1], new_recipients=sums[2], bad_messages=sums[3])

    def forget(self, account: str) -> None:
        """Begins anew: somebody has looked at what was sent and lets it be."""
        with self._guard, transaction(self._connection, self._path, _BUSY_SECONDS):
            self._connection.execute("DELETE FROM sent WHERE account = ?", (account,))

    def _rows(self, account: str, hour: int) -> list[tuple[int, ...]]:
        """A clock that was put back leaves hours of the future: they count, or a limit could be slept away."""
        return self._connection.execute(_READ, (account, hour - 24)).fetchall()


def _numbers(amount: Amount) -> tuple[int, ...]:
    return (amount.messages, amount.recipients, amount.new_recipients, amount.bad_messages)


def _passed(rows: list[tuple[int, ...]], more: Amount, limits: Mapping[str, int], now: float) -> Over | None:
    hour, reached = int(now // HOUR), 1 - (now % HOUR) / HOUR
    for column, (name, adds) in enumerate(zip(_COUNTED[:3], _numbers(more)[:3], strict=True), 1):
        if not adds:
            continue
        this = sum(row[column] for row in rows if row[0] >= hour)
        before = sum(row[column] for row in rows if row[0] == hour - 1)
        day = sum(row[column] for row in rows)
        for period, count in (("hour", this + ceil(before * reached) + adds), ("day", day + adds)):
            most = limits.get(f"{name}_per_{period}", 0)
            if 0 < most < count:
                return Over(f"{name}_per_{period}", most, count)
    return None
