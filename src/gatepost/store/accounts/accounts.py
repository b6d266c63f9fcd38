"""The accounts of the embedded default: an address and the argon2id hash of its password.

In: addresses and passwords. Out: which addresses exist (for recipient checks), and whether a password is right.
Standard: RFC 9106 §4 (argon2id, second recommended choice). Not here: SASL (submission comes later); other directories.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatepost.errors import InputError
from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE account (
        address TEXT PRIMARY KEY,
        password_hash TEXT NOT NULL,
        created_at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
)

MIN_PASSWORD = 12  # characters
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without the look-alikes 0 O o 1 l I i
_GROUPS, _GROUP = 4, 5  # 20 characters of 55: 115 bits

# RFC 9106 §4: 64 MiB, 3 passes, 4 lanes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


def random_password() -> str:
    """A password nobody guesses and anybody can type: four groups of five, "Kx3pT-…"."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


class Accounts:
    """Thread-safe; one call at a time. Addresses are kept in lower case."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()
        self._decoy = ""  # a hash to spend time on when there is no such account

    @classmethod
    def open(cls, folder: Path) -> Accounts:
        """Opens or creates `folder/accounts.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "accounts.db"
        return cls(path, open_database(path, STEPS))

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def add(self, address: str, password: str, now: float) -> None:
        """Creates an account. Raises InputError when there is one, or the address or password will not do."""
        address = _checked(address)
        password_hash = _hash(password)
        with self._guard, transaction(self._connection, self.path):
            changed = self._connection.execute(
                "INSERT INTO account VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (address, password_hash, now)
            )
            if not changed.rowcount:
                raise InputError("account", address, "exists already; choose another address or set its password")

    def set_password(self, address: str, password: str) -> None:
        """Gives an account a new password. Raises InputError when there is no such account."""
        password_hash = _hash(password)
        self._change("UPDATE account SET password_hash = ? WHERE address = ?", password_hash, address.lower())

    def remove(self, address: str) -> None:
        """Deletes an account; its mailbox stays. Raises InputError when there is no such account."""
        self._change("DELETE FROM account WHERE address = ?", address.lower())

    def addresses(self) -> list[str]:
        """All addresses, sorted."""
        with self._guard, told(self.path):
            rows = self._connection.execute("SELECT address FROM account ORDER BY address")
            return [address for (address,) in rows]

    def changed(self) -> int:
        """A number that differs when another process has changed the accounts since."""
        with self._guard, told(self.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def is_right(self, address: str, password: str) -> bool:
        """Whether this is the account's password; takes as long when there is no such account (some 50 ms, in C)."""
        with self._guard, told(self.path):
            row = self._connection.execute(
                "SELECT password_hash FROM account WHERE address = ?", (address.lower(),)
            ).fetchone()
            if row is None and not self._decoy:
                self._decoy = _HASHER.hash(secrets.token_hex())
        try:
            return _HASHER.verify(row[0] if row else self._decoy, password) and row is not None
        except (VerificationError, InvalidHashError):
            return False

    def _change(self, sql: str, *values: str) -> None:
        with self._guard, transaction(self._connection, self.path):
            if not self._connection.execute(sql, values).rowcount:
                raise InputError("account", values[-1], "does not exist here")


def _checked(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if not local or not domain or any(c.isspace() or not c.isprintable() for c in address):
        raise InputError("account", address, "write it as local-part@domain")
    return address.lower()


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise InputError("password", "(not shown)", f"take at least {MIN_PASSWORD} characters")
    return _HASHER.hash(password)
