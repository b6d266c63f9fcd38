"""How sessions to other domains went, a day at a time, and which reports of that were sent.

In: counts by domain, policy and failure. Out: what a day's report holds; what is still to send. Bounded in rows; days
are kept until their reports are sent or given up. Standard: RFC 8460 §4.2, §4.3.
Not here: counting (`server.tlsrpt.tally`), sending (`server.tlsrpt.sending`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE sessions (
        day INTEGER NOT NULL,
        domain TEXT NOT NULL,
        policy TEXT NOT NULL,
        result TEXT NOT NULL,
        host TEXT NOT NULL,
        address TEXT NOT NULL,
        reason TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (day, domain, policy, result, host, address, reason)
    ) WITHOUT ROWID;
    CREATE TABLE reports (
        day INTEGER NOT NULL,
        domain TEXT NOT NULL,
        next_try REAL NOT NULL,
        tries INTEGER NOT NULL,
        done TEXT NOT NULL,
        PRIMARY KEY (day, domain)
    ) WITHOUT ROWID;
    CREATE INDEX reports_due ON reports (next_try);
    CREATE TABLE mails (
        day INTEGER NOT NULL,
        domain TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (day, domain)
    ) WITHOUT ROWID;
    """,
)
MAX_DOMAINS = 20_000  # a day; further ones are not counted
MAX_ROWS = 100  # of one domain and day: further failures are counted without host, address and reason
OVER = float("inf")  # the next try of a report that is sent or given up


@dataclass(frozen=True, slots=True)
class Count:
    """What sessions had in common. `day` is days since 1970 in UTC; `policy` JSON; `result` empty for success."""

    day: int
    domain: str
    policy: str
    result: str = ""
    host: str = ""
    address: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A report that is due. `done` are the addresses that have it."""

    day: int
    domain: str
    tries: int
    done: tuple[str, ...]


class TlsReports:
    """Thread-safe; one call at a time. Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> TlsReports:
        """Opens or creates `folder/tlsrpt.db`."""
        make_folder(folder)
        path = folder / "tlsrpt.db"
        connection = open_database(path, STEPS)
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may cost a few counts
        return cls(path, connection)

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def add(self, counts: Mapping[Count, int]) -> None:
        """Adds up."""
        with self._guard, transaction(self._connection, self.path):
            for count, number in counts.items():
                self._add(count, number)

    def _add(self, count: Count, number: int) -> None:
        run = self._connection.execute
        where = (count.day, count.domain)
        rows = run("SELECT count(*) FROM sessions WHERE day = ? AND domain = ?", where).fetchone()[0]
        if not rows:
            domains = run("SELECT count(*) FROM reports WHERE day = ?", (count.day,)).fetchone()[0]
            if domains >= MAX_DOMAINS:
                return
            run("INSERT OR IGNORE INTO reports VALUES (?, ?, 0, 0, '')", where)
        details = (count.host, count.address, count.reason) if rows < MAX_ROWS else ("", "", "")
        policy = (
            count.policy if rows < 2 * MAX_ROWS else '{"kind": "no-policy-found"}'
        )  # one who changes it each second
        run(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            (*where, policy, count.result, *details, number),
        )

    def schedule(self, day: int, moments: Mapping[str, float]) -> None:
        """Sets when the reports of `day` are tried first."""
        with self._guard, transaction(self._connection, self.path):
            for domain, moment in moments.items():
                self._connection.execute(
                    "UPDATE reports SET next_try = ? WHERE day = ? AND domain = ? AND next_try = 0",
                    (moment, day, domain),
                )

    def unscheduled(self, before_day: int) -> list[tuple[int, str]]:
        """Days that are over, with domains whose report has no time yet."""
        with self._guard, told(self.path):
            rows = self._connection.execute(
                "SELECT day, domain FROM reports WHERE next_try = 0 AND day < ?", (before_day,)
            )
            return [(int(day), str(domain)) for day, domain in rows]

    def due(self, now: float, limit: int) -> list[Unsent]:
        """Reports whose time has come."""
        with self._guard, told(self.path):
            rows = self._connection.execute(
                "SELECT day, domain, tries, done FROM reports WHERE next_try > 0 AND next_try <= ?"
                " ORDER BY next_try LIMIT ?",
                (now, limit),
            )
            return [Unsent(day=row[0], domain=row[1], tries=row[2], done=tuple(row[3].split())) for row in rows]

    def read(self, day: int, domain: str) -> list[tuple[Count, int]]:
        """What was counted."""
        with self._guard, told(self.path):
            rows = self._connection.execute(
                "SELECT policy, result, host, address, reason, count FROM sessions WHERE day = ? AND domain = ?",
                (day, domain),
            )
            return [(Count(day, domain, *row[:5]), int(row[5])) for row in rows]

    def note(self, unsent: Unsent, next_try: float) -> None:
        """Writes down how far a report has come; OVER for one that is sent, not wanted or given up."""
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute(
                "UPDATE reports SET next_try = ?, tries = ?, done = ? WHERE day = ? AND domain = ?",
                (next_try, unsent.tries, " ".join(unsent.done), unsent.day, unsent.domain),
            )
            if next_try == OVER:
                self._connection.execute(
                    "DELETE FROM sessions WHERE day = ? AND domain = ?", (unsent.day, unsent.domain)
                )

    def mailed(self, day: int, domain: str) -> None:
        """A report was mailed to an address in `domain` on `day`."""
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO mails VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1", (day, domain)
            )

    def mails(self, day: int, domain: str) -> int:
        """How many were."""
        with self._guard, told(self.path):
            row = self._connection.execute(
                "SELECT count FROM mails WHERE day = ? AND domain = ?", (day, domain)
            ).fetchone()
        return int(row[0]) if row else 0

    def forget(self, before_day: int) -> None:
        """Deletes all of days before `before_day`, sent or not."""
        with self._guard, transaction(self._connection, self.path):
            for table in ("sessions", "reports", "mails"):
                self._connection.execute(f"DELETE FROM {table} WHERE day < ?", (before_day,))  # noqa: S608
