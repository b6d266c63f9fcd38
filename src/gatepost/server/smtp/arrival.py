"""Somebody arrives: who it is by the socket or the PROXY header, and whether there is room.

In: a transport, or a header. Out: a `Visit`; a reason to refuse. Standard: RFC 4291 §2.5.5.2 (IPv4-mapped addresses).
Not here: what is said at the door (`gatekeeper`).
"""

from __future__ import annotations

import asyncio
import itertools
import time

from gatepost.names import Session
from gatepost.server.smtp.networks import canonical_ip
from gatepost.server.smtp.proxy import ProxyHeader
from gatepost.server.smtp.site import Site
from gatepost.server.smtp.visit import Visit

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
