"""The process that serves HTTP and HTTPS: takes connections, counts them, gives each its time.

In: listening sockets, a TLS context, a `Site`. Out: returns when it was told to stop.
Standard: RFC 9110. Not here: what is read and answered (`connection`, `site`).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from gatepost.server.https.connection import PIECE, Exchange
from gatepost.server.https.settings import HttpsSettings
from gatepost.server.https.site import Request, Response
from gatepost.server.logs import Log

PAUSE = 1.0  # seconds until the next try when no connection can be taken (no descriptors left)
MAX_CHALLENGE = 1024  # octets; a key authorization has some 90


class WebServer:
    """Serves until cancelled. `context` is None for a socket without TLS."""

    def __init__(self, settings: HttpsSettings, answer: Callable[[Request], Response], log: Log) -> None:
        self._settings = settings
        self._answer = answer
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_address: Counter[str] = Counter()

    async def listen(self, listening: socket.socket, context: ssl.SSLContext | None) -> None:
        """Takes connections from one socket."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            try:
                sock, peer = await loop.sock_accept(listening)
            except OSError as error:
                self._log.warning("web-accept-failed", reason=error)
                await asyncio.sleep(PAUSE)
                continue
            address = str(peer[0])
            if not self._has_room(address):
                sock.close()
                continue
            task = loop.create_task(self._serve(sock, address, context))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _has_room(self, address: str) -> bool:
        here = self._by_address[network_of(address)]
        if len(self._tasks) < self._settings.max_connections and here < self._settings.max_connections_per_address:
            return True
        self._log.debug("web-refused", client=address, connections=len(self._tasks))
        return False

    async def _serve(self, sock: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        network = network_of(address)
        self._by_address[network] += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._exchange(sock, address, context, began)
        except (OSError, TimeoutError, ssl.SSLError) as error:  # who dawdles or hangs up is no event
            self._log.debug("web-lost", client=address, reason=str(error) or type(error).__name__)
        finally:
            sock.close()
            self._by_address[network] -= 1
            if not self._by_address[network]:
                del self._by_address[network]

    async def _exchange(self, sock: socket.socket, address: str, context: ssl.SSLContext | None, began: float) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=PIECE)
        protocol = asyncio.StreamReaderProtocol(reader)
        seconds = self._settings.timeout if context is not None else None
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, sock, ssl=context, ssl_handshake_timeout=seconds
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        exchange = Exchange(reader, writer, secure=context is not None)
        try:
            status = await exchange.run(self._answer)
            self._tell(exchange.request, status, address, began)
            writer.close()
            await writer.wait_closed()
        finally:
            transport.abort()

    def _tell(self, request: Request | None, status: int, address: str, began: float) -> None:
        """Scanners ask for hundreds of pages that are not there: those are for who searches."""
        say = self._log.info if status in (200, 302) else self._log.debug
        facts = {"method": request.method, "host": request.host, "path": request.path} if request else {}
        scheme = None if request is None else "https" if request.secure else "http"
        seconds = f"{time.monotonic() - began:.3f}"
        say("web-request", client=address, scheme=scheme, **facts, status=status, seconds=seconds)


def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return address


def challenge_reader(folder: Path) -> Callable[[str], bytes | None]:
    """Answers ACME's challenges from files, which another process writes. A token has no dots and no slashes."""

    def read(token: str) -> bytes | None:
        try:
            with (folder / token).open("rb") as file:
                return file.read(MAX_CHALLENGE)
        except OSError:
            return None

    return read


async def serve_web(
    server: WebServer,
    sockets: Iterable[tuple[socket.socket, ssl.SSLContext | None]],
    stop: asyncio.Event,
) -> None:
    """Serves all sockets until `stop`. Connections under way end with the process: a client asks again."""
    tasks: list[asyncio.Task[object]] = [
        asyncio.create_task(stop.wait()),
        *(asyncio.create_task(server.listen(sock, context)) for sock, context in sockets),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
