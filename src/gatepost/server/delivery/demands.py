"""What TLS a destination demands: configuration, DANE and MTA-STS brought together; the strictest wins.

In: a domain with its mail exchangers. Out: a `Demand` for each. It is the `Protection` of `protection.py`.
Standard: RFC 7672 §2.2 (DANE), RFC 8461 §2 (MTA-STS never overrides a failed DANE), §5 (modes), RFC 8460 §4.2 (what was
in force, for reports). A host that DANE covers is judged by DANE alone.
Not here: asking (`dane`, `sts`), the handshake (`secure`), counting (`server.tlsrpt`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Protocol

from gatepost.msgauth.sts import StsMode, StsPolicy
from gatepost.names import Tls
from gatepost.server.delivery.dane import Dane
from gatepost.server.delivery.protection import Demand, Level, MxHost
from gatepost.server.delivery.settings import DeliverySettings, DestinationSettings
from gatepost.server.delivery.sts import Sts

MAX_POLICIES = 10_000  # hosts whose policy is remembered until a session to them has ended
_ORDER = list(Level)
_NO_ANSWER = "4.4.3"  # RFC 3463 §3.5: a directory server (here DNS) failed
_NOT_SECURE = "4.7.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySeen:
    """The policy that a session was under, as RFC 8460 §4.4 tells it: `kind` is "tlsa", "sts" or "no-policy-found";
    `text` its records or lines; `mx` the patterns of an MTA-STS policy."""

    kind: str = "no-policy-found"
    text: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSeen:
    """How a session went: `failure` is empty, or a result type of RFC 8460 §4.3 with words behind a colon."""

    domain: str
    host: str
    address: str
    policy: PolicySeen
    failure: str


class FindSts(Protocol):
    """The policy of a domain (`sts.StsPolicies.find`)."""

    async def __call__(self, domain: str) -> Sts: ...


FindDane = Callable[[MxHost], Coroutine[Any, Any, Dane]]


class Demands:
    """One for the delivery process. `find_dane` and `find_sts` are None where the configuration wants none of it;
    `count` takes sessions for TLS reports."""

    def __init__(
        self,
        settings: DeliverySettings,
        *,
        find_dane: FindDane | None,
        find_sts: FindSts | None,
        count: Callable[[SessionSeen], None] = lambda seen: None,
    ) -> None:
        self._default = Level(settings.tls)
        self._destinations = {name.lower().rstrip("."): one for name, one in settings.destinations.items()}
        self._find_dane = find_dane
        self._find_sts = find_sts
        self._count = count
        self._policies: OrderedDict[tuple[str, str], tuple[PolicySeen, str]] = OrderedDict()

    async def demands(self, domain: str, hosts: Sequence[MxHost]) -> Sequence[Demand]:
        """One for each of `hosts`, in order. Never raises."""
        destination = destination_of(domain, self._destinations)
        floor = Level(destination.tls) if destination.tls else self._default
        if floor is Level.NONE:
            return [Demand(level=floor, floor=floor) for _ in hosts]
        find_dane = self._find_dane if destination.dane else None
        found: Sequence[Dane] = [Dane() for _ in hosts]
        if find_dane:
            found = await asyncio.gather(*map(find_dane, hosts))
        sts, judged = Sts(), all((dane.published and dane.records) or dane.error for dane in found)
        if self._find_sts and destination.mta_sts and not judged and not is_address(domain):
            sts = await self._find_sts(domain)
        demands = []
        for host, dane in zip(hosts, found, strict=True):
            demands.append(demand_of(domain, host, dane, sts, floor))
            self._remember((domain, host.name), _policy(dane, sts), "" if dane.published else sts.failure)
        return demands

    def took(self, domain: str, host: MxHost, address: str, demand: Demand, tls: Tls | None, failure: str) -> None:
        """Hands the session to who counts."""
        if demand.level is Level.NONE:
            return
        if not failure and tls is None:
            failure = "starttls-not-supported: it offers no STARTTLS"
        policy, trouble = self._policies.get((domain, host.name), (PolicySeen(), ""))
        if trouble and not failure:  # RFC 8460 §4.3.2.2: what keeps a policy from holding counts as a failure too
            failure, policy = trouble, replace(policy, kind="sts")
        self._count(SessionSeen(domain=domain, host=host.name, address=address, policy=policy, failure=failure))

    def _remember(self, key: tuple[str, str], policy: PolicySeen, trouble: str) -> None:
        self._policies[key] = (policy, trouble)
        self._policies.move_to_end(key)
        while len(self._policies) > MAX_POLICIES:
            self._policies.popitem(last=False)


def is_address(domain: str) -> bool:
    """Whether mail goes to an address literal, about which nobody can say anything."""
    try:
        ip_address(domain.strip("[]").lower().removeprefix("ipv6:"))
    except ValueError:
        return False
    return True


def destination_of(domain: str, destinations: Mapping[str, DestinationSettings]) -> DestinationSettings:
    """The table of `[delivery.destinations]` for `domain`, or for the closest name above it that stands there with a
    dot in front; else one that changes nothing."""
    name = domain.lower().rstrip(".")
    if name in destinations:
        return destinations[name]
    while "." in name:
        name = name.partition(".")[2]
        if f".{name}" in destinations:
            return destinations[f".{name}"]
    return DestinationSettings()


def demand_of(domain: str, host: MxHost, dane: Dane, sts: Sts, floor: Level) -> Demand:
    """The strictest of what is known of `host`."""
    if dane.error:
        return _unusable(Level.DANE, "dane", dane.error, _NO_ANSWER, floor)
    if dane.published and dane.records:
        names = tuple(dict.fromkeys((dane.base, host.name, domain)))  # RFC 7672 §3.2.2
        return Demand(level=Level.DANE, names=names, tlsa=dane.records, source="dane", floor=floor)
    demand = _without_dane(domain, host, sts, floor)
    if dane.published and _ORDER.index(demand.level) < _ORDER.index(Level.ENFORCED):
        return Demand(level=Level.ENFORCED, names=(host.name,), source="dane", floor=floor)
    if dane.published and demand.testing:
        # Records of no use still forbid plaintext; a test of a policy must not be what is left of that.
        return Demand(level=Level.ENFORCED, names=(host.name,), source="dane", floor=floor)
    return demand


def _without_dane(domain: str, host: MxHost, sts: Sts, floor: Level) -> Demand:
    policy, names = sts.policy, (host.name,)
    configured = Demand(level=floor, names=names, floor=floor)
    if policy is None or policy.mode is StsMode.NONE:
        return configured
    if not policy.names(host.name):
        if policy.mode is StsMode.ENFORCE:
            words = f"{host.name} is not in the MTA-STS policy of {domain} ({', '.join(policy.mx)[:200]})"
            return _unusable(Level.VERIFIED, "mta-sts", words, _NOT_SECURE, floor)
        return configured
    if floor is Level.VERIFIED:
        return configured
    testing = policy.mode is StsMode.TESTING
    return Demand(level=Level.VERIFIED, names=names, source="mta-sts", testing=testing, floor=floor)


def _unusable(level: Level, source: str, words: str, code: str, floor: Level) -> Demand:
    return Demand(level=level, source=source, unusable=words, code=code, floor=floor)


def _policy(dane: Dane, sts: Sts) -> PolicySeen:
    if dane.published or dane.error:
        return PolicySeen(kind="tlsa", text=tuple(str(record) for record in dane.records))
    if sts.policy is not None:
        return PolicySeen(kind="sts", text=policy_lines(sts.policy), mx=sts.policy.mx)
    return PolicySeen()


def policy_lines(policy: StsPolicy) -> tuple[str, ...]:
    """A policy as reports quote it (RFC 8460 §4.4)."""
    hosts = tuple(f"mx: {pattern}" for pattern in policy.mx)
    return ("version: STSv1", f"mode: {policy.mode.value}", *hosts, f"max_age: {policy.max_age}")
