"""One connection to an LDAP server: TLS, bind, search.

In: where the server is, who binds, filters. Out: whether a bind was right, entries; StoreError for everything else.
The protocol itself is sansldap's, bytes in and messages out. Standard: RFC 4511 §4.2 (bind), §4.5 (search), §4.14
(StartTLS); RFC 4513 §3.1.1, §5.1.2 (an empty password proves nobody). Not here: what is searched for (`ldap`).
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from dataclasses import dataclass
from typing import Any

from gatepost.errors import ConfigError, StoreError

MAX_ANSWER = 1 << 20  # octets of one answer; an entry that is asked for one attribute has a few hundred
CHUNK = 16_384
_WRONG = frozenset({19, 48, 49, 50, 53})  # RFC 4511 App. A: locked (ppolicy), none, wrong, not allowed, not willing
EXTRA = 'needs sansldap: pip install "gatepost[ldap]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the server is. `tls` is None in the clear; `at_once` is ldaps, else StartTLS."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    at_once: bool
    socket: str = ""  # a socket of this machine (ldapi), instead of host and port


@dataclass(frozen=True, slots=True)
class Entry:
    """What a search found: its name and the values of the attributes that were asked for, by lower-case name."""

    name: str
    values: dict[str, tuple[str, ...]]


def library() -> Any:
    """sansldap, which only those have who need it. Raises ConfigError."""
    try:
        return importlib.import_module("sansldap")
    except ImportError:
        raise ConfigError("directory.kind", "ldap", EXTRA) from None


class LdapConnection:
    """One operation at a time. After an error it is of no more use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._library = library()
        self._reader = reader
        self._writer = writer
        self._client = self._library.LDAPClient()

    @classmethod
    async def open(cls, place: Place) -> LdapConnection:
        """Connects, with TLS where `place` says so. Raises StoreError, OSError, ssl.SSLError."""
        if place.socket:
            return cls(*await asyncio.open_unix_connection(place.socket))
        name = place.host if place.tls is not None else None
        if place.at_once:
            return cls(*await asyncio.open_connection(place.host, place.port, ssl=place.tls, server_hostname=name))
        made = cls(*await asyncio.open_connection(place.host, place.port))
        try:
            if place.tls is not None:
                await made._start_tls(place.tls, place.host)
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Ends the connection without ceremony."""
        self._writer.close()

    async def bind(self, name: str, password: str) -> bool:
        """Whether `password` is that of the entry `name`. RFC 4513 §5.1.2: an empty one would be taken by the server
        as "I am nobody", and answered with success."""
        if not password or not name:
            return False
        self._client.bind_simple(name, password)
        code = (await self._answer())[-1].result.result_code
        if int(code) not in {0, *_WRONG}:
            raise StoreError(f"directory: LDAP refuses to bind: {_reason(code)}")
        return int(code) == 0

    async def search(self, base: str, condition: Any, attributes: list[str], most: int) -> list[Entry]:
        """The entries below `base`, `most` at most. An entry that is not there is no error; anything else is."""
        self._client.search_request(
            base_object=base,
            size_limit=most,
            filter=condition,
            attributes=attributes or ["1.1"],
        )
        *found, done = await self._answer()
        if int(done.result.result_code) not in (0, 4):  # 4: there are more than `most`
            raise StoreError(f"directory: LDAP: {_reason(done.result.result_code)}")
        return [_entry(one) for one in found if isinstance(one, self._library.SearchResultEntry)]

    async def _start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """RFC 4511 §4.14. What came in the clear behind the answer is forgotten with the client that read it."""
        self._client.extended_request(self._library.ExtendedOperations.LDAP_START_TLS.value)
        code = (await self._answer())[-1].result.result_code
        if int(code):
            raise StoreError(f"directory: LDAP has no StartTLS: {_reason(code)}")
        await self._writer.start_tls(context, server_hostname=host)
        self._client = self._library.LDAPClient()

    async def _answer(self) -> list[Any]:
        """The messages that answer what was asked; the last one ends it."""
        self._writer.write(self._client.data_to_send())
        await self._writer.drain()
        ends = (self._library.BindResponse, self._library.ExtendedResponse, self._library.SearchResultDone)
        answer: list[Any] = []
        octets = 0
        while not answer or not isinstance(answer[-1], ends):
            chunk = await self._reader.read(CHUNK)
            octets += len(chunk)
            if not chunk:
                raise StoreError("directory: LDAP hung up")
            if octets > MAX_ANSWER:
                raise StoreError(f"directory: LDAP answers with more than {MAX_ANSWER} octets")
            answer += self._received(chunk)
        return answer

    def _received(self, chunk: bytes) -> list[Any]:
        try:
            return list(self._client.receive(chunk))
        except Exception as error:  # a library that reads what a server sent: whatever it raises, it is no answer
            raise StoreError(f"directory: LDAP answers nonsense: {type(error).__name__}") from error


def _entry(found: Any) -> Entry:
    values = {
        attribute.name.lower(): tuple(value.decode("utf-8", "replace") for value in attribute.values)
        for attribute in found.attributes
    }
    return Entry(found.object_name, values)


def _reason(code: Any) -> str:
    return str(getattr(code, "name", code)).lower().replace("_", " ")
