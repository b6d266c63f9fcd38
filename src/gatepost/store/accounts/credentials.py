"""What proves an account besides its password: app passwords and client certificates.

In: an account, names, scopes, fingerprints, subjects. Out: `AppPassword`, `Certificate`; the account that one proves.
Standard: RFC 4422 App. A (EXTERNAL), RFC 4514 (subjects as text). Not here: the account's own password (`accounts`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gatepost.errors import InputError
from gatepost.store.accounts import passwords
from gatepost.store.accounts.book import Book
from gatepost.store.accounts.model import SCOPES

MAX_PER_ACCOUNT = 50  # app passwords; each is tried at every login
MAX_NAME = 64  # characters
MAX_SUBJECT = 1000  # characters
USED_EVERY = 3600.0  # seconds: "last used" is kept to the hour, for a login must not wait for the disk each time
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPassword:
    """One app password, without the password. `last_used` is right to the hour; None: never."""

    account: str
    name: str
    scopes: tuple[str, ...]
    created_at: float
    last_used: float | None

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/app-password.json."""
        return {
            "account": self.account,
            "name": self.name,
            "scopes": list(self.scopes),
            "created_at": self.created_at,
            "last_used": self.last_used,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A client certificate, by the SHA-256 of its DER form (`kind` "fingerprint", lower-case hex) or by its subject as
    RFC 4514 writes it (`kind` "subject", only where an authority of ours verified it)."""

    account: str
    kind: str
    value: str
    added_at: float

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/certificate.json."""
        return {"account": self.account, "kind": self.kind, "value": self.value, "added_at": self.added_at}


class AppPasswords:
    """Passwords for one program each: drawn at random, shown once, good for some things only."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def add(self, account: str, name: str, scopes: Iterable[str], now: float, *, elsewhere: bool = False) -> str:
        """Draws one and answers it. `elsewhere`: the account is another directory's. Raises InputError for no such
        account, a name that is taken, unknown scopes."""
        name, scopes = _checked_name(name), _checked_scopes(scopes)
        if not elsewhere:
            self._book.require(account)
        password, salt = passwords.random_password(), secrets.token_bytes(passwords.SALT)
        digest = passwords.digest(password, salt)
        with self._book.writing() as run:
            count = run.execute("SELECT count(*) FROM app_password WHERE address = ?", (account,)).fetchone()[0]
            if count >= MAX_PER_ACCOUNT:
                raise InputError("app password", name, f"{account} has {count} already; remove some first")
            changed = run.execute(
                "INSERT INTO app_password VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
                (account, name, salt, digest, " ".join(scopes), now),
            )
            if not changed.rowcount:
                raise InputError("app password", name, f"{account} has one of this name; remove it, or take another")
        return password

    def remove(self, account: str, name: str) -> None:
        """Takes one away. Raises InputError when there is none."""
        if not self._book.write(("DELETE FROM app_password WHERE address = ? AND name = ?", (account, name))):
            raise InputError("app password", name, f"{account} has none of this name")

    def all(self, account: str) -> list[AppPassword]:
        """Those of `account`, by name."""
        rows = self._book.read(
            "SELECT name, scopes, created_at, last_used FROM app_password WHERE address = ? ORDER BY name", account
        )
        return [
            AppPassword(account=account, name=name, scopes=tuple(scopes.split()), created_at=made, last_used=used)
            for name, scopes, made, used in rows
        ]

    def matching(self, account: str, password: str, now: float) -> AppPassword | None:
        """The app password that `password` is; its use is noted."""
        sql = "SELECT name, salt, digest, scopes, created_at, last_used FROM app_password WHERE address = ?"
        found = None
        for name, salt, digest, scopes, made, used in self._book.read(sql, account):
            if passwords.is_app_password(digest, salt, password):
                found = AppPassword(
                    account=account, name=name, scopes=tuple(scopes.split()), created_at=made, last_used=used
                )
        if found is not None and (found.last_used is None or now - found.last_used >= USED_EVERY):
            sql = "UPDATE app_password SET last_used = ? WHERE address = ? AND name = ?"
            self._book.write((sql, (now, account, found.name)))
        return found


class Certificates:
    """Whose client certificates are whose."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def add(self, account: str, kind: str, value: str, now: float, *, elsewhere: bool = False) -> Certificate:
        """Binds a certificate to `account`. Raises InputError when it is no fingerprint or subject, or another's."""
        value = normal_fingerprint(value) if kind == "fingerprint" else _checked_subject(value)
        if not elsewhere:
            self._book.require(account)
        sql = "INSERT INTO certificate VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        if not self._book.write((sql, (kind, value, account, now))):
            raise InputError(kind, value, "is bound already; `gatepost user certificate list` shows to whom")
        return Certificate(account=account, kind=kind, value=value, added_at=now)

    def remove(self, account: str, value: str) -> None:
        """Unbinds a certificate by fingerprint or subject. Raises InputError when it is not bound to `account`."""
        bare = value.replace(":", "").lower()
        names = (bare, value) if _FINGERPRINT.fullmatch(bare) else (value, value)
        sql = "DELETE FROM certificate WHERE address = ? AND value IN (?, ?)"
        if not self._book.write((sql, (account, *names))):
            raise InputError("certificate", value, f"is not bound to {account}")

    def all(self, account: str | None = None) -> list[Certificate]:
        """Those of `account`, or everybody's."""
        sql = "SELECT address, kind, value, added_at FROM certificate WHERE ? IS NULL OR address = ? ORDER BY 1, 2, 3"
        return [
            Certificate(account=address, kind=kind, value=value, added_at=added)
            for address, kind, value, added in self._book.read(sql, account, account)
        ]

    def owner(self, fingerprint: str, subject: str) -> str | None:
        """The account of a certificate. The fingerprint is asked first; `subject` is "" where nobody vouches for it."""
        for kind, value in (("fingerprint", fingerprint.lower()), ("subject", subject)):
            rows = self._book.read("SELECT address FROM certificate WHERE kind = ? AND value = ?", kind, value)
            if value and rows:
                return str(rows[0][0])
        return None


def normal_fingerprint(text: str) -> str:
    """A SHA-256 in lower-case hex, as written with or without colons. Raises InputError."""
    value = text.replace(":", "").strip().lower()
    if not _FINGERPRINT.fullmatch(value):
        raise InputError("fingerprint", text, "write the SHA-256 in 64 hex digits, as `openssl x509 -fingerprint`")
    return value


def _checked_subject(text: str) -> str:
    value = text.strip()
    if "=" not in value or not value.isprintable() or len(value) > MAX_SUBJECT:
        raise InputError("subject", text, "write it as RFC 4514 does: CN=Ann,O=Example")
    return value


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable() or len(name) > MAX_NAME:
        raise InputError("app password", name, f"give it a name of 1 to {MAX_NAME} printable characters, as laptop")
    return name


def _checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    wanted = set(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        raise InputError("scope", unknown[0] if unknown else "none", f"choose of {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in wanted)
