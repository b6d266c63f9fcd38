"""The domain's own records, and its mail exchangers with their addresses and reverse names.

In: a domain, a resolver. Out: `ZoneFacts`, `Host`s.
Standard: RFC 5321 §5.1 (mail exchangers), RFC 7505 (null MX), RFC 8659 §3 (CAA is looked for upwards), RFC 8601 §3 and
RFC 7208 §5.5 (a reverse name counts when it leads back), RFC 7672 §2.2.3 (where TLSA records are).
Not here: what they should be (`checks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from gatepost.audit.facts import Host, Reverse, ZoneFacts
from gatepost.msgauth.reverse import reverse_name
from gatepost.ports import Answer, DnsStatus, Question, Resolver

MAX_HOSTS = 20  # mail exchangers that are looked at; large providers have seven
MAX_ADDRESSES = 16  # addresses of one
MAX_NAMES = 5  # reverse names of an address that are followed
_ALWAYS = ("SOA", "NS", "MX", "TXT", "DS")


async def gather_zone(domain: str, resolver: Resolver, wait: float, *, full: bool = True) -> ZoneFacts:
    """What stands at the domain itself. Unless `full`, CAA is not asked for, and addresses and DNSKEY only where what
    else there is makes them matter."""
    wanted = [*_ALWAYS, *(("A", "AAAA", "DNSKEY") if full else ())]
    found = dict(zip(wanted, await resolver.lookup_all([Question(domain, t) for t in wanted], wait), strict=True))
    more = [] if full or found["MX"].status is not DnsStatus.NODATA else ["A", "AAAA"]  # RFC 5321 §5.1
    more += [] if full or found["DS"].status is not DnsStatus.OK else ["DNSKEY"]
    if more:
        answers = await resolver.lookup_all([Question(domain, t) for t in more], wait)
        found |= dict(zip(more, answers, strict=True))
    caa, caa_at = await _caa(domain, resolver, wait) if full else (None, domain)
    return ZoneFacts(
        soa=found["SOA"],
        ns=found["NS"],
        mx=found["MX"],
        txt=found["TXT"],
        ds=found["DS"],
        a=found.get("A"),
        aaaa=found.get("AAAA"),
        dnskey=found.get("DNSKEY"),
        caa=caa,
        caa_at=caa_at,
    )


async def _caa(domain: str, resolver: Resolver, wait: float) -> tuple[Answer, str]:
    """RFC 8659 §3: the records of the name, else those of the nearest name above it that has any."""
    (caa,) = await resolver.lookup_all([Question(domain, "CAA")], wait)
    caa_at = domain
    above = domain.partition(".")[2]
    while caa.status in (DnsStatus.NODATA, DnsStatus.NXDOMAIN) and above.count("."):
        caa_at = above
        (caa,) = await resolver.lookup_all([Question(above, "CAA")], wait)
        above = above.partition(".")[2]
    return caa, caa_at


async def gather_hosts(
    domain: str, zone: ZoneFacts, resolver: Resolver, wait: float, *, full: bool = True
) -> tuple[tuple[Host, ...], int]:
    """The mail exchangers by preference, each once, and how many more there are. Only where `full` are aliases, TLSA
    records and reverse names asked for."""
    if zone.mx.status is DnsStatus.OK:
        ordered = sorted(zone.mx.exchanges, key=lambda mx: (mx.preference, mx.exchange))
        named = list(dict.fromkeys((mx.exchange, mx.preference) for mx in ordered if mx.exchange != "."))
    elif zone.mx.status is DnsStatus.NODATA and zone.addresses:  # RFC 5321 §5.1: the implicit MX
        named = [(domain, 0)]
    else:
        return (), 0
    kept = named[:MAX_HOSTS]
    types = ("A", "AAAA", "CNAME", "TLSA") if full else ("A", "AAAA")
    questions = [Question(f"_25._tcp.{name}" if t == "TLSA" else name, t) for name, _ in kept for t in types]
    answers = await resolver.lookup_all(questions, wait)
    implicit = zone.mx.status is DnsStatus.NODATA
    hosts = []
    for at, (name, preference) in enumerate(kept):
        a, aaaa, *more = answers[len(types) * at : len(types) * (at + 1)]
        cname, tlsa = more or (None, None)
        hosts.append(Host(name=name, preference=preference, cname=cname, a=a, aaaa=aaaa, tlsa=tlsa, implicit=implicit))
    left_out = len(named) - len(kept)
    return (await _with_reverse(hosts, resolver, wait) if full else tuple(hosts)), left_out


async def _with_reverse(hosts: Sequence[Host], resolver: Resolver, wait: float) -> tuple[Host, ...]:
    """The hosts, each with the reverse names of its addresses."""
    addresses = list(dict.fromkeys(one for host in hosts for one in _usable(host)))
    answers = await resolver.lookup_all([Question(reverse_name(ip_address(one)), "PTR") for one in addresses], wait)
    forward = [
        Question(name, "AAAA" if ":" in address else "A")
        for address, answer in zip(addresses, answers, strict=True)
        for name in answer.names[:MAX_NAMES]
    ]
    back = dict(zip(forward, await resolver.lookup_all(forward, wait), strict=True)) if forward else {}
    found = {one: _reverse(one, answer, back) for one, answer in zip(addresses, answers, strict=True)}
    return tuple(_joined(host, [found[one] for one in _usable(host)]) for host in hosts)


def _usable(host: Host) -> tuple[str, ...]:
    return host.addresses[:MAX_ADDRESSES]


def _reverse(address: str, ptr: Answer, back: dict[Question, Answer]) -> Reverse:
    answers = {name: back[Question(name, "AAAA" if ":" in address else "A")] for name in ptr.names[:MAX_NAMES]}
    certain = all(one.status is not DnsStatus.TEMPFAIL for one in (ptr, *answers.values()))
    confirmed = tuple(name for name, one in answers.items() if address in one.names)
    return Reverse(address=address, ptr=ptr, confirmed=confirmed, is_certain=certain)


def _joined(host: Host, reverse: Sequence[Reverse]) -> Host:
    return Host(
        name=host.name,
        preference=host.preference,
        cname=host.cname,
        a=host.a,
        aaaa=host.aaaa,
        tlsa=host.tlsa,
        reverse=tuple(reverse),
        implicit=host.implicit,
    )
