"""The state of every signing key: which stage of its life it is in, and what DNS was seen to say of it.

In: states, from `gatepost records rotate` and the delivery process. Out: the same after any restart. The private keys
themselves are files (`server.signing.keyfiles`); a key without a row signs (it was put there by hand).
Standard: none. Not here: what moves a key to its next stage (`server.signing.rotation`).
"""

from __future__ import annotations

import enum
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from gatepost.store.database import give_to_owner, make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE signing_key (
        domain TEXT NOT NULL,
        selector TEXT NOT NULL,
        algorithm TEXT NOT NULL,
        record TEXT NOT NULL,
        stage TEXT NOT NULL,
        since REAL NOT NULL,
        condition TEXT NOT NULL,
        reason TEXT NOT NULL,
        right_since REAL,
        checked_at REAL,
        PRIMARY KEY (domain, selector)
    ) WITHOUT ROWID;
    """,
)
FILE = "keys.db"


class Stage(enum.StrEnum):
    """The life of a key, in order."""

    NEXT = "next"  # made; signs nothing until DNS has shown its record for a while
    LIVE = "live"  # signs
    OLD = "old"  # signs no more; its record must stay, for the mail that it signed
    REMOVABLE = "removable"  # its record may go; when it has gone, the key is forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """One key. `record` is the text to publish. `since` is when the stage began, `condition` what DNS said last
    (a word of `msgauth.dkim.publish.Shown`) with `reason`, `right_since` since when it has said so without a break,
    `checked_at` when it was asked last; all in seconds since the epoch."""

    domain: str
    selector: str
    algorithm: str
    record: str
    stage: Stage
    since: float
    condition: str = "unknown"
    reason: str = ""
    right_since: float | None = None
    checked_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The state as JSON values; the schema is docs/schema/records-status.json."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_COLUMNS = ", ".join(field.name for field in fields(KeyState))
_PUT = f"INSERT OR REPLACE INTO signing_key ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(KeyState)))})"  # noqa: S608
_ALL = f"SELECT {_COLUMNS} FROM signing_key ORDER BY domain, selector"  # noqa: S608


class KeyStates:
    """Thread-safe; several processes may have the file open. Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> KeyStates:
        """Opens or creates `folder/keys.db`."""
        make_folder(folder)
        path = folder / FILE
        states = cls(path, open_database(path, STEPS))
        give_to_owner(path)  # `gatepost records` may be root's, the gate is not
        return states

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def all(self) -> list[KeyState]:
        """Every key that is known, by domain and selector."""
        with self._guard, told(self.path):
            return _rows(self._connection)

    def change(self, change: Callable[[Sequence[KeyState]], Sequence[KeyState]]) -> list[KeyState]:
        """Replaces all states by what `change` makes of them, in one transaction: what another process wrote meanwhile
        is not lost. The states as they are now."""
        with self._guard, transaction(self._connection, self.path):
            before = _rows(self._connection)
            after = list(change(before))
            kept = {(key.domain, key.selector) for key in after}
            gone = [(key.domain, key.selector) for key in before if (key.domain, key.selector) not in kept]
            self._connection.executemany("DELETE FROM signing_key WHERE domain = ? AND selector = ?", gone)
            fresh = [astuple(key) for key in after if key not in before]
            self._connection.executemany(_PUT, fresh)
        return after

    def changed(self) -> int:
        """A number that differs when another process has written since."""
        with self._guard, told(self.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def _rows(connection: sqlite3.Connection) -> list[KeyState]:
    names = [field.name for field in fields(KeyState)]
    found = (KeyState(**dict(zip(names, row, strict=True))) for row in connection.execute(_ALL))
    return [replace(key, stage=Stage(key.stage)) for key in found]
