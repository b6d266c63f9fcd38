"""The open file of accounts, shared by everything that keeps something in it.

In: a folder. Out: reads and writes, one at a time, from any thread. Standard: none.
Not here: what is kept (`accounts`, `credentials`, `rights`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gatepost.errors import InputError
from gatepost.store.accounts.schema import STEPS
from gatepost.store.database import give_to_owner, make_folder, open_database, told, transaction

FILE = "accounts.db"


class Book:
    """Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Book:
        """Opens or creates `folder/accounts.db`; one that root makes belongs to the folder's owner, who is the gate."""
        make_folder(folder)
        path = folder / FILE
        connection = open_database(path, STEPS)
        give_to_owner(path)
        return cls(path, connection)

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows."""
        with self._guard, told(self.path):
            return self._connection.execute(sql, values).fetchall()

    def write(self, *statements: tuple[str, Sequence[object]]) -> int:
        """Runs the statements as one transaction; how many rows the last one changed."""
        with self.writing() as run:
            count = 0
            for sql, values in statements:
                count = run.execute(sql, values).rowcount
            return count

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, with the connection to run it on."""
        with self._guard, transaction(self._connection, self.path):
            yield self._connection

    def require(self, address: str) -> None:
        """Raises InputError when there is no such account."""
        if not self.read("SELECT 1 FROM account WHERE address = ?", address):
            raise InputError("account", address, "does not exist here; `gatepost user list` shows who does")
