"""A connection to a mail server: lines out, lines in, and TLS on top of it when it is time.

In: a place to connect to. Out: lines, or `Trouble` that says in plain words what went wrong.
Standard: RFC 5321 §4.5.3.1.5 (lines have a limit). The buffer is emptied before TLS begins, so that nothing said in the
clear counts as said inside (RFC 3207 §6). Not here: what is said (`talk`).
"""

from __future__ import annotations

import asyncio
import errno
import ssl

MAX_LINE = 8192  # octets of one line of a server
MAX_READ = 16_384
# Errors that say something of this machine or its network, and nothing of the server.
_OURS = frozenset((errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM, errno.EMFILE))
_WORDS = {
    errno.ECONNREFUSED: "the connection is refused",
    errno.ECONNRESET: "the server broke the connection off",
    errno.EHOSTUNREACH: "no way leads to the host",
    errno.ENETUNREACH: "this machine has no way to that network",
    errno.EADDRNOTAVAIL: "this machine has no address of that family",
    errno.ETIMEDOUT: "no answer",
}


class Trouble(Exception):
    """The talk ends here; `str()` says why. `certain` is False where it may be our own fault."""

    def __init__(self, reason: str, *, certain: bool = True) -> None:
        super().__init__(reason)
        self.certain = certain


class Channel:
    """One connection. Every wait has a limit of `wait` seconds."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> None:
        self._reader = reader
        self._writer = writer
        self._wait = wait
        self._plain = b""  # received and not yet read as lines
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    @classmethod
    async def open(cls, address: str, port: int, *, connect: float, wait: float) -> Channel:
        """Connects. Raises Trouble."""
        try:
            async with asyncio.timeout(connect):
                reader, writer = await asyncio.open_connection(address, port, limit=MAX_READ)
        except TimeoutError:
            raise Trouble(f"no answer within {connect:g} s") from None
        except OSError as error:
            words = _WORDS.get(error.errno or 0, error.strerror or str(error))
            raise Trouble(words, certain=error.errno not in _OURS) from None
        return cls(reader, writer, wait)

    @property
    def own_address(self) -> str:
        """Where we are, as the server sees it unless something translates."""
        return str(self._writer.get_extra_info("sockname")[0])

    async def read(self) -> bytes:
        """Some octets from the network; empty at its end. Raises Trouble."""
        try:
            async with asyncio.timeout(self._wait):
                return await self._reader.read(MAX_READ)
        except TimeoutError:
            raise Trouble(f"the server stays silent for {self._wait:g} s") from None
        except OSError as error:
            raise Trouble(_WORDS.get(error.errno or 0, error.strerror or str(error))) from None

    async def write(self, octets: bytes) -> None:
        """Octets to the network as they are. Raises Trouble."""
        try:
            self._writer.write(octets)
            async with asyncio.timeout(self._wait):
                await self._writer.drain()
        except TimeoutError:
            raise Trouble("the server does not take what it is sent") from None
        except OSError as error:
            raise Trouble(_WORDS.get(error.errno or 0, error.strerror or str(error))) from None

    async def send_line(self, line: str) -> None:
        """A command. Raises Trouble."""
        octets = line.encode("ascii", "replace") + b"\r\n"
        if self._tls is None:
            await self.write(octets)
            return
        self._tls.write(octets)
        await self.write(self._outgoing.read())

    async def read_line(self) -> str:
        """One line without its end. Raises Trouble."""
        while b"\n" not in self._plain:
            if len(self._plain) > MAX_LINE:
                raise Trouble("the server sends a line without end")
            octets = await self._received()
            if not octets:
                raise Trouble("the server closed the connection")
            self._plain += octets
        line, _, self._plain = self._plain.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    async def _received(self) -> bytes:
        if self._tls is None:
            return await self.read()
        while True:
            try:
                return self._tls.read(MAX_READ)
            except ssl.SSLWantReadError:
                octets = await self.read()
                if not octets:
                    return b""
                self._incoming.write(octets)
            except ssl.SSLError as error:
                raise Trouble(f"TLS broke: {error.reason or error}") from None

    async def start_tls(self, context: ssl.SSLContext, host: str) -> ssl.SSLObject:
        """Shakes hands. Raises Trouble, or ssl.SSLError for what the handshake ended in."""
        self._plain = b""
        name = host if host and not host.replace(".", "").isdigit() and ":" not in host else None
        connection = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                connection.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self.write(self._outgoing.read())
                octets = await self.read()
                if not octets:
                    raise Trouble("the server closed the connection in the handshake") from None
                self._incoming.write(octets)
            except ssl.SSLError:
                await self._last_words()
                raise
        await self.write(self._outgoing.read())
        self._tls = connection
        return connection

    async def _last_words(self) -> None:
        """The alert that says why we give up."""
        try:
            await self.write(self._outgoing.read())
        except Trouble:
            pass

    async def close(self) -> None:
        """Ends the connection, whatever state it is in."""
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (OSError, TimeoutError, ssl.SSLError):
            self._writer.transport.abort()
