"""A reply's octets as an `Answer`.

In: a packet whose id and question were checked. Out: `Answer`; TEMPFAIL for what cannot be read or believed.
Standard: RFC 1035 §4.1, RFC 2308 §2 and §5 (negative answers), RFC 2181 §5 and §8 (record sets, TTL).
Not here: whether the packet is the reply (`net.resolver.query`), the packet's layout (`net.resolver.packet`).
Only records that belong to the question, by its name or the CNAMEs from it, are read at all.
"""

from __future__ import annotations

import struct

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from gatepost.net.records import labels_text
from gatepost.net.resolver.packet import Labels, Packet, RawRecord, parse_packet
from gatepost.ports import Answer, DnsStatus, Mx, Question, Record

MAX_CHAIN = 16  # CNAMEs followed in one reply; BIND gives no more
MAX_RECORDS = 200  # of one set; the largest real set of a mail domain seen has some 60

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, TLSA, SPF = 1, 2, 5, 6, 12, 15, 16, 28, 52, 99
_NAME_TYPES = frozenset({NS, CNAME, PTR})
_NOERROR, _NXDOMAIN = 0, 3
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}


def parse_reply(octets: bytes, question: Question, rtype: int, *, trusted: bool) -> Answer:
    """The answer in `octets`; `trusted` lets its AD bit count. TTLs are the packet's, not capped."""
    try:
        packet = parse_packet(octets)
        return _read(packet, question, rtype, trusted)
    except (ValueError, IndexError, struct.error) as error:
        return failure(question, f"unreadable reply: {error}")


def is_truncated(octets: bytes) -> bool:
    """The TC bit (RFC 1035 §4.1.1)."""
    return bool(octets[2] & 0x02)


def failure(question: Question, reason: str) -> Answer:
    """Nobody knows, and why."""
    return Answer(question=question, status=DnsStatus.TEMPFAIL, reason=reason)


def _read(packet: Packet, question: Question, rtype: int, trusted: bool) -> Answer:
    code = packet.rcode
    if code not in (_NOERROR, _NXDOMAIN):
        return failure(question, _RCODES.get(code, f"RCODE {code}"))
    authentic = trusted and packet.authentic
    found, target, ttl = _follow(packet, rtype)
    if found:
        if len(found) > MAX_RECORDS:
            return failure(question, f"more than {MAX_RECORDS} records")
        return Answer(
            question=question,
            status=DnsStatus.OK,
            records=tuple(_decode(packet, record) for record in found),
            authentic=authentic,
            ttl=min(ttl, *(record.ttl for record in found)),
        )
    missing = code == _NXDOMAIN
    if not missing and _is_referral(packet):
        return failure(question, "the server does not resolve for us: it only names others")
    return Answer(
        question=question,
        status=DnsStatus.NXDOMAIN if missing else DnsStatus.NODATA,
        authentic=authentic,
        ttl=min(ttl, _negative_ttl(packet, target)),
        reason="the name does not exist" if missing else "the name has no record of this type",
    )


def _is_referral(packet: Packet) -> bool:
    """RFC 2308 §2.2: name servers without a SOA send us elsewhere; that is not "no record"."""
    types = {rtype for _, rtype in packet.authority}
    return NS in types and SOA not in types


def _follow(packet: Packet, rtype: int) -> tuple[list[RawRecord], Labels, int]:
    """The set asked for, at the name asked for or at the end of its CNAMEs; that name; the CNAMEs' least TTL."""
    target = packet.question_name
    ttl = 1 << 31
    for _ in range(MAX_CHAIN):
        found = packet.answer.get((target, rtype))
        if found:
            return found, target, ttl
        aliases = packet.answer.get((target, CNAME))
        if not aliases:
            return [], target, ttl
        ttl = min(ttl, aliases[0].ttl)
        target, _ = packet.read_name(aliases[0].start)
    raise ValueError(f"more than {MAX_CHAIN} CNAME records in a chain")


def _decode(packet: Packet, record: RawRecord) -> Record:
    """One record as `ports.Answer` promises."""
    octets = packet.octets
    start, end = record.start, record.end
    if record.rtype in (TXT, SPF):
        return _text(octets[start:end])
    if record.rtype == A and end - start == 4:
        return "{}.{}.{}.{}".format(*octets[start:end])
    if record.rtype == MX:
        (preference,) = struct.unpack_from("!H", octets, start)
        return Mx(preference, labels_text(packet.read_name(start + 2)[0]))
    if record.rtype in _NAME_TYPES:
        return labels_text(packet.read_name(start)[0])
    if record.rtype == TLSA and end - start >= 3:
        # dnspython refuses digests of a wrong length; such a record is one of no use among others (RFC 7672 §2.2).
        return "{} {} {} {}".format(*octets[start : start + 3], octets[start + 3 : end].hex())
    return _decode_rare(octets, record)


def _text(rdata: bytes) -> bytes:
    """The character-strings of a TXT record, joined (RFC 1035 §3.3.14; RFC 7208 §3.3)."""
    if rdata and rdata[0] == len(rdata) - 1:
        return rdata[1:]
    if not rdata:
        raise ValueError("a TXT record without a string")
    strings = []
    position = 0
    while position < len(rdata):
        end = position + 1 + rdata[position]
        if end > len(rdata):
            raise ValueError("a TXT record's string runs over its end")
        strings.append(rdata[position + 1 : end])
        position = end
    return b"".join(strings)


def _decode_rare(octets: bytes, record: RawRecord) -> str:
    """Any other type as master-file text, by dnspython."""
    try:
        rdata = dns.rdata.from_wire(
            dns.rdataclass.IN,
            dns.rdatatype.RdataType.make(record.rtype),
            octets,
            record.start,
            record.end - record.start,
        )
        return rdata.to_text()
    except Exception as error:  # whatever a third-party parser makes of a stranger's octets is no answer
        raise ValueError(f"a record of type {record.rtype}: {type(error).__name__}") from error


def _negative_ttl(packet: Packet, name: Labels) -> int:
    """RFC 2308 §5: the lesser of the SOA's TTL and its MINIMUM; without SOA the answer is not to be kept."""
    for (owner, rtype), records in packet.authority.items():
        if rtype == SOA and name[len(name) - len(owner) :] == owner:
            record = records[0]
            if record.end - record.start < 22:
                raise ValueError("a SOA record too short")
            (minimum,) = struct.unpack_from("!I", packet.octets, record.end - 4)
            return min(record.ttl, int(minimum))
    return 0
