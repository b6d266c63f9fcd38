"""Fuzzes DNS: replies from a stranger, queries to the lab's name server, master files, server addresses."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dns.message
import dns.rrset
from harness import main

from gatepost.errors import InputError
from gatepost.lab.dns import LabDns
from gatepost.net.resolver.query import RANDOM_OCTETS, write_query
from gatepost.net.resolver.reply import parse_reply
from gatepost.net.resolver.servers import parse_server
from gatepost.net.zone import ZoneResolver
from gatepost.ports import DnsStatus, Question

QUERY = write_query((b"a", b"example"), 16, randomness=bytes(RANDOM_OCTETS), ask_authentic=True, mixed_case=False)
ZONE = b"""$ORIGIN example.
@ 60 IN SOA ns h 1 2 3 4 30
a TXT "v=spf1 " "-all"
b 30 CNAME a
*.w MX 10 m.example.
t TYPE65280 \\# 2 abcd ; note
( p A
 192.0.2.1 )
"""
SERVER = LabDns(ZONE.decode())
TYPES = (1, 2, 5, 6, 12, 15, 16, 28, 33, 43, 52, 99, 257)


def _reply(*records: str) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(QUERY.wire))
    for record in records:
        name, rtype, rdata = record.split(" ", 2)
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", rtype, rdata))
    return reply.to_wire()


CORPUS = [
    QUERY.wire,
    _reply('a.example. TXT "v=spf1 -all" "x"'),
    _reply("a.example. CNAME b.example.", "b.example. CNAME c.example.", 'c.example. TXT "y"'),
    _reply("a.example. MX 10 mail.example.", "a.example. TLSA 3 1 1 " + "ab" * 32),
    ZONE,
    b"[2001:db8::1]:53",
]


def target(data: bytes) -> None:
    QUERY.match(data)
    for packet in (data, data[:2] + b"\x81\x80" + data[4:]):
        for rtype in TYPES:
            answer = parse_reply(packet, Question("a.example", "X"), rtype, trusted=True)
            assert answer.status is DnsStatus.OK or answer.reason
    SERVER.reply(data)
    text = data.decode("latin-1")
    for read in (ZoneResolver, parse_server):
        try:
            read(text)
        except InputError:
            pass


if __name__ == "__main__":
    main(target, CORPUS)
