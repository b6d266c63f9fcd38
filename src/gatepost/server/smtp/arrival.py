"""Somebody arrives: who it is by the socket or the PROXY header, and whether there is room.

In: a transport, perhaps a PROXY header. Out: a `Visit` that may begin; or the connection's end.
Standard: RFC 4291 §2.5.5.2 (IPv4-mapped addresses). Not here: what is said at the door (`gatekeeper`).
"""

from __future__ import annotations

import asyncio
import itertools
import time

from gatepost.errors import RemoteProtocolError
from gatepost.names import Session
from gatepost.server.smtp.line import ServerLine
from gatepost.server.smtp.networks import canonical_ip
from gatepost.server.smtp.proxy import ProxyHeader, ProxyReader
from gatepost.server.smtp.site import Site
from gatepost.server.smtp.visit import Visit
from gatepost.wire.smtp.replies import Reply

TOO_MANY = Reply(421, "Too many connections, try again later", enhanced="4.7.0")
STOPPING = Reply(421, "Server is stopping, try again", enhanced="4.3.2")

_numbers = itertools.count(1)
_THIS_MACHINE = "127.0.0.1"  # a UNIX socket has no address: whoever may open it is here


def begin_visit(transport: asyncio.BaseTransport, site: Site, now: float) -> Visit:
    """The visit of whoever is at the other end of `transport`; `now` is the loop's clock."""
    peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    ip = canonical_ip(peer[0]) if isinstance(peer, tuple) else _THIS_MACHINE
    visit = Visit(f"{next(_numbers):x}", Session(client_ip=ip, received_at=time.time()), site.settings)
    visit.started = now
    if isinstance(peer, tuple):
        visit.peer_port = peer[1]
    if isinstance(local, tuple):
        visit.local_ip, visit.local_port = local[0], local[1]
    return visit


def meet_client(visit: Visit, header: ProxyHeader) -> None:
    """The proxy told whom it speaks for; from here on that is the peer. It may also speak for itself."""
    if header.client_ip:
        visit.speaks_for(canonical_ip(header.client_ip), visit.peer_ip)
        visit.peer_ip, visit.peer_port = visit.session.client_ip, header.client_port
        visit.local_ip, visit.local_port = header.local_ip, header.local_port


def crowded(site: Site, counted: str) -> str:
    """Which limit the connection that was just entered in the counters is over; empty when none.

    `counted` is its address, empty where it is exempt from the limit on those.
    """
    settings = site.settings
    if site.counters.connections > settings.max_connections:
        return "limit: connections"
    if counted and site.counters.connections_of(counted) > settings.max_connections_per_address:
        return "limit: connections of this address"
    return ""


class Arrival(ServerLine):
    """A connection until the session begins, and the counting of it until it ends."""

    __slots__ = ("_counted", "_proxy", "_settings", "_site", "_stopping", "_visit")

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._settings = site.settings
        self._proxy: ProxyReader | None = None
        self._counted: str | None = None  # the address we entered in the counters, "" where it is exempt
        self._stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected, or a proxy that will say for whom."""
        super().connection_made(transport)
        self._site.protocols.add(self)
        self._visit = begin_visit(transport, self._site, self._loop.time())
        self._set_deadline(self._settings.command_timeout)
        self._start_timer()
        if self._visit.peer_ip in self._site.proxies:
            self._proxy = ProxyReader()
        else:
            self._admit()

    def _read_proxy(self, reader: ProxyReader, data: bytes) -> None:
        try:
            header = reader.feed(data)
        except RemoteProtocolError as error:
            self._abort(f"proxy: {error.text}")
            return
        if header is not None:
            self._proxy = None
            meet_client(self._visit, header)
            self._keep(reader.rest)
            self._admit()

    def _admit(self) -> None:
        """The client is known by its address: is there room for it?"""
        site, ip = self._site, self._visit.session.client_ip
        self._counted = "" if ip in site.unlimited else ip
        site.counters.enter(self._counted)
        limit = crowded(site, self._counted)
        if self._stopping:
            self._finish(STOPPING, "stop")
        elif limit:  # who is sent away takes no place, not even while he goes: others would be refused for him
            site.counters.leave(self._counted)
            self._counted = None
            self._finish(TOO_MANY, limit, linger=False)
        else:
            self._begin()

    def _leave(self) -> None:
        """The connection is gone: it no longer counts."""
        self._site.protocols.discard(self)
        self._stop_timer()
        if self._counted is not None:
            self._site.counters.leave(self._counted)

    # -- what the session does ---------------------------------------------------------------------------------------

    def _keep(self, data: bytes) -> None:
        """What came behind the PROXY header is the client's."""
        raise NotImplementedError

    def _begin(self) -> None:
        """The client is admitted."""
        raise NotImplementedError

    def _finish(self, reply: Reply, reason: str, *, linger: bool = True) -> None:
        """Ends the session with `reply` as the last word; `linger` waits until the client has read it."""
        raise NotImplementedError

    def _abort(self, reason: str) -> None:
        """Cuts the connection."""
        raise NotImplementedError

    def stop(self) -> None:
        """The server stops: a transaction under way is finished, everything else ends now."""
        raise NotImplementedError

    def abort(self) -> None:
        """The server stops and waits no longer."""
        self._abort("stop")
