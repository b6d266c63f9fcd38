"""One question as octets, and whether a packet claims to be its reply.

In: labels and a type. Out: `Query`. Pure; random octets are an argument.
Standard: RFC 1035 §4.1, RFC 6891 §6.1.2 (OPT, 1232 octets), RFC 5452 §9.1 (what must match), RFC 6840 §5.7 (AD in a
query), draft-vixie-dnsext-dns0x20 (random case). Not here: the reply's content (`net.resolver.reply`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

UDP_SIZE = 1232  # the size that passes every path unfragmented (DNS flag day 2020); fragments can be forged
RANDOM_OCTETS = 34  # two for the id, 32 for the case of up to 253 letters

_RECURSION_DESIRED = 0x0100
_AUTHENTIC_DATA = 0x0020
_OPT = b"\x00\x00\x29" + UDP_SIZE.to_bytes(2, "big") + b"\x00\x00\x00\x00\x00\x00"
_ONE_QUESTION_ONE_ADDITIONAL = b"\x00\x01\x00\x00\x00\x00\x00\x01"
_CLASS_IN = b"\x00\x01"


class Match(enum.Enum):
    """What a packet is to a query."""

    REPLY = "reply"
    OTHER_CASE = "other case"  # all right but for the letters' case: a forgery, or a server that changes case
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Query:
    """`wire` is the whole packet, `question` its question section."""

    wire: bytes
    question: bytes

    def match(self, packet: bytes) -> Match:
        """Id, direction, opcode and question must be those that were sent (RFC 5452 §9.1)."""
        if packet[:2] != self.wire[:2] or len(packet) < 12 or packet[2] & 0xF8 != 0x80 or packet[4:6] != b"\x00\x01":
            return Match.FOREIGN
        section = packet[12 : 12 + len(self.question)]
        if section == self.question:
            return Match.REPLY
        return Match.OTHER_CASE if section.lower() == self.question.lower() else Match.FOREIGN


def write_query(
    labels: tuple[bytes, ...], rtype: int, *, randomness: bytes, ask_authentic: bool, mixed_case: bool
) -> Query:
    """The packet that asks for `labels` (leftmost first, checked before) and `rtype`, class IN."""
    name = b"".join(len(label).to_bytes(1, "big") + label for label in labels) + b"\x00"
    if mixed_case:
        name = _mix(name, int.from_bytes(randomness[2:], "big"))
    question = name + rtype.to_bytes(2, "big") + _CLASS_IN
    flags = _RECURSION_DESIRED | (_AUTHENTIC_DATA if ask_authentic else 0)
    wire = randomness[:2] + flags.to_bytes(2, "big") + _ONE_QUESTION_ONE_ADDITIONAL + question + _OPT
    return Query(wire, question)


def _mix(name: bytes, bits: int) -> bytes:
    """Letters in the case that `bits` says; length octets are below 64, so they are never letters."""
    mixed = bytearray(name)
    for index, octet in enumerate(name):
        if 97 <= octet <= 122 and bits >> index & 1:
            mixed[index] = octet - 32
    return bytes(mixed)
