"""Accounts in PostgreSQL: recipients, passwords and delegations, by queries of the administrator's.

In: addresses, passwords. Out: yes, no, `Identity`; StoreError when the database does not answer in time.
Standard: none (libpq's connection URIs). Not here: hashes (`hashes`), keeping answers (`cache`).
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gatepost.errors import ConfigError, StoreError
from gatepost.net.directory import hashes
from gatepost.net.directory.secure import directory_tls
from gatepost.net.directory.settings import DirectorySettings
from gatepost.ports import Identity, ScramVerifier

EXTRA = 'needs asyncpg: pip install "gatepost[cluster]"'
MAX_HASH = 4096  # characters


class PostgresqlDirectory:
    """Implements `ports.Directory` and `ports.AddressBook`. Connects when it is first asked."""

    def __init__(self, settings: DirectorySettings, password: str) -> None:
        self._settings = settings
        self._password = password
        self._tls = _tls(settings)
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._hashing = asyncio.Semaphore(settings.connections)

    async def close(self) -> None:
        """Closes the connections."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def exists(self, address: str) -> bool:
        """Whether the recipient query answers a row."""
        return bool(await self._rows(self._settings.postgresql.recipient_query, address))

    async def may_send_as(self, account: str, address: str) -> bool:
        """Whether the sender query answers a row."""
        query = self._settings.postgresql.sender_query
        return bool(query) and bool(await self._rows(query, account, address))

    async def check_password(self, name: str, password: str) -> Identity | None:
        """As the port says. A name that is not there costs one argon2id as well."""
        if "$2" in self._settings.postgresql.password_query:
            account, _ = await self._account(name, password)
            return Identity(account=account) if account else None
        account, kept = await self._account(name)
        async with self._hashing:
            right = await asyncio.to_thread(hashes.is_right, kept or hashes.DECOY, password)
        return Identity(account=account) if right and account else None

    async def verifier(self, name: str) -> ScramVerifier | None:
        """The hash, where it is a SCRAM verifier."""
        if "$2" in self._settings.postgresql.password_query:
            return None
        account, kept = await self._account(name)
        keys = hashes.scram_keys(kept)
        if keys is None:
            return None
        return ScramVerifier(
            identity=Identity(account=account, credential="scram"),
            salt=keys.salt,
            iterations=keys.iterations,
            stored_key=keys.stored_key,
            server_key=keys.server_key,
        )

    async def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """Nobody: certificates are bound by `gatepost user certificate`."""
        return None

    async def _account(self, *values: str) -> tuple[str, str]:
        """Account and hash of who logs in; two empty strings when there is nobody."""
        rows = await self._rows(self._settings.postgresql.password_query, *values)
        if not rows:
            return "", ""
        row = tuple(rows[0])
        if len(rows) > 1 or not all(isinstance(value, str) and value for value in row[:2]):
            raise StoreError("directory.postgresql.password_query: answers more than one row, or no text")
        kept = row[1] if len(row) > 1 else ""
        if len(values) == 1 and not kept:
            raise StoreError("directory.postgresql.password_query: answers no second column with the hash")
        return row[0].lower(), kept[:MAX_HASH]

    async def _rows(self, query: str, *values: str) -> Sequence[Any]:
        """The rows. Raises StoreError for everything that goes wrong, wrong queries among it."""
        if any("\0" in value for value in values):  # PostgreSQL's text has no NUL, so nobody's name has
            return []
        asyncpg = driver()
        try:
            async with asyncio.timeout(self._settings.timeout):
                pool = await self._connected()
                async with pool.acquire() as connection:
                    return list(await connection.fetch(query, *values))
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise StoreError(f"directory: PostgreSQL does not answer: {error or 'it took too long'}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise StoreError(f"directory: PostgreSQL: {error}") from error

    async def _connected(self) -> Any:
        async with self._opening:
            if self._pool is None:
                settings = self._settings
                self._pool = await driver().create_pool(
                    settings.url,
                    password=self._password or None,
                    ssl=self._tls,
                    min_size=0,
                    max_size=settings.connections,
                    timeout=settings.timeout,
                    command_timeout=settings.timeout,
                    statement_cache_size=0,  # PgBouncer in transaction mode knows no prepared statements of ours
                )
            return self._pool


def driver() -> Any:
    """asyncpg, which only those have who need it. Raises ConfigError."""
    try:
        return importlib.import_module("asyncpg")
    except ImportError:
        raise ConfigError("directory.kind", "postgresql", EXTRA) from None


def check_postgresql(settings: DirectorySettings) -> None:
    """Raises ConfigError for what cannot work, before anything is asked."""
    driver()
    parts = urlsplit(settings.url)
    if parts.scheme not in ("postgresql", "postgres") or len(parts.path) < 2:
        raise ConfigError("directory.url", settings.url, 'write it as "postgresql://gatepost@db.example.org/mail"')
    if parts.password:
        raise ConfigError("directory.url", "(not shown)", "keep the password out of it; see directory.password_file")
    for name in ("recipient_query", "password_query"):
        query = getattr(settings.postgresql, name)
        if "$1" not in query:
            raise ConfigError(f"directory.postgresql.{name}", query, "name the address as $1")
    _tls(settings)


def _tls(settings: DirectorySettings) -> ssl.SSLContext | bool:
    parts = urlsplit(settings.url)
    host = parts.hostname or "".join(parse_qs(parts.query).get("host", [""])[:1])
    return False if not host or host.startswith("/") else directory_tls(settings) or False
