"""Can the envelope sender's domain get mail at all? If not, no bounce and no answer will ever reach it.

In: the domain of MAIL FROM, a resolver. Out: `SenderDomain`, one word with a reason.
Standard: RFC 5321 §5.1 (MX, else the address itself), RFC 7505 §4.2 (null MX: "sends and receives no mail").
Not here: what follows from it (`inspector.rules`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gatepost.ports import DnsStatus, Question, Resolver

DEADLINE = 10.0  # seconds for both address questions together


class SenderDomainResult(enum.StrEnum):
    """What DNS says of a sender's domain."""

    NONE = "none"  # the null sender, or an address literal: nothing to ask
    EXISTS = "exists"
    NULL_MX = "null-mx"
    MISSING = "missing"  # neither MX nor address: mail can't be answered
    TEMPERROR = "temperror"


@dataclass(frozen=True, slots=True)
class SenderDomain:
    """`result` is the word, `reason` says why in plain words."""

    result: SenderDomainResult
    domain: str = ""
    reason: str = ""


async def check_sender_domain(domain: str, resolver: Resolver) -> SenderDomain:
    """Whether mail to `domain` (lower case; empty for the null sender) could be delivered."""
    if not domain or domain.startswith("["):
        return SenderDomain(SenderDomainResult.NONE, domain)
    answer = await resolver.lookup(domain, "MX")
    if answer.status is DnsStatus.OK:
        if [mx.exchange for mx in answer.exchanges] == ["."]:
            return SenderDomain(
                SenderDomainResult.NULL_MX, domain, "the domain says that it neither sends nor receives mail"
            )
        return SenderDomain(SenderDomainResult.EXISTS, domain)
    if answer.status is DnsStatus.TEMPFAIL:
        return SenderDomain(SenderDomainResult.TEMPERROR, domain, answer.reason)
    if answer.status is DnsStatus.NXDOMAIN:
        return SenderDomain(SenderDomainResult.MISSING, domain, "the domain does not exist in DNS")
    return await _by_address(domain, resolver)


async def _by_address(domain: str, resolver: Resolver) -> SenderDomain:
    """RFC 5321 §5.1: without MX, an address record makes the domain its own exchange."""
    answers = await resolver.lookup_all((Question(domain, "A"), Question(domain, "AAAA")), DEADLINE)
    if any(answer.status is DnsStatus.OK for answer in answers):
        return SenderDomain(SenderDomainResult.EXISTS, domain)
    unsure = next((answer for answer in answers if answer.status is DnsStatus.TEMPFAIL), None)
    if unsure is not None:
        return SenderDomain(SenderDomainResult.TEMPERROR, domain, unsure.reason)
    return SenderDomain(SenderDomainResult.MISSING, domain, "the domain has neither a mail exchanger nor an address")
