"""The accounts that exist: made, listed, given new passwords, removed.

In: addresses and passwords. Out: which addresses exist (for recipient checks), `Account`.
Standard: RFC 8265 (one form of names and passwords). Not here: logging in (`directory`); what else an account has
(`credentials`, `rights`).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from gatepost.errors import InputError
from gatepost.store.accounts import passwords
from gatepost.store.accounts.book import Book
from gatepost.store.accounts.credentials import AppPasswords, Certificates
from gatepost.store.accounts.model import Account, Standing
from gatepost.store.accounts.names import prepare_address
from gatepost.store.accounts.rights import Rights
from gatepost.store.accounts.schema import BELONGINGS
from gatepost.store.accounts.scram import Keys, derive_keys
from gatepost.store.accounts.strength import check_strength

_ALL = """
    SELECT address, created_at, changed_at,
        EXISTS (SELECT 1 FROM verifier WHERE verifier.address = account.address),
        (SELECT count(*) FROM app_password WHERE app_password.address = account.address),
        (SELECT count(*) FROM certificate WHERE certificate.address = account.address)
    FROM account
"""


class Accounts:
    """Thread-safe. Raises StoreError, StoreDamaged; InputError for addresses and passwords that will not do.

    `app_passwords`, `certificates` and `rights` keep what belongs to accounts in the same file.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.path = book.path
        self.app_passwords = AppPasswords(book)
        self.certificates = Certificates(book)
        self.rights = Rights(book)

    @classmethod
    def open(cls, folder: Path) -> Accounts:
        """Opens or creates `folder/accounts.db`. Raises StoreError, StoreDamaged."""
        return cls(Book.open(folder))

    def close(self) -> None:
        """Closes the database."""
        self.book.close()

    def add(self, address: str, password: str, now: float) -> str:
        """Creates an account and answers its address as it is kept. Raises InputError when there is one, or the
        address or password will not do."""
        address = prepare_address(address)
        password_hash, keys = _kept(password, address)
        with self.book.writing() as run:
            changed = run.execute(
                "INSERT INTO account (address, password_hash, created_at, changed_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (address, password_hash, now, now),
            )
            if not changed.rowcount:
                raise InputError("account", address, "exists already; choose another address or set its password")
            _keep_keys(run, address, keys)
            run.execute("UPDATE generation SET number = number + 1")
        return address

    def set_password(self, address: str, password: str, now: float = 0.0) -> None:
        """Gives an account a new password; app passwords stay. Raises InputError when there is no such account."""
        address = prepare_address(address)
        password_hash, keys = _kept(password, address)
        with self.book.writing() as run:
            sql = "UPDATE account SET password_hash = ?, changed_at = max(changed_at, ?) WHERE address = ?"
            if not run.execute(sql, (password_hash, now, address)).rowcount:
                raise InputError("account", address, "does not exist here; `gatepost user list` shows who does")
            _keep_keys(run, address, keys)

    def remove(self, address: str) -> None:
        """Deletes an account and what belongs to it; its mailbox stays. Raises InputError when there is none."""
        address = prepare_address(address)
        with self.book.writing() as run:
            if not run.execute("DELETE FROM account WHERE address = ?", (address,)).rowcount:
                raise InputError("account", address, "does not exist here; `gatepost user list` shows who does")
            for table in BELONGINGS:
                run.execute(f"DELETE FROM {table} WHERE address = ?", (address,))  # noqa: S608 - our own names
            run.execute("DELETE FROM delegation WHERE sender = ?", (address,))
            run.execute("UPDATE generation SET number = number + 1")

    def addresses(self) -> list[str]:
        """All addresses, sorted."""
        return [address for (address,) in self.book.read("SELECT address FROM account ORDER BY address")]

    def exists(self, address: str) -> bool:
        """Whether there is an account `address` (prepared)."""
        return bool(self.book.read("SELECT 1 FROM account WHERE address = ?", address))

    def all(self) -> list[Account]:
        """All accounts, by address."""
        standings = self.rights.all()
        return [_account(row, standings.get(row[0])) for row in self.book.read(_ALL + "ORDER BY address")]

    def show(self, address: str) -> Account:
        """One account. Raises InputError when there is none."""
        address = prepare_address(address)
        self.book.require(address)
        return _account(self.book.read(_ALL + "WHERE address = ?", address)[0], self.rights.standing(address))

    def changed(self) -> int:
        """A number that differs when another process has changed anything here since."""
        return int(self.book.read("PRAGMA data_version")[0][0])

    def generation(self) -> int:
        """A number that grows with every account that comes or goes."""
        return int(self.book.read("SELECT number FROM generation")[0][0])


def _account(row: tuple[Any, ...], standing: Standing | None) -> Account:
    address, created_at, changed_at, has_scram, app_passwords, certificates = row
    return Account(
        address=address,
        created_at=created_at,
        password_set_at=changed_at,
        has_scram=bool(has_scram),
        app_passwords=app_passwords,
        certificates=certificates,
        standing=standing or Standing(account=address),
    )


def _kept(password: str, address: str) -> tuple[str, Keys]:
    """What is kept of a password. Raises InputError for one that will not do."""
    password = passwords.prepared(password)
    check_strength(password, address)
    return passwords.hash_password(password), derive_keys(password)


def _keep_keys(run: sqlite3.Connection, address: str, keys: Keys) -> None:
    run.execute(
        "INSERT OR REPLACE INTO verifier VALUES (?, ?, ?, ?, ?)",
        (address, keys.salt, keys.iterations, keys.stored_key, keys.server_key),
    )
