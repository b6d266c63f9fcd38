"""Forward-confirmed reverse DNS: does a name of the client lead back to the client?

In: the client's address, a resolver. Out: `IprevResult`.
Standard: RFC 8601 §3 (the method), §2.7.3 (the results). Not here: what follows from it (`inspector.rules`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from gatepost.msgauth.reverse import reverse_name
from gatepost.ports import Answer, DnsStatus, Question, Resolver

MAX_NAMES = 10  # RFC 8601 §3 asks for a limit; RFC 7208 §4.6.4 uses the same number
DEADLINE = 10.0  # seconds for the parallel address look-ups


class IprevResultWord(enum.StrEnum):
    """The results of RFC 8601 §2.7.3, and none for a client whose address is unknown."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"  # there are names, but none of them leads back
    TEMPERROR = "temperror"
    PERMERROR = "permerror"  # no reverse name is published


@dataclass(frozen=True, slots=True, kw_only=True)
class IprevResult:
    """`name` is the first confirmed name, empty when there is none; `names` are all that reverse DNS gave and that
    were tried."""

    result: IprevResultWord
    ip: str = ""
    name: str = ""
    names: tuple[str, ...] = ()
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "result": self.result.value,
            "ip": self.ip,
            "name": self.name,
            "names": list(self.names),
            "reason": self.reason,
        }


async def check_iprev(ip: str, resolver: Resolver) -> IprevResult:
    """Looks for a name of `ip` (text) whose addresses hold `ip`. Never raises."""
    try:
        client = ip_address(ip)
    except ValueError:
        return IprevResult(result=IprevResultWord.NONE, ip=ip[:64], reason="the client's address is not known")
    if isinstance(client, IPv6Address) and client.ipv4_mapped:
        client = client.ipv4_mapped
    answer = await resolver.lookup(reverse_name(client), "PTR")
    if answer.status is DnsStatus.TEMPFAIL:
        reason = f"reverse DNS does not answer: {answer.reason or 'no answer'}"
        return IprevResult(result=IprevResultWord.TEMPERROR, ip=ip, reason=reason)
    names = tuple(dict.fromkeys(answer.names))[:MAX_NAMES]
    if not names:
        return IprevResult(result=IprevResultWord.PERMERROR, ip=ip, reason="the address has no name in reverse DNS")
    return await _confirm(client, ip, names, resolver)


async def _confirm(
    client: IPv4Address | IPv6Address, ip: str, names: tuple[str, ...], resolver: Resolver
) -> IprevResult:
    rtype = "A" if client.version == 4 else "AAAA"
    if len(names) == 1:
        answers: tuple[Answer, ...] = (await resolver.lookup(names[0], rtype),)
    else:
        answers = await resolver.lookup_all([Question(name, rtype) for name in names], DEADLINE)
    wanted = str(client)
    for name, answer in zip(names, answers, strict=True):
        if wanted in answer.names:
            return IprevResult(result=IprevResultWord.PASS, ip=ip, name=name, names=names)
    if any(answer.status is DnsStatus.TEMPFAIL for answer in answers):
        reason = f"DNS does not answer for {names[0]}" if len(names) == 1 else "DNS does not answer for all names"
        return IprevResult(result=IprevResultWord.TEMPERROR, ip=ip, names=names, reason=reason)
    reason = f"{names[0]} does not lead back to {wanted}"
    return IprevResult(result=IprevResultWord.FAIL, ip=ip, names=names, reason=reason)
