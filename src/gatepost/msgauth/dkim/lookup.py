"""Looks up the keys of a message's signatures, each name once.

In: names ("selector._domainkey.domain") and a resolver. Out: for each name a `KeyRecord` or a `NoKey`.
Standard: RFC 6376 §6.1.2 and §3.6.2.2. Not here: reading the record (`record`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.msgauth.dkim.record import KeyRecord, parse_key_record
from gatepost.ports import Answer, DnsStatus, Question, Resolver

MAX_RECORDS = 4  # RFC 6376 §3.6.2.2 allows one; what a verifier does with more is its own choice


@dataclass(frozen=True, slots=True, kw_only=True)
class NoKey:
    """There is no usable key; `temporary` when another try may find one."""

    reason: str
    temporary: bool = False


async def lookup_keys(names: Iterable[str], resolver: Resolver, timeout: float) -> dict[str, KeyRecord | NoKey]:
    """All keys at once; the answer holds every name."""
    wanted = list(dict.fromkeys(names))
    if len(wanted) == 1:  # nearly every message
        return {wanted[0]: read_answer(await resolver.lookup(wanted[0], "TXT"))}
    answers = await resolver.lookup_all([Question(name, "TXT") for name in wanted], timeout) if wanted else ()
    return {name: read_answer(answer) for name, answer in zip(wanted, answers, strict=True)}


def read_answer(answer: Answer) -> KeyRecord | NoKey:
    """The first record that gives a key (RFC 6376 §6.1.2 leaves the choice to us), else why the first gives none."""
    if answer.status is DnsStatus.TEMPFAIL:
        return NoKey(reason=f"the key could not be looked up: {answer.reason or 'no answer'}", temporary=True)
    if not answer.records:
        return NoKey(reason="there is no key at the selector")
    reason = ""
    for text in answer.texts[:MAX_RECORDS]:
        record = parse_key_record(text)
        if isinstance(record, KeyRecord):
            return record
        reason = reason or record
    return NoKey(reason=reason)
