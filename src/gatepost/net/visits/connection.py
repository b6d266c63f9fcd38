"""A connection of which every octet is ours: plain first, TLS when it is asked for.

In: an address, octets, a TLS context. Out: octets, or `Cut` when the other side is gone or has sent too much.
Standard: RFC 8446 and RFC 5246 through OpenSSL, over memory: so what was said before the handshake stays apart from
what is said in it (RFC 3207 §4.2). Not here: what the octets mean (`replies`, `play`).
"""

from __future__ import annotations

import asyncio
import socket
import ssl

BLOCK = 65536


class Cut(Exception):
    """The connection is of no use any more."""


class Connection:
    """Octets both ways. `max_octets` is how much the other side may send in all."""

    def __init__(self, sock: socket.socket, max_octets: int) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._left = max_octets
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    @classmethod
    async def open(cls, address: str, port: int, *, source: str, seconds: float, max_octets: int) -> Connection:
        """Raises OSError or TimeoutError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source:
                sock.bind((source, 0))
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().sock_connect(sock, (address, port))
        except BaseException:
            sock.close()
            raise
        return cls(sock, max_octets)

    async def send(self, octets: bytes) -> None:
        """A server that hangs up while we send may have said why: that is read afterwards, so this raises nothing."""
        try:
            if self._tls is None:
                await self._loop.sock_sendall(self._socket, octets)
                return
            view = memoryview(octets)
            while view:
                done = self._tls.write(view[:BLOCK])
                view = view[done:]
                await self._flush()
        except (OSError, ssl.SSLError):
            pass

    async def receive(self) -> bytes:
        """What came next, empty when the other side closed. Raises `Cut`."""
        return await (self._receive_plain() if self._tls is None else self._receive_tls(self._tls))

    async def _receive_plain(self) -> bytes:
        try:
            octets = await self._loop.sock_recv(self._socket, BLOCK)
        except OSError as error:
            raise Cut(f"the connection was cut: {error.strerror or error}") from error
        self._left -= len(octets)
        if self._left < 0:
            raise Cut("the server sent more than we read")
        return octets

    async def _receive_tls(self, tls: ssl.SSLObject) -> bytes:
        while True:
            try:
                return tls.read(BLOCK)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise Cut(f"TLS broke: {error.reason or error}") from error
            await self._flush()
            octets = await self._receive_plain()
            if not octets:
                return b""
            self._incoming.write(octets)

    async def start_tls(self, context: ssl.SSLContext, name: str | None) -> ssl.SSLObject:
        """The handshake; raises ssl.SSLError (with the reason) or `Cut`."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                octets = await self._receive_plain()
                if not octets:
                    raise Cut("the server hung up in the handshake of TLS") from None
                self._incoming.write(octets)
            except ssl.SSLError:
                await self._flush()
                raise
        await self._flush()
        self._tls = tls
        return tls

    async def _flush(self) -> None:
        octets = self._outgoing.read()
        if octets:
            try:
                await self._loop.sock_sendall(self._socket, octets)
            except OSError:
                pass  # it is found out when reading

    def close(self) -> None:
        """Both ways."""
        self._socket.close()
