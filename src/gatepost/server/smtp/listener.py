"""Listening: sockets in, connections out; a new configuration for new connections; a stop that loses nothing.

In: sockets (bound here, inherited from systemd or from the supervisor) and what a `Site` needs. Out: served sessions.
Not here: who binds privileged ports (`server.supervisor`); what a connection does (`protocol`).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable

from gatepost.server.smtp.arrival import Arrival
from gatepost.server.smtp.counters import Counters, CounterTable
from gatepost.server.smtp.gatekeeper import Gatekeeper
from gatepost.server.smtp.protocol import SmtpProtocol
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.smtp.site import Site

BACKLOG = 1024


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket on `host` (an address, not a name) and `port` (0: any). `shared` lets several processes bind
    the same one and the kernel deal the connections out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


class Listener:
    """Serves SMTP on sockets. Assigning `settings`, `gatekeeper` or `tls` holds for connections that come later; those
    that are there go on as they began."""

    def __init__(
        self,
        *,
        hostname: str,
        gatekeeper: Gatekeeper,
        settings: SmtpSettings | None = None,
        tls: ssl.SSLContext | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._protocols: set[Arrival] = set()
        self._servers: list[asyncio.Server] = []
        self._empty = asyncio.Event()
        self._empty.set()
        self._site = Site(
            hostname=hostname,
            settings=settings or SmtpSettings(),
            gatekeeper=gatekeeper,
            tls=tls,
            counters=counters or CounterTable(1).column(0),
            protocols=self._protocols,
            left=self._left,
        )

    def _replace(
        self, settings: SmtpSettings | None, gatekeeper: Gatekeeper | None, tls: ssl.SSLContext | None
    ) -> None:
        old = self._site
        self._site = Site(
            hostname=old.hostname,
            settings=settings or old.settings,
            gatekeeper=gatekeeper or old.gatekeeper,
            tls=tls or old.tls,
            counters=old.counters,
            protocols=self._protocols,
            left=self._left,
        )

    @property
    def settings(self) -> SmtpSettings:
        """What new connections are served by."""
        return self._site.settings

    @settings.setter
    def settings(self, new: SmtpSettings) -> None:
        self._replace(new, None, None)

    @property
    def gatekeeper(self) -> Gatekeeper:
        """Who decides about new connections."""
        return self._site.gatekeeper

    @gatekeeper.setter
    def gatekeeper(self, new: Gatekeeper) -> None:
        self._replace(None, new, None)

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The certificate that new connections are shown."""
        return self._site.tls

    @tls.setter
    def tls(self, new: ssl.SSLContext) -> None:
        self._replace(None, None, new)

    @property
    def connections(self) -> int:
        """Connections of this listener (in this process)."""
        return len(self._protocols)

    def _connected(self) -> SmtpProtocol:
        self._empty.clear()
        return SmtpProtocol(self._site)

    def _left(self) -> None:
        if not self._protocols:
            self._empty.set()

    async def start(self, sockets: Iterable[socket.socket]) -> None:
        """Begins to take connections on listening `sockets`."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            sock.setblocking(False)
            factory = self._connected
            if sock.family == socket.AF_UNIX:
                self._servers.append(await loop.create_unix_server(factory, sock=sock, backlog=BACKLOG))
            else:
                self._servers.append(await loop.create_server(factory, sock=sock, backlog=BACKLOG))

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each socket that is listened on."""
        return [sock.getsockname()[:2] for server in self._servers for sock in server.sockets]

    async def retire(self, stop: asyncio.Event, seconds: float) -> None:
        """Takes no more connections; returns when the last one has ended by itself, `stop` is set, or time is up."""
        for server in self._servers:
            server.close()
        waits = [asyncio.create_task(self._empty.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def stop(self, timeout: float = 30.0) -> None:
        """Takes no more connections, says 421 to idle ones, lets transactions under way finish for `timeout` seconds,
        then cuts the rest."""
        for server in self._servers:
            server.close()
        for protocol in list(self._protocols):
            protocol.stop()
        if self._protocols:
            try:
                await asyncio.wait_for(self._empty.wait(), timeout)
            except TimeoutError:
                for protocol in list(self._protocols):
                    protocol.abort()
                await asyncio.sleep(0)
        self._servers.clear()
