"""One question put to one server: a datagram there and back, or TCP.

In: a server, a query, seconds. Out: the reply's octets, or an `OSError` (`TimeoutError` is one).
Standard: RFC 5452 §9.2 (a fresh random port each time: the kernel picks it for a socket opened anew), §4.4 (connected
socket: the kernel drops what another address or port sends), RFC 7766 §8 (TCP: two octets of length).
Not here: what the reply says (`net.resolver.reply`), which server is next (`net.resolver.upstream`).
"""

from __future__ import annotations

import asyncio
import socket

from gatepost.net.resolver.query import UDP_SIZE, Match, Query
from gatepost.net.resolver.reply import is_truncated
from gatepost.net.resolver.servers import Server

MAX_FOREIGN = 16  # packets that are no reply, after which somebody is guessing and TCP is used (RFC 5452 §9.1)
MAX_TCP_REPLY = 32768  # real record sets end below 10 KB; RFC 1035 would allow 65535


class NeedsTcp(OSError):
    """The datagram was truncated, too large or suspicious: ask again over TCP."""


async def exchange(server: Server, query: Query, timeout: float) -> bytes:
    """The reply of `server`, over UDP and where needed over TCP, each within `timeout` seconds."""
    try:
        return await exchange_udp(server, query, timeout)
    except NeedsTcp:
        return await exchange_tcp(server, query, timeout)


async def exchange_udp(server: Server, query: Query, timeout: float) -> bytes:
    """Sends from a socket of its own and waits for the packet that matches; others are dropped."""
    loop = asyncio.get_running_loop()
    reply: asyncio.Future[bytes] = loop.create_future()
    with socket.socket(server.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as udp:
        udp.connect((server.host, server.port))
        udp.send(query.wire)
        waiting = _Waiting(udp, query, reply)
        loop.add_reader(udp.fileno(), waiting.read)
        timer = loop.call_later(timeout, waiting.expire)
        try:
            return await reply
        finally:
            timer.cancel()
            loop.remove_reader(udp.fileno())


class _Waiting:
    """One open question and its socket."""

    __slots__ = ("foreign", "query", "reply", "udp")

    def __init__(self, udp: socket.socket, query: Query, reply: asyncio.Future[bytes]) -> None:
        self.udp = udp
        self.query = query
        self.reply = reply
        self.foreign = 0

    def expire(self) -> None:
        if not self.reply.done():
            self.reply.set_exception(TimeoutError("timed out"))

    def read(self) -> None:
        if self.reply.done():
            return
        try:
            packet = self.udp.recv(UDP_SIZE + 1)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:  # port unreachable, above all
            self.reply.set_exception(error)
            return
        match = self.query.match(packet)
        if match is Match.FOREIGN:
            self.foreign += 1
        if match is Match.OTHER_CASE or self.foreign >= MAX_FOREIGN:
            self.reply.set_exception(NeedsTcp("replies that do not match"))
        elif match is Match.REPLY and (is_truncated(packet) or len(packet) > UDP_SIZE):
            self.reply.set_exception(NeedsTcp("truncated"))
        elif match is Match.REPLY:
            self.reply.set_result(packet)


async def exchange_tcp(server: Server, query: Query, timeout: float) -> bytes:
    """The same over TCP, a connection for one question."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            try:
                writer.write(len(query.wire).to_bytes(2, "big") + query.wire)
                size = int.from_bytes(await reader.readexactly(2), "big")
                if size > MAX_TCP_REPLY:
                    raise OSError(f"a reply of {size} octets")
                packet = await reader.readexactly(size)
            finally:
                writer.transport.abort()
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("connection closed before the reply") from error
    if query.match(packet) is Match.FOREIGN or is_truncated(packet):
        raise OSError("a reply that does not match")
    return packet
