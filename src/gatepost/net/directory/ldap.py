"""Accounts in LDAP: recipients and delegations by search, passwords by bind.

In: addresses, passwords. Out: yes, no, `Identity`; StoreError when the server does not answer in time.
Standard: RFC 4511, RFC 4515 §3 (what a filter's value must hide), RFC 4516 (URLs). Not here: the connection
(`ldap_connection`), keeping answers (`cache`). No verifiers: SCRAM needs what LDAP does not give out.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from gatepost.errors import ConfigError, StoreError
from gatepost.net.directory.ldap_connection import Entry, LdapConnection, Place, library
from gatepost.net.directory.secure import directory_tls
from gatepost.net.directory.settings import DirectorySettings
from gatepost.ports import Identity, ScramVerifier

PORTS = {"ldap": 389, "ldaps": 636, "ldapi": 0}


class LdapDirectory:
    """Implements `ports.Directory` and `ports.AddressBook`. Searches share a few connections; a password is tried on a
    connection of its own, which is closed: nothing of one person's bind is left for another."""

    def __init__(self, settings: DirectorySettings, password: str) -> None:
        self._settings = settings
        self._password = password
        self._place = place_of(settings)
        self._idle: list[LdapConnection] = []
        self._room = asyncio.Semaphore(settings.connections)

    async def close(self) -> None:
        """Closes the connections."""
        while self._idle:
            self._idle.pop().close()

    async def exists(self, address: str) -> bool:
        """Whether the recipient filter finds an entry."""
        return bool(await self._search(self._settings.ldap.recipient_filter, [], address=address))

    async def may_send_as(self, account: str, address: str) -> bool:
        """Whether the sender filter finds an entry."""
        wanted = self._settings.ldap.sender_filter
        return bool(wanted) and bool(await self._search(wanted, [], address=address, account=account))

    async def check_password(self, name: str, password: str) -> Identity | None:
        """As the port says. A name that is not there costs a bind as well, as somebody who does not exist."""
        ldap = self._settings.ldap
        found = await self._search(ldap.login_filter, [ldap.account_attribute], address=name)
        if len(found) > 1:
            raise StoreError("directory.ldap.login_filter: finds more than one entry for one name")
        stranger = f"cn={secrets.token_hex(8)},{ldap.base}"
        right = await self._bind(found[0].name if found else stranger, password)
        if not right or not found:
            return None
        values = found[0].values.get(ldap.account_attribute.lower(), ())
        if not values or "@" not in values[0]:
            raise StoreError(f"directory.ldap.account_attribute: an entry has no address in {ldap.account_attribute}")
        return Identity(account=values[0].lower())

    async def verifier(self, name: str) -> ScramVerifier | None:
        """None: there are none."""
        return None

    async def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """Nobody: certificates are bound by `gatepost user certificate`."""
        return None

    async def _search(self, pattern: str, attributes: list[str], **values: str) -> list[Entry]:
        condition = make_filter(pattern, **values)
        async with self._answering():
            for attempt in (1, 2):  # a connection that lay idle may have been closed by the server meanwhile
                fresh = not self._idle or attempt == 2
                connection = await self._connected() if fresh else self._idle.pop()
                try:
                    found = await connection.search(self._settings.ldap.base, condition, attributes, 2)
                except (StoreError, OSError):
                    connection.close()
                    if fresh:
                        raise
                    continue
                except BaseException:
                    connection.close()
                    raise
                self._idle.append(connection)
                return found
        raise AssertionError("the second attempt returns or raises")

    async def _connected(self) -> LdapConnection:
        connection = await LdapConnection.open(self._place)
        name = self._settings.ldap.bind_dn
        try:
            if name and not await connection.bind(name, self._password):
                raise StoreError("directory.ldap.bind_dn: LDAP says that our own password is wrong")
        except BaseException:
            connection.close()
            raise
        return connection

    async def _bind(self, name: str, password: str) -> bool:
        async with self._answering():
            connection = await LdapConnection.open(self._place)
            try:
                return await connection.bind(name, password)
            finally:
                connection.close()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """The time that one question may take, and errors in our words."""
        try:
            async with asyncio.timeout(self._settings.timeout), self._room:
                yield
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise StoreError(f"directory: LDAP does not answer: {error or 'it took too long'}") from error


def make_filter(pattern: str, *, address: str, account: str = "") -> Any:
    """The filter with what is looked for in its places, escaped. Raises ConfigError for a pattern that is none."""
    local, _, domain = address.rpartition("@")
    text = pattern
    for name, value in (("address", address), ("local", local), ("domain", domain), ("account", account)):
        text = text.replace("{" + name + "}", escape(value))
    try:
        return library().LDAPFilter.from_string(text)
    except ValueError:
        raise ConfigError("directory.ldap", pattern, "is no LDAP filter; write it as (mail={address})") from None


def escape(value: str) -> str:
    """RFC 4515 §3: what means something in a filter, as its octets in hex; braces too, so that no value is taken for
    a place to fill."""
    return "".join(
        "".join(f"\\{octet:02x}" for octet in char.encode("utf-8", "replace"))
        if char in "*()\\{}" or not " " < char <= "~"
        else char
        for char in value
    )


def check_ldap(settings: DirectorySettings) -> None:
    """Raises ConfigError for what cannot work, before anything is asked."""
    library()
    place_of(settings)
    ldap = settings.ldap
    if not ldap.base:
        raise ConfigError("directory.ldap.base", "", 'say where the people are, as "ou=people,dc=example,dc=org"')
    if ldap.bind_dn and not settings.password_file:
        raise ConfigError("directory.ldap.bind_dn", ldap.bind_dn, "needs its password in directory.password_file")
    for name in ("recipient_filter", "login_filter", "sender_filter"):
        pattern = getattr(ldap, name)
        if pattern or name != "sender_filter":
            make_filter(pattern, address="a@b.example", account="a@b.example")
            if not {"{address}", "{local}"} & {place for place in ("{address}", "{local}") if place in pattern}:
                raise ConfigError(
                    f"directory.ldap.{name}", pattern, "looks for nobody; name {address} or {local} in it"
                )


def place_of(settings: DirectorySettings) -> Place:
    """Where the server is. Raises ConfigError."""
    try:
        parts = urlsplit(settings.url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        host = parts.hostname or ""
    except ValueError:
        parts, port, host = urlsplit(""), 0, ""
    if parts.scheme == "ldapi" and parts.netloc:
        return Place(host="", port=0, tls=None, at_once=False, socket=unquote(parts.netloc))
    if parts.scheme not in ("ldap", "ldaps") or not host:
        raise ConfigError("directory.url", settings.url, 'write it as "ldaps://ldap.example.org"')
    tls, at_once = directory_tls(settings), parts.scheme == "ldaps"
    if at_once and tls is None:
        raise ConfigError("directory.tls", settings.tls, 'ldaps: is always TLS; use ldap:, or "verified" or "any"')
    return Place(host=host, port=port, tls=tls, at_once=at_once)
