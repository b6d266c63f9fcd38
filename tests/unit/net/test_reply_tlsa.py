"""TLSA records off the wire: as dnspython writes them, and those it refuses."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rdata
import dns.rrset
import pytest

from gatepost.net.resolver.reply import parse_reply
from gatepost.ports import DnsStatus, Question


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (bytes([3, 1, 1]) + b"\xab" * 32, "3 1 1 " + "ab" * 32),
        (bytes([3, 1, 1]) + b"\xab" * 5, "3 1 1 " + "ab" * 5),  # too short for a SHA-256: of no use, and no failure
        (bytes([255, 7, 9]), "255 7 9 "),
    ],
)
def test_a_record_of_any_length_is_read(octets: bytes, text: str) -> None:
    query = dns.message.make_query("_25._tcp.mx.example", "TLSA")
    reply = dns.message.make_response(query, recursion_available=True)
    reply.flags |= dns.flags.AD
    rdata = dns.rdata.GenericRdata(1, 52, octets)
    reply.answer.append(dns.rrset.from_rdata("_25._tcp.mx.example.", 60, rdata))
    answer = parse_reply(reply.to_wire(), Question("_25._tcp.mx.example", "TLSA"), 52, trusted=True)
    assert (answer.status, answer.records, answer.authentic) == (DnsStatus.OK, (text,), True)
