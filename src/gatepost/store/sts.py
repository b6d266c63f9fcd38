"""The MTA-STS policies of other domains, kept as long as they say.

In: a policy as it was fetched, or that it could not be. Out: what is known of a domain. Bounded in rows; it survives
restarts, since a policy that is forgotten protects nobody. Standard: RFC 8461 §3.3, §10.2 (why the cache must last).
Not here: fetching and obeying (`server.delivery.sts`).
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from gatepost.store.database import make_folder, migrate, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE policies (
        domain TEXT PRIMARY KEY,
        id TEXT NOT NULL,
        body BLOB NOT NULL,
        fetched REAL NOT NULL,
        expires REAL NOT NULL,
        failed REAL NOT NULL,
        failure TEXT NOT NULL,
        used REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX policies_used ON policies (used);
    """,
)
MAX_DOMAINS = 100_000  # a policy has some 200 octets, at most 64 KB
MAX_OCTETS = 256 << 20
_PRUNE_EVERY = 500  # writes between two clearings
_COLUMNS = "id, body, fetched, expires, failed, failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPolicy:
    """`body` is the policy as it was fetched, empty where none ever was; `id` that of the record then. `failed` is when
    it could last not be fetched, 0 for never since `fetched`, and `failure` why. All times are seconds since 1970."""

    id: str = ""
    body: bytes = b""
    fetched: float = 0.0
    expires: float = 0.0
    failed: float = 0.0
    failure: str = ""


class StsStore:
    """Thread-safe; one call at a time. Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()
        self._written = 0

    @classmethod
    def open(cls, folder: Path) -> StsStore:
        """Opens or creates `folder/sts.db`."""
        make_folder(folder)
        path = folder / "sts.db"
        return cls(path, open_database(path, STEPS))

    @classmethod
    def in_memory(cls) -> StsStore:
        """For a process that cannot open the file: what it fetches holds until it ends."""
        path, connection = Path("memory"), sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        migrate(connection, path, STEPS, 1.0)
        return cls(path, connection)

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def find(self, domain: str) -> KeptPolicy:
        """What is known of `domain`, expired or not."""
        with self._guard, told(self.path):
            row = self._connection.execute(
                f"SELECT {_COLUMNS} FROM policies WHERE domain = ?",  # noqa: S608
                (domain,),
            ).fetchone()
        if row is None:
            return KeptPolicy()
        return KeptPolicy(id=row[0], body=row[1], fetched=row[2], expires=row[3], failed=row[4], failure=row[5])

    def keep(self, domain: str, policy: KeptPolicy, now: float) -> None:
        """Replaces what is known of `domain`."""
        values = (policy.id, policy.body, policy.fetched, policy.expires, policy.failed, policy.failure)
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (domain, *values, now)
            )
            self._written += 1
            if self._written % _PRUNE_EVERY == 1:
                self._prune(now)

    def _prune(self, now: float) -> None:
        """Away with what is over; then the oldest, beyond the limits."""
        run = self._connection.execute
        run("DELETE FROM policies WHERE expires < ? AND failed < ?", (now, now - 86_400))
        run(
            "DELETE FROM policies WHERE domain IN (SELECT domain FROM policies ORDER BY used DESC LIMIT -1 OFFSET ?)",
            (MAX_DOMAINS,),
        )
        run(
            "DELETE FROM policies WHERE domain IN (SELECT domain FROM"
            " (SELECT domain, sum(length(body)) OVER (ORDER BY used DESC) AS total FROM policies) WHERE total > ?)",
            (MAX_OCTETS,),
        )
