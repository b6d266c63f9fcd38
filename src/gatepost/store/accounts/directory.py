"""Who logs in, by the embedded accounts: `ports.BlockingDirectory` and `ports.AddressBook`.

In: a name (prepared, RFC 8265) and what proves it. Out: `Identity`, a verifier, or None; names that do not
exist take as long, and a suspended account is nobody. Standard: RFC 5802 §3, RFC 4422 App. A.
Not here: the exchange (`wire.sasl`), threads to wait in (`server.submission`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from gatepost.errors import InputError
from gatepost.ports import Identity, ScramVerifier
from gatepost.store.accounts import passwords
from gatepost.store.accounts.accounts import Accounts
from gatepost.store.accounts.model import Standing
from gatepost.store.accounts.names import prepare_address
from gatepost.store.accounts.recent import RecentlyRight
from gatepost.store.accounts.scram import derive_keys

_FIND = """
    SELECT account.password_hash, verifier.address IS NOT NULL, standing.suspended_at
    FROM account LEFT JOIN verifier USING (address) LEFT JOIN standing USING (address)
    WHERE account.address = ?
"""
_KEEP = """
    INSERT INTO verifier SELECT address, ?, ?, ?, ? FROM account WHERE address = ? AND password_hash = ?
    ON CONFLICT DO NOTHING
"""


class AccountDirectory:
    """Blocking and thread-safe. A name without @ is taken to be of `home`, where there is one. A right password needs
    no second argon2id for `remember` seconds."""

    def __init__(
        self,
        accounts: Accounts,
        home: str = "",
        *,
        clock: Callable[[], float] = time.time,
        remember: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._recent = RecentlyRight(remember, monotonic)
        self._home = home
        self._clock = clock
        self._decoy = passwords.hash_password(secrets.token_hex())  # time is spent on it when there is no such account

    def check_password(self, name: str, password: str) -> Identity | None:
        """Whom `password` proves `name` to be. Wrong and unknown cost one argon2id each (some 50 ms, in C)."""
        address = self._address(name)
        password_hash, has_keys, suspended_at = self._find(address)
        found = self.check_app_password(address, password) if password_hash else None
        if found is not None:
            return found if suspended_at is None else None
        quick = suspended_at is None  # else the time would tell who is only suspended
        if not self._is_right(password_hash or self._decoy, password, quick) or not password_hash:
            return None
        if suspended_at is not None:
            return None
        if not has_keys:
            self._keep_keys(address, password_hash, password)
        return Identity(account=address)

    def _is_right(self, password_hash: str, password: str, quick: bool) -> bool:
        if quick and self._recent.knows(password_hash, password):
            return True
        right = passwords.is_right(password_hash, password)
        if right:
            self._recent.note(password_hash, password)
        return right

    def check_app_password(self, address: str, password: str) -> Identity | None:
        """Whom an app password alone proves `address` to be, also where another directory keeps the account; whether it
        is suspended is for the caller to see."""
        used = self._accounts.app_passwords.matching(_prepared(address), password, self._clock())
        if used is None:
            return None
        return Identity(account=used.account, credential=f"app:{used.name}", scopes=frozenset(used.scopes))

    def verifier(self, name: str) -> ScramVerifier | None:
        """What SCRAM-SHA-256 needs; None for a name that has none (yet), or is suspended."""
        address = self._address(name)
        sql = "SELECT salt, iterations, stored_key, server_key FROM verifier WHERE address = ?"
        rows = self._accounts.book.read(sql, address)
        if not rows or self._find(address)[2] is not None:
            return None
        salt, iterations, stored_key, server_key = rows[0]
        return ScramVerifier(
            identity=Identity(account=address, credential="scram"),
            salt=salt,
            iterations=iterations,
            stored_key=stored_key,
            server_key=server_key,
        )

    def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """Whose certificate this is."""
        address = self._accounts.certificates.owner(fingerprint, subject)
        if address is None or self._accounts.rights.suspension(address) is not None:
            return None
        return Identity(account=address, credential="certificate")

    def exists(self, address: str) -> bool:
        """Whether mail to `address` has a mailbox here; suspended accounts get mail."""
        return self._accounts.exists(_prepared(address))

    def may_send_as(self, account: str, address: str, separator: str = "+") -> bool:
        """Whether `account` may write as `address`, as itself or by delegation."""
        prepared = _prepared(address)
        return bool(prepared) and self._accounts.rights.may_send_as(account, prepared, separator)

    def standing(self, account: str) -> Standing:
        """State, limits, bulk and delegations of an account."""
        return self._accounts.rights.standing(account)

    def _find(self, address: str) -> tuple[str, bool, float | None]:
        rows: list[tuple[Any, ...]] = self._accounts.book.read(_FIND, address)
        return (rows[0][0], bool(rows[0][1]), rows[0][2]) if rows else ("", True, None)

    def _keep_keys(self, address: str, password_hash: str, password: str) -> None:
        """The first right password since verifiers are kept makes one; unless it was changed meanwhile."""
        keys = derive_keys(password)
        row = (keys.salt, keys.iterations, keys.stored_key, keys.server_key, address, password_hash)
        self._accounts.book.write((_KEEP, row))

    def _address(self, name: str) -> str:
        """The account that `name` means; "" for what is no address."""
        return _prepared(name if "@" in name else f"{name}@{self._home}")


def _prepared(address: str) -> str:
    try:
        return prepare_address(address)
    except InputError:
        return ""
