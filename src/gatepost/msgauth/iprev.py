"""Forward-confirmed reverse DNS: does a name of the client lead back to the client?

In: the client's address, a resolver. Out: `IprevResult`.
Standard: RFC 8601 §3 (the method), §2.7.3 (the results). Not here: what follows from it (`inspector.rules`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

from gatepost.msgauth.reverse import reverse_name
from gatepost.ports import Answer, DnsStatus, Question, Resolver

MAX_NAMES = 10  # RFC 8601 §3 asks for a limit; RFC 7208 §4.6.4 uses the same number
DEADLINE = 10.0  # seconds for the parallel address look-ups
MAX_ADDRESS = 128  # characters of an address that are read; an IPv6 address with its zone has some 60


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
    client = _read_client(ip) if len(ip) < MAX_ADDRESS else None
    if client is None:
        return IprevResult(result=IprevResultWord.NONE, ip=ip[:64], reason="the client's address is not known")
    answer = await resolver.lookup(client.reverse_name, "PTR")
    if answer.status is DnsStatus.TEMPFAIL:
        reason = f"reverse DNS does not answer: {answer.reason or 'no answer'}"
        return IprevResult(result=IprevResultWord.TEMPERROR, ip=ip, reason=reason)
    names = tuple(dict.fromkeys(answer.names))[:MAX_NAMES]
    if not names:
        return IprevResult(result=IprevResultWord.PERMERROR, ip=ip, reason="the address has no name in reverse DNS")
    return await _confirm(client, ip, names, resolver)


class _Client(NamedTuple):
    """An address in canonical form, the name that is asked for it, and the type of the records that confirm it."""

    address: str
    reverse_name: str
    rtype: str


@lru_cache(maxsize=4096)
def _read_client(text: str) -> _Client | None:
    """What `text` says, an IPv4 address written as IPv6 taken for what it is; None for what is no address."""
    try:
        client = ip_address(text)
    except ValueError:
        return None
    if isinstance(client, IPv6Address) and client.ipv4_mapped:
        client = client.ipv4_mapped
    return _Client(str(client), reverse_name(client), "A" if client.version == 4 else "AAAA")


async def _confirm(client: _Client, ip: str, names: tuple[str, ...], resolver: Resolver) -> IprevResult:
    if len(names) == 1:
        answers: tuple[Answer, ...] = (await resolver.lookup(names[0], client.rtype),)
    else:
        answers = await resolver.lookup_all([Question(name, client.rtype) for name in names], DEADLINE)
    wanted = client.address
    for name, answer in zip(names, answers, strict=True):
        if wanted in answer.names:
            return IprevResult(result=IprevResultWord.PASS, ip=ip, name=name, names=names)
    if any(answer.status is DnsStatus.TEMPFAIL for answer in answers):
        reason = f"DNS does not answer for {names[0]}" if len(names) == 1 else "DNS does not answer for all names"
        return IprevResult(result=IprevResultWord.TEMPERROR, ip=ip, names=names, reason=reason)
    reason = f"{names[0]} does not lead back to {wanted}"
    return IprevResult(result=IprevResultWord.FAIL, ip=ip, names=names, reason=reason)
