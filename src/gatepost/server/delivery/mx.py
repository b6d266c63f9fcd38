"""Which hosts take a domain's mail, in which order, and at which addresses.

In: a domain, a resolver, who we are ourselves, a source of chance. Out: `Exchangers`; or HopFailed (try later),
Undeliverable (there is nobody, and will be nobody).
Standard: RFC 5321 §5.1 (order, implicit MX, our own place in the list), RFC 7505 (null MX), RFC 3463 §3.2, §3.5.
An exchanger that is an alias (RFC 2181 §10.3 forbids it) is followed, as everybody does; one without an address is
passed over with the reason. Not here: connecting (`connect`), what TLS each host must have (`protection`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from gatepost.ports import Answer, DnsStatus, Mx, Question, Resolver
from gatepost.server.delivery.hop import HopFailed, Undeliverable
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.protection import MxHost

LOOKUP_SECONDS = 20.0
MAX_HOSTS = 10  # of a domain that are looked at; whoever names more has enough to be reached at
MAX_ADDRESSES = 6  # of a host that are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchangers:
    """`hosts` in the order in which they are tried, each with its `addresses`; `skipped` says why others are not."""

    hosts: tuple[MxHost, ...]
    addresses: Mapping[str, tuple[str, ...]]
    skipped: tuple[str, ...] = ()


async def find_exchangers(domain: str, resolver: Resolver, own: Own, rng: random.Random) -> Exchangers:
    """The hosts for `domain` (A-labels). Raises HopFailed, Undeliverable."""
    hosts = order_hosts(await _named_hosts(domain, resolver), rng)[:MAX_HOSTS]
    questions = [Question(host.name, rtype) for host in hosts for rtype in ("AAAA", "A")]
    answers = await resolver.lookup_all(questions, LOOKUP_SECONDS)
    pairs = dict(zip((host.name for host in hosts), zip(answers[::2], answers[1::2], strict=True), strict=True))
    return _choose(domain, hosts, pairs, own)


def order_hosts(hosts: Sequence[MxHost], rng: random.Random) -> list[MxHost]:
    """By preference, by chance among equals (RFC 5321 §5.1 spreads the load so); a name that is listed twice once."""
    best: dict[str, MxHost] = {}
    for host in hosts:
        if host.name not in best or host.preference < best[host.name].preference:
            best[host.name] = host
    mixed = list(best.values())
    rng.shuffle(mixed)
    return sorted(mixed, key=lambda host: host.preference)


def interleave(answers: Sequence[Answer]) -> tuple[str, ...]:
    """IPv6 and IPv4 in turn, so that where one of them leads nowhere the second try gets through."""
    families = [answer.names if answer.status is DnsStatus.OK else () for answer in answers]
    mixed = chain.from_iterable(zip_longest(*families))
    return tuple(address for address in mixed if address is not None)[:MAX_ADDRESSES]


async def _named_hosts(domain: str, resolver: Resolver) -> list[MxHost]:
    """What the MX records name; without any, the domain itself."""
    answer = await resolver.lookup(domain, "MX")
    if answer.status is DnsStatus.TEMPFAIL:
        raise HopFailed("4.4.3", f"DNS gives no answer about the mail exchangers of {domain}: {answer.reason}")
    if answer.status is DnsStatus.NXDOMAIN:
        raise Undeliverable("5.1.2", f"there is no domain {domain}")
    if answer.status is DnsStatus.NODATA:
        return [MxHost(domain, 0, answer.authentic)]  # RFC 5321 §5.1: the implicit MX
    return _hosts_of(domain, answer.exchanges, answer.authentic)


def _hosts_of(domain: str, exchanges: Sequence[Mx], authentic: bool) -> list[MxHost]:
    named = [mx for mx in exchanges if mx.exchange.rstrip(".")]
    if not named:
        # RFC 7505 §3, §4.3: the domain says that it takes no mail; the code is that of RFC 7505 §5.1
        raise Undeliverable("5.1.10", f"{domain} takes no mail (null MX)")
    return [MxHost(mx.exchange.rstrip(".").lower(), mx.preference, authentic) for mx in named]


@dataclass(slots=True)
class _Choice:
    """What is found out about the hosts, one after the other."""

    good: list[MxHost] = field(default_factory=list)
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    unsure: bool = False  # DNS did not answer for one of them
    own: MxHost | None = None


def _choose(domain: str, hosts: Sequence[MxHost], pairs: Mapping[str, tuple[Answer, Answer]], own: Own) -> Exchangers:
    choice = _Choice()
    for host in hosts:
        if choice.own is None or host.preference < choice.own.preference:
            _look_at(host, pairs[host.name], own, choice)
    if choice.own is not None:
        # RFC 5321 §5.1: those of our own preference and behind must not be used: mail would go in circles.
        choice.good = [host for host in choice.good if host.preference < choice.own.preference]
    if choice.good:
        return Exchangers(hosts=tuple(choice.good), addresses=choice.addresses, skipped=tuple(choice.skipped))
    raise _nobody(domain, hosts, choice)


def _look_at(host: MxHost, answers: tuple[Answer, Answer], own: Own, choice: _Choice) -> None:
    addresses = interleave(answers)
    if own.is_name(host.name) or any(map(own.is_address, addresses)):
        choice.own = host
        return
    allowed = tuple(address for address in addresses if not own.is_forbidden(address))
    if allowed:
        choice.good.append(host)
        choice.addresses[host.name] = allowed
    elif addresses:
        choice.skipped.append(f"{host.name} leads to {addresses[0]}, where no mail exchanger can be")
    elif any(answer.status is DnsStatus.TEMPFAIL for answer in answers):
        choice.unsure = True
        choice.skipped.append(f"DNS gives no address for {host.name}")
    else:
        choice.skipped.append(f"{host.name} has no address")


def _nobody(domain: str, hosts: Sequence[MxHost], choice: _Choice) -> HopFailed | Undeliverable:
    words = "; ".join(choice.skipped)
    if choice.unsure:
        return HopFailed("4.4.3", f"no mail exchanger of {domain} can be found now: {words}")
    if choice.own is not None:
        text = f"the mail exchanger of {domain} is this server ({choice.own.name}), which does not serve it"
        return Undeliverable("5.4.6", f"{text}; {words}" if words else text)
    if [host.name for host in hosts] == [domain]:
        return Undeliverable("5.1.2", f"{domain} has no mail exchanger: {words}")
    return Undeliverable("5.4.4", f"no mail exchanger of {domain} can be reached: {words}")
