"""The memory of greylisting: who came when, and who came again.

In: keys (whatever stands for network, sender and recipient), the time. Out: who may pass, or how long he has to wait;
which sender domains were proven here. Bounded in rows. Standard: RFC 6647 §2.3, §5.
Not here: who is asked to wait at all (`server.door.greylist`).
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE seen (
        key BLOB PRIMARY KEY,
        first REAL NOT NULL,
        last REAL NOT NULL,
        passed INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX seen_last ON seen (last);
    CREATE TABLE proven (domain TEXT PRIMARY KEY, last REAL NOT NULL) WITHOUT ROWID;
    CREATE INDEX proven_last ON proven (last);
    """,
)
_PRUNE_EVERY = 1000  # questions between two clearings


class Greylist:
    """Thread-safe; one call at a time. Raises StoreError, StoreDamaged. All times are seconds."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        delay: float,
        retry_window: float,
        keep: float,
        max_rows: int,
    ) -> None:
        self.path = path
        self._connection = connection
        self._delay, self._retry_window, self._keep, self._max_rows = delay, retry_window, keep, max_rows
        self._guard = threading.Lock()
        self._asked = 0

    @classmethod
    def open(cls, folder: Path, *, delay: float, retry_window: float, keep: float, max_rows: int) -> Greylist:
        """Opens or creates `folder/greylist.db`."""
        make_folder(folder)
        path = folder / "greylist.db"
        connection = open_database(path, STEPS)
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may make somebody wait once more
        return cls(path, connection, delay=delay, retry_window=retry_window, keep=keep, max_rows=max_rows)

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def ask(self, keys: Sequence[bytes], now: float) -> float:
        """Seconds until all `keys` may pass; 0 when they may now. Every one of them is remembered."""
        with self._guard, transaction(self._connection, self.path):
            self._asked += 1
            if self._asked % _PRUNE_EVERY == 1:
                self._prune(now)
            return max((self._ask(key, now) for key in keys), default=0.0)

    def _ask(self, key: bytes, now: float) -> float:
        row = self._connection.execute("SELECT first, last, passed FROM seen WHERE key = ?", (key,)).fetchone()
        first, last, passed = (
            (float(row[0]), float(row[1]), bool(row[2])) if row is not None else (math.inf, 0.0, False)
        )
        if self._is_over(first, last, passed, now):
            self._connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, 0)", (key, now, now))
            return self._delay
        if not passed and now - first < self._delay:
            return max(0.0, first + self._delay - now)
        self._connection.execute("UPDATE seen SET last = ?, passed = 1 WHERE key = ?", (now, key))
        return 0.0

    def _is_over(self, first: float, last: float, passed: bool, now: float) -> bool:
        if first > now:  # never seen, or the clock was set back
            return True
        return now - last > self._keep if passed else now - first > self._retry_window

    def prove(self, domain: str, now: float) -> None:
        """Mail was accepted from `domain`, and it was proven."""
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute("INSERT OR REPLACE INTO proven VALUES (?, ?)", (domain, now))

    def was_proven(self, domain: str, now: float) -> bool:
        """Whether proven mail of `domain` was accepted here, not too long ago."""
        with self._guard, told(self.path):
            row = self._connection.execute("SELECT last FROM proven WHERE domain = ?", (domain,)).fetchone()
        return row is not None and now - row[0] <= self._keep

    def _prune(self, now: float) -> None:
        run = self._connection.execute
        run("DELETE FROM seen WHERE last < ?", (now - self._keep,))
        run("DELETE FROM seen WHERE NOT passed AND first < ?", (now - self._retry_window,))
        run("DELETE FROM proven WHERE last < ?", (now - self._keep,))
        for table, key in (("seen", "key"), ("proven", "domain")):
            run(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} ORDER BY last DESC LIMIT -1 OFFSET ?)",  # noqa: S608
                (self._max_rows,),
            )
