"""The last audit of each watched domain, to compare the next one with.

In: audits as JSON values. Out: the same after a restart. Standard: none.
Not here: comparing (`audit.compare`), when an audit is made (`server.auditing`).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from gatepost.store.database import give_to_owner, make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE audit (
        domain TEXT PRIMARY KEY,
        at REAL NOT NULL,
        answer TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
FILE = "audits.db"


class Audits:
    """Thread-safe. Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Audits:
        """Opens or creates `folder/audits.db`."""
        make_folder(folder)
        path = folder / FILE
        audits = cls(path, open_database(path, STEPS))
        give_to_owner(path)
        return audits

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def last(self, domain: str) -> dict[str, Any] | None:
        """The last audit of `domain`; None for the first time, or when it was written in a form that nobody knows."""
        with self._guard, told(self.path):
            row = self._connection.execute("SELECT answer FROM audit WHERE domain = ?", (domain,)).fetchone()
        try:
            found = json.loads(row[0]) if row is not None else None
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def keep(self, domain: str, answer: dict[str, Any], now: float) -> None:
        """Takes the place of the last one."""
        text = json.dumps(answer)
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute("INSERT OR REPLACE INTO audit VALUES (?, ?, ?)", (domain, now, text))
