"""A DNS server on loopback that does what a test scripts: reply, drop, forge, truncate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import dns.flags
import dns.message
import dns.rrset

from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.ports import Answer

Reply = bytes | None
Script = Callable[[dns.message.Message, str], Iterable[Reply]]  # query and "udp" or "tcp" to packets in order


class ScriptedServer(asyncio.DatagramProtocol):
    """`asked` counts datagrams and connections; `ports` are the clients' source ports."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked = {"udp": 0, "tcp": 0}
        self.ports: list[int] = []
        self.queries: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> ScriptedServer:
        loop = asyncio.get_running_loop()
        self.tcp = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.tcp.sockets[0].getsockname()[1]
        self.udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.udp.close()
        self.tcp.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked["udp"] += 1
        self.ports.append(addr[1])
        self.queries.append(data)
        for packet in self.script(dns.message.from_wire(data), "udp"):
            if packet is not None:
                self.udp.sendto(packet, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked["tcp"] += 1
        size = int.from_bytes(await reader.readexactly(2), "big")
        for packet in self.script(dns.message.from_wire(await reader.readexactly(size)), "tcp"):
            if packet is not None:
                writer.write(len(packet).to_bytes(2, "big") + packet)
        writer.close()


def reply_to(
    query: dns.message.Message, *records: str, code: int = 0, flags: int = 0, authority: tuple[str, ...] = ()
) -> dns.message.Message:
    """A reply with `records` and `authority` as "name ttl type rdata"."""
    reply = dns.message.make_response(query)
    reply.flags |= flags | dns.flags.RA
    reply.set_rcode(code)
    for section, lines in ((reply.answer, records), (reply.authority, authority)):
        for line in lines:
            name, ttl, rtype, rdata = line.split(" ", 3)
            found = next((s for s in section if s.name.to_text() == name and s.rdtype.name == rtype), None)
            new = dns.rrset.from_text(name, int(ttl), "IN", rtype, rdata)
            if found:
                found.update(new)
            else:
                section.append(new)
    return reply


class Clock:
    """Monotonic seconds that only move when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def play(
    script: Script,
    steps: Callable[[DnsResolver, ScriptedServer, Clock], Awaitable[None]],
    run: Callable[..., object] = asyncio.run,
    **options: object,
) -> None:
    """Runs `steps` with a resolver that asks a server which follows `script`."""

    async def main() -> None:
        async with ScriptedServer(script) as server:
            settings = {"servers": (server.address,), "timeout": 0.2, "attempts": 1, "deadline": 3.0, **options}
            if settings.pop("trusted", False):
                settings["authentic_from"] = (server.address,)
            clock = Clock()
            resolver = DnsResolver(ResolverSettings(**settings), clock=clock)  # type: ignore[arg-type]
            await steps(resolver, server, clock)
            resolver.close()

    run(main())


def ask_once(script: Script, name: str = "a.example", rtype: str = "A", **options: object) -> Answer:
    found: list[Answer] = []

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        found.append(await resolver.lookup(name, rtype))

    play(script, steps, **options)
    return found[0]
