"""Where accounts logged in from before, and the secret that makes unknown names look like known ones.

In: accounts and networks of those who logged in. Out: whether an account ever came from a network. So its owner still
gets in while others guess at it from everywhere. Bounded: so many networks an account, the oldest go first.
Standard: none. Not here: passwords (`accounts`), when it matters (`server.submission.guessing`).
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from pathlib import Path

from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE login (
        account TEXT NOT NULL,
        network TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (account, network)
    ) WITHOUT ROWID;
    CREATE INDEX login_at ON login (at);
    CREATE TABLE secret (octets BLOB NOT NULL);
    """,
)
MAX_NETWORKS = 200  # an account; somebody who travels has some dozens


class Logins:
    """Thread-safe; one call at a time. Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()
        self.secret = self._read_secret()

    @classmethod
    def open(cls, folder: Path) -> Logins:
        """Opens or creates `folder/logins.db`."""
        make_folder(folder)
        path = folder / "logins.db"
        return cls(path, open_database(path, STEPS))

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def _read_secret(self) -> bytes:
        """The same for all processes and after a restart: whoever is first draws it."""
        with self._guard, transaction(self._connection, self.path):
            row = self._connection.execute("SELECT octets FROM secret").fetchone()
            if row is None:
                row = (secrets.token_bytes(32),)
                self._connection.execute("INSERT INTO secret VALUES (?)", row)
        return bytes(row[0])

    def succeeded(self, account: str, network: str, now: float, *, forget_before: float) -> None:
        """`account` logged in from `network`; what is older than `forget_before` is forgotten."""
        with self._guard, transaction(self._connection, self.path):
            run = self._connection.execute
            run("INSERT OR REPLACE INTO login VALUES (?, ?, ?)", (account, network, now))
            run("DELETE FROM login WHERE at < ?", (forget_before,))
            run(
                "DELETE FROM login WHERE account = ? AND network IN"
                " (SELECT network FROM login WHERE account = ? ORDER BY at DESC LIMIT -1 OFFSET ?)",
                (account, account, MAX_NETWORKS),
            )

    def came_from(self, account: str, network: str, since: float) -> bool:
        """Whether `account` logged in from `network` after `since`."""
        with self._guard, told(self.path):
            sql = "SELECT 1 FROM login WHERE account = ? AND network = ? AND at >= ?"
            return self._connection.execute(sql, (account, network, since)).fetchone() is not None
