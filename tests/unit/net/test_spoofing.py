"""A forger who answers before the server does, and packets made to break a reader: none may be believed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import pytest
from dns_server import Clock, Reply, ScriptedServer, ask_once, play, reply_to

from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.net.resolver.query import RANDOM_OCTETS, Match, write_query
from gatepost.net.resolver.reply import parse_reply
from gatepost.ports import DnsStatus, Question

TRUE = "192.0.2.1"
FORGED = "203.0.113.66"


def other_id(query: dns.message.Message) -> bytes:
    forged = reply_to(query, f"a.example. 60 A {FORGED}")
    forged.id ^= 1
    return forged.to_wire()


def other_name(query: dns.message.Message) -> bytes:
    forged = reply_to(query, f"b.example. 60 A {FORGED}")
    forged.question = dns.message.make_query("b.example.", "A").question
    return forged.to_wire()


def other_type(query: dns.message.Message) -> bytes:
    forged = reply_to(query, f"a.example. 60 A {FORGED}")
    forged.question = dns.message.make_query("a.example.", "TXT").question
    return forged.to_wire()


def no_question(query: dns.message.Message) -> bytes:
    forged = reply_to(query, f"a.example. 60 A {FORGED}")
    forged.question = []
    return forged.to_wire()


def a_query(query: dns.message.Message) -> bytes:
    forged = reply_to(query, f"a.example. 60 A {FORGED}")
    forged.flags &= ~dns.flags.QR
    return forged.to_wire()


def stub(query: dns.message.Message) -> bytes:
    return reply_to(query).to_wire()[:11]


@pytest.mark.parametrize("forge", [other_id, other_name, other_type, no_question, a_query, stub])
def test_a_forged_packet_is_passed_over(forge: Callable[[dns.message.Message], bytes]) -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield forge(query)
        yield b""
        yield reply_to(query, f"a.example. 60 A {TRUE}").to_wire()

    assert ask_once(script).names == (TRUE,)


def test_a_flood_of_guesses_ends_in_tcp() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        if protocol == "udp":
            yield from [other_id(query)] * 40
        yield reply_to(query, f"a.example. 60 A {TRUE}").to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        assert (await resolver.lookup("a.example", "A")).names == (TRUE,)
        assert server.asked["tcp"] == 1

    play(script, steps)


def test_another_address_or_port_is_not_heard() -> None:
    """The forger knows id, question and the client's port, but cannot send from the server's address."""

    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        forged = reply_to(query, f"a.example. 60 A {FORGED}").to_wire()
        for host, port in (("127.0.0.2", 0), ("127.0.0.1", 0)):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
                forger.bind((host, port))
                forger.sendto(forged, ("127.0.0.1", servers[0].ports[-1]))
        yield reply_to(query, f"a.example. 60 A {TRUE}").to_wire()

    servers: list[ScriptedServer] = []

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        servers.append(server)
        assert (await resolver.lookup("a.example", "A")).names == (TRUE,)

    play(script, steps)


def test_records_of_other_names_are_neither_answered_nor_kept() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        name = query.question[0].name.to_text()
        if name == "a.example.":
            yield reply_to(
                query,
                f"bank.example. 9999 A {FORGED}",
                f"a.example. 60 A {TRUE}",
                authority=("bank.example. 9999 NS ns.evil.example.",),
            ).to_wire()
        else:
            yield reply_to(query, f"{name} 60 A {TRUE}").to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        assert (await resolver.lookup("a.example", "A")).names == (TRUE,)
        assert (await resolver.lookup("bank.example", "A")).names == (TRUE,)

    play(script, steps)


def test_only_records_of_other_names_are_no_data() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield reply_to(query, f"bank.example. 9999 A {FORGED}").to_wire()

    assert ask_once(script).status is DnsStatus.NODATA


def test_ports_and_ids_differ_from_question_to_question() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield reply_to(query, f"{query.question[0].name} 60 A {TRUE}").to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        for number in range(40):
            await resolver.lookup(f"n{number}.example", "A")
        assert len(set(server.ports)) > 30
        assert len({packet[:2] for packet in server.queries}) > 35

    play(script, steps)


def test_letters_are_mixed_and_must_come_back_so() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        if protocol == "udp":
            forged = reply_to(query, f"a.example. 60 A {FORGED}")
            forged.question = dns.message.make_query(query.question[0].name.to_text().swapcase(), "A").question
            yield forged.to_wire()
        yield reply_to(query, f"{query.question[0].name} 60 A {TRUE}").to_wire()

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        name = "a-rather-long-name-of-many-letters.example"
        assert (await resolver.lookup(name, "A")).names == (TRUE,)
        assert server.asked["tcp"] == 1  # a server that changes case is asked over TCP
        asked = server.queries[0][12:]
        assert asked != asked.lower()

    play(script, steps, mixed_case="always")


def test_loopback_servers_are_asked_in_lower_case() -> None:
    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        await resolver.lookup("ABC.Example", "A")
        assert b"\x03abc\x07example\x00" in server.queries[0]

    play(lambda query, protocol: [reply_to(query).to_wire()], steps)


def query_for(name: str = "a.example", rtype: int = 1) -> tuple[dns.message.Message, Question]:
    labels = tuple(name.encode().split(b"."))
    query = write_query(labels, rtype, randomness=bytes(RANDOM_OCTETS), ask_authentic=True, mixed_case=False)
    message = dns.message.from_wire(query.wire)
    assert message.flags & dns.flags.AD
    assert message.payload == 1232
    assert query.match(dns.message.make_response(message).to_wire()) is Match.REPLY
    return message, Question(name, dns.rdatatype.to_text(rtype))


HEAD = bytes.fromhex("0000 8180 0001 0001 0000 0000 0161 0765 7861 6d70 6c65 00 0001 0001".replace(" ", ""))


@pytest.mark.parametrize(
    ("rest", "what"),
    [
        ("c01b 0001 0001 0000003c 0004 c0000201", "a pointer to itself"),
        ("c01d c01b 0001 0001 0000003c 0004 c0000201", "a pointer forward"),
        ("c00c 0001 0001 0000003c ffff c0000201", "rdata over the end"),
        ("c00c 0001 0001 0000003c 0004 c000", "cut short"),
        ("c00c 0005 0001 0000003c 0002 c027", "a CNAME that points to itself"),
        ("c00c 0005 0001 0000003c 0002 c00c", "a CNAME to its own name"),
        ("", "no record where one was counted"),
        ("c0", "half a pointer"),
        ("7f" + "61" * 20, "a label of 127"),
    ],
)
def test_crafted_packets_are_failures(rest: str, what: str) -> None:
    packet = HEAD + bytes.fromhex(rest.replace(" ", ""))
    answer = parse_reply(packet, Question("a.example", "A"), 1, trusted=False)
    assert answer.status is DnsStatus.TEMPFAIL, what


@pytest.mark.parametrize("rdata", [b"", b"\x05abc", b"\x01a\x09b"])
def test_txt_records_that_break_their_own_lengths_are_failures(rdata: bytes) -> None:
    head = HEAD.replace(b"\x00\x01\x00\x01", b"\x00\x01\x00\x01")[:-4] + b"\x00\x10\x00\x01"
    packet = head + b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c" + len(rdata).to_bytes(2, "big") + rdata
    assert parse_reply(packet, Question("a.example", "TXT"), 16, trusted=False).status is DnsStatus.TEMPFAIL


def test_a_flood_of_records_is_a_failure() -> None:
    message, question = query_for()
    records = [f"a.example. 60 A 10.{n // 250}.0.{n % 250}" for n in range(300)]
    assert (
        parse_reply(reply_to(message, *records).to_wire(max_size=65535), question, 1, trusted=False).status
        is DnsStatus.TEMPFAIL
    )


def test_too_large_a_datagram_goes_to_tcp() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        yield reply_to(query, *(f"a.example. 60 A 10.0.0.{n}" for n in range(150))).to_wire(max_size=65535)

    async def steps(resolver: DnsResolver, server: ScriptedServer, clock: Clock) -> None:
        assert len((await resolver.lookup("a.example", "A")).records) == 150
        assert server.asked["tcp"] == 1

    play(script, steps)


def test_too_large_a_tcp_reply_is_a_failure() -> None:
    def script(query: dns.message.Message, protocol: str) -> Iterator[Reply]:
        reply = reply_to(query, f"a.example. 60 A {TRUE}", flags=dns.flags.TC if protocol == "udp" else 0).to_wire()
        yield reply if protocol == "udp" else reply + bytes(40_000)

    assert "40" in ask_once(script).reason


def test_the_system_resolver_is_not_asked() -> None:
    """A resolver whose only server is silent knows nothing, whatever the machine could look up."""

    async def main() -> None:
        resolver = DnsResolver(ResolverSettings(servers=("127.0.0.1:1",), timeout=0.05, attempts=1))
        assert (await resolver.lookup("localhost", "A")).status is DnsStatus.TEMPFAIL

    asyncio.run(main())
