"""What a list's answer means: listed, not listed, nobody knows, or "you may not ask".

In: an `Answer` and the list it came from. Out: `Reading`.
Standard: RFC 5782 §2.3 (answers are in 127.0.0.0/8); operators agree on 127.255.255.0/24 for errors of use.
TRAPS, "Block list through a public resolver": an answer is no listing until it was read.
Not here: what follows for the list (`health`) and for the message (`check`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from gatepost.ports import Answer, DnsStatus
from gatepost.reputation.dnslist import CodePattern, DnsList, Meaning

# Where `codes` says nothing: 127.0.0.1 is what several lists answer to those they have shut out.
_NEVER_A_LISTING = CodePattern(((127, 127), (0, 0), (0, 0), (1, 1)))
MAX_RECORDS = 32  # of one answer that are read; Spamhaus ZEN has five


class Outcome(enum.StrEnum):
    """What an answer is."""

    LISTED = "listed"
    CLEAR = "clear"  # not listed, or listed for what is not described here
    UNKNOWN = "unknown"  # no answer: nobody knows
    MISUSED = "misused"  # the list refuses us, or the answer is no list's: it means nothing, and the list is sick


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`codes` are the answers as text and `meanings` what they say, where `outcome` is LISTED; `reason` says why there
    is no answer that counts."""

    outcome: Outcome
    codes: tuple[str, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    reason: str = ""


def read_answer(one: DnsList, answer: Answer) -> Reading:
    """The reading of `answer`, which `one` gave to a question for an A record."""
    if answer.status is DnsStatus.TEMPFAIL:
        return Reading(outcome=Outcome.UNKNOWN, reason=answer.reason or "no answer")
    if answer.status is not DnsStatus.OK:
        return Reading(outcome=Outcome.CLEAR)
    codes: list[str] = []
    meanings: list[Meaning] = []
    for record in answer.names[:MAX_RECORDS]:
        octets = _octets(record)
        trouble = _misuse(one, octets, record)
        if trouble:
            return Reading(outcome=Outcome.MISUSED, codes=(str(record)[:40],), reason=trouble)
        found = _meanings(one, octets)
        if found:
            codes.append(record)
            meanings.extend(found)
    if not meanings:
        return Reading(outcome=Outcome.CLEAR, reason="listed for what is not described here")
    return Reading(outcome=Outcome.LISTED, codes=tuple(codes), meanings=tuple(dict.fromkeys(meanings)))


def _octets(record: object) -> bytes:
    try:
        return IPv4Address(record if isinstance(record, str) else "").packed
    except AddressValueError:
        return b""


def _misuse(one: DnsList, octets: bytes, record: object) -> str:
    """Why this record is no answer of a list; empty when it is one."""
    if not octets or octets[0] != 127:
        return f"answers {str(record)[:40]}, which no list does: its domain was sold, or the resolver makes names up"
    if octets[:3] == b"\x7f\xff\xff":
        return _REFUSALS.get(octets[3], f"refuses us (127.255.255.{octets[3]})")
    if any(pattern.holds(octets) for pattern in one.refused):
        return f"refuses us ({'.'.join(map(str, octets))})"
    if not one.codes and not one.bits and _NEVER_A_LISTING.holds(octets):
        return "refuses us (127.0.0.1)"
    return ""


_REFUSALS = {
    252: "does not know its own zone's name as it is written here (127.255.255.252)",
    254: "refuses those who ask through a public resolver (127.255.255.254); ask through one of your own",
    255: "refuses us: too many questions (127.255.255.255); it wants to be paid, or asked with a key",
}


def _meanings(one: DnsList, octets: bytes) -> list[Meaning]:
    if one.bits:
        return [meaning for bit, meaning in one.bits.items() if octets[3] & bit]
    if one.codes:
        return [meaning for pattern, meaning in one.codes if pattern.holds(octets)][:1]
    return [one.otherwise]
