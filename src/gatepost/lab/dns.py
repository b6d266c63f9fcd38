"""The lab's name server: authoritative for every name below the root, on loopback.

In: zone text, which names time out or fail, addresses to listen on. Out: replies over UDP and TCP.
Standard: RFC 1035 §4.2 (UDP and TCP), RFC 1034 §4.3.2 (the algorithm), RFC 6891 (size), RFC 6840 §5.8 (AD).
Not here: the zones themselves (`lab.internet`), the tree (`net.zonetree`). It listens on loopback only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from gatepost.errors import InputError
from gatepost.net.masterfile import Labels, Rrset
from gatepost.net.zonetree import ZoneTree, labels_or_error, parse_faults

MAX_CHAIN = 8
MAX_KEPT = 4096  # rendered replies kept; the lab asks the same questions for every mail
TCP_IDLE = 5.0  # seconds
PLAIN_SIZE = 512  # octets, without EDNS (RFC 1035 §2.3.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFaults:
    """ "name" or "name TYPE" that never answer or answer SERVFAIL, and names (with all below) that are authentic."""

    timeouts: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    authentic: tuple[str, ...] = ()


class LabDns:
    """`await start(host)` listens and gives the port; `close()` ends it."""

    def __init__(self, zone_text: str, faults: DnsFaults | None = None) -> None:
        faults = faults or DnsFaults()
        self._tree = ZoneTree(zone_text)
        self._silent = parse_faults(faults.timeouts, "timed out")
        self._failing = parse_faults(faults.failures, "SERVFAIL")
        self._authentic = {labels_or_error("authentic", name) for name in faults.authentic}
        self._kept: dict[tuple[bytes, bool], bytes | None] = {}
        self._closers: list[asyncio.DatagramTransport | asyncio.Server] = []

    async def start(self, host: str, port: int = 0) -> int:
        """Listens on `host` (an address of this machine's loopback); 0 takes any free port. May be called again."""
        if not ipaddress.ip_address(host).is_loopback:
            raise InputError("lab address", host, "the lab listens on loopback only")
        loop = asyncio.get_running_loop()
        try:
            server = await asyncio.start_server(self._serve_tcp, host, port)
            port = cast("list[socket.socket]", server.sockets)[0].getsockname()[1]
            self._closers.append(server)
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(host, port))
        except OSError as error:
            raise InputError("lab address", f"{host}:{port}", f"cannot listen: {error.strerror}") from error
        self._closers.append(transport)
        return port

    def close(self) -> None:
        """Stops listening."""
        for closer in self._closers:
            closer.close()
        self._closers.clear()

    def reply(self, packet: bytes, *, tcp: bool = False) -> bytes | None:
        """The reply to `packet`; None for what gets none (nonsense, or a name that times out)."""
        key = (packet[2:], tcp)
        if key not in self._kept:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = self._make_reply(packet, tcp)
        kept = self._kept[key]
        return None if kept is None else packet[:2] + kept[2:]

    def _make_reply(self, packet: bytes, tcp: bool) -> bytes | None:
        try:
            query = dns.message.from_wire(packet)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError, ValueError):
            return None
        if query.flags & dns.flags.QR:
            return None
        reply = dns.message.make_response(query, our_payload=1232)
        labels = tuple(label.lower() for label in question.name.labels[:-1])
        if not self._fill(reply, labels, dns.rdatatype.to_text(question.rdtype), bool(query.flags & dns.flags.AD)):
            return None
        size = 65535 if tcp else max(query.payload, PLAIN_SIZE)
        try:
            return reply.to_wire(max_size=size)
        except dns.exception.TooBig:
            short = dns.message.make_response(query, our_payload=1232)
            short.flags |= dns.flags.TC
            return short.to_wire()

    def _fill(self, reply: dns.message.Message, labels: Labels, rtype: str, asks_authentic: bool) -> bool:
        """RFC 1034 §4.3.2; False for a name that times out."""
        reply.flags |= dns.flags.AA | dns.flags.RA
        authentic = True
        for _ in range(MAX_CHAIN):
            if (labels, "") in self._silent or (labels, rtype) in self._silent:
                return False
            if (labels, "") in self._failing or (labels, rtype) in self._failing:
                break
            authentic = authentic and self._is_authentic(labels)
            node = self._tree.find(labels)
            found = node.get(rtype) if node else None
            alias = node.get("CNAME") if node else None
            if found is None and alias is not None:
                reply.answer.append(_rrset(labels, alias))
                labels = alias.target
                continue
            if found is not None:
                reply.answer.append(_rrset(labels, found))
            else:
                self._deny(reply, labels, exists=node is not None)
            if authentic and asks_authentic:
                reply.flags |= dns.flags.AD
            return True
        reply.answer.clear()
        reply.set_rcode(dns.rcode.SERVFAIL)
        return True

    def _deny(self, reply: dns.message.Message, labels: Labels, *, exists: bool) -> None:
        if not exists:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        soa = self._tree.find_soa(labels)
        if soa:
            reply.authority.append(_rrset(*soa))

    def _is_authentic(self, labels: Labels) -> bool:
        return any(labels[above:] in self._authentic for above in range(len(labels) + 1))

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(TCP_IDLE):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    reply = self.reply(await reader.readexactly(size), tcp=True)
                if reply is not None:
                    writer.write(len(reply).to_bytes(2, "big") + reply)
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    """One UDP socket of the server."""

    def __init__(self, server: LabDns) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.reply(data)
        if reply is not None:
            self._transport.sendto(reply, addr)


def _rrset(labels: Iterable[bytes], rrset: Rrset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(dns.name.Name((*labels, b"")), rrset.ttl, rrset.rdatas)
