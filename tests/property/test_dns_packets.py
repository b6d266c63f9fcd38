"""DNS packets: any octets give an Answer, and what dnspython reads in a well-formed reply, we read too."""

from __future__ import annotations

import dns.message
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from gatepost.net.resolver.query import RANDOM_OCTETS, Match, write_query
from gatepost.net.resolver.reply import parse_reply
from gatepost.ports import DnsStatus, Mx, Question

QUERY = write_query((b"a", b"example"), 16, randomness=bytes(RANDOM_OCTETS), ask_authentic=False, mixed_case=False)
HEAD = dns.message.make_response(dns.message.from_wire(QUERY.wire)).to_wire()
LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
NAME = st.lists(LABEL, min_size=1, max_size=6).map(".".join)


@given(st.binary(max_size=300))
def test_any_octets_are_no_reply_or_an_answer(octets: bytes) -> None:
    assert QUERY.match(octets) in Match
    parse_reply(octets, Question("a.example", "TXT"), 16, trusted=True)


@given(
    st.integers(0, 3), st.integers(0, 3), st.binary(max_size=200), st.sampled_from([1, 2, 5, 12, 15, 16, 28, 52, 43])
)
def test_any_octets_after_a_good_question_are_an_answer(answers: int, authority: int, rest: bytes, rtype: int) -> None:
    packet = HEAD[:6] + answers.to_bytes(2, "big") + authority.to_bytes(2, "big") + HEAD[10:27] + rest
    answer = parse_reply(packet, Question("a.example", "TXT"), rtype, trusted=True)
    assert answer.status is DnsStatus.OK or answer.reason


@given(st.binary(max_size=200), st.sampled_from([1, 2, 5, 12, 15, 16, 28, 33, 52, 43, 257]))
def test_any_rdata_is_a_record_or_a_failure(rdata: bytes, rtype: int) -> None:
    record = (
        b"\xc0\x0c" + rtype.to_bytes(2, "big") + b"\x00\x01\x00\x00\x00\x3c" + len(rdata).to_bytes(2, "big") + rdata
    )
    packet = HEAD[:6] + b"\x00\x01\x00\x00\x00\x00" + HEAD[12:27] + record
    parse_reply(packet, Question("a.example", "X"), rtype, trusted=False)


@given(NAME, st.lists(st.tuples(st.integers(0, 65535), NAME), min_size=1, max_size=8))
def test_mx_records_as_dnspython_writes_them(name: str, records: list[tuple[int, str]]) -> None:
    reply = dns.message.make_response(dns.message.make_query(name + ".", "MX"))
    reply.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "MX", *(f"{p} {n}." for p, n in records)))
    answer = parse_reply(reply.to_wire(), Question(name, "MX"), 15, trusted=False)
    assert set(answer.exchanges) == {Mx(preference, exchange) for preference, exchange in records}


@given(st.lists(st.binary(min_size=1, max_size=255), min_size=1, max_size=4))
def test_txt_strings_are_joined(strings: list[bytes]) -> None:
    rdata = b"".join(bytes([len(string)]) + string for string in strings)
    record = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c" + len(rdata).to_bytes(2, "big") + rdata
    packet = HEAD[:6] + b"\x00\x01\x00\x00\x00\x00" + HEAD[12:27] + record
    assert parse_reply(packet, Question("a.example", "TXT"), 16, trusted=False).texts == (b"".join(strings),)


@given(
    st.lists(LABEL, min_size=1, max_size=8), st.binary(min_size=RANDOM_OCTETS, max_size=RANDOM_OCTETS), st.booleans()
)
def test_dnspython_reads_our_queries(labels: list[str], randomness: bytes, mixed_case: bool) -> None:
    encoded = tuple(label.encode() for label in labels)
    query = write_query(encoded, 28, randomness=randomness, ask_authentic=False, mixed_case=mixed_case)
    message = dns.message.from_wire(query.wire)
    assert message.question[0].name.to_text().lower() == ".".join(labels).lower() + "."
    assert query.match(dns.message.make_response(message).to_wire()) is Match.REPLY
