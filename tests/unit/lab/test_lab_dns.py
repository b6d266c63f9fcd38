"""The lab's name server, asked by the gate's own resolver: both must tell the same story as `ZoneResolver`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import dns.flags
import dns.message
import pytest
import uvloop

from gatepost.errors import InputError
from gatepost.lab.dns import DnsFaults, LabDns
from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.net.zone import ZoneResolver
from gatepost.ports import DnsStatus, Question

ZONE = """
$ORIGIN example.
@ 60 SOA ns hostmaster 1 2 3 4 30
@ TXT "v=spf1 -all"
@ MX 10 mail
mail A 127.0.9.25
alias CNAME mail
loop CNAME loop
*.wild TXT "w"
a.ent TXT "x"
slow A 127.0.9.1
bad A 127.0.9.1
25.9.0.127.in-addr.arpa. PTR mail.example.
big TXT "{0}" "{0}" "{0}" "{0}" "{0}" "{0}"
""".format("x" * 250)
FAULTS = DnsFaults(timeouts=("slow.example",), failures=("bad.example", "mail.example MX"), authentic=("example",))
QUESTIONS = [
    Question("example", "TXT"),
    Question("Example", "MX"),
    Question("mail.example", "A"),
    Question("mail.example", "AAAA"),
    Question("mail.example", "MX"),
    Question("alias.example", "A"),
    Question("loop.example", "A"),
    Question("x.wild.example", "TXT"),
    Question("ent.example", "TXT"),
    Question("none.example", "A"),
    Question("slow.example", "A"),
    Question("bad.example", "A"),
    Question("25.9.0.127.in-addr.arpa", "PTR"),
    Question("nowhere", "A"),
    Question("big.example", "TXT"),
]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_server_and_resolver_agree_with_the_zone_text(run: Callable[..., object]) -> None:
    async def main() -> None:
        server = LabDns(ZONE, FAULTS)
        port = await server.start("127.0.9.53")
        address = f"127.0.9.53:{port}"
        resolver = DnsResolver(ResolverSettings(servers=(address,), authentic_from=(address,), timeout=0.2, attempts=1))
        zone = ZoneResolver(ZONE, timeouts=FAULTS.timeouts, failures=FAULTS.failures, authentic=FAULTS.authentic)
        for question in QUESTIONS:
            network = await resolver.lookup(question.name, question.rtype)
            text = zone.answer(question)
            assert (network.status, network.records) == (text.status, text.records), question
            if network.status is not DnsStatus.TEMPFAIL:
                assert network.authentic == text.authentic, question
        server.close()

    run(main())


def test_nonsense_gets_no_reply() -> None:
    server = LabDns(ZONE)
    reply = server.reply(dns.message.make_query("example.", "TXT").to_wire())
    assert reply is not None
    assert server.reply(reply) is None  # a reply is no query
    for octets in (b"", b"\x00", b"x" * 40):
        assert server.reply(octets) is None


def test_what_does_not_fit_is_truncated_over_udp_only() -> None:
    server = LabDns(ZONE)
    query = dns.message.make_query("big.example.", "TXT", use_edns=0, payload=1232)
    short = server.reply(query.to_wire())
    whole = server.reply(query.to_wire(), tcp=True)
    assert short is not None
    assert whole is not None
    assert dns.message.from_wire(short).flags & dns.flags.TC
    assert not dns.message.from_wire(whole).flags & dns.flags.TC


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(InputError):
        asyncio.run(LabDns(ZONE).start("192.0.2.1"))
