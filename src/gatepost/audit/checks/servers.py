"""Mail exchangers: are there any, do they exist, does one stand in for another?

In: `Facts.zone`, `Facts.hosts`. Standard: RFC 5321 §5.1, RFC 7505, RFC 2181 §10.3. Not here: what their ports say
(`services`), their reverse names (`reverse`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts, Host
from gatepost.finding import Severity
from gatepost.ports import DnsStatus

MANY = 10  # mail exchangers from which on a sender may give up before it has tried them all


@check(
    code="domain.missing",
    area=Area.SERVERS,
    severity=Severity.DANGER,
    summary="{domain} does not exist in DNS",
    why="Nobody can write to a name that does not exist, and mail from it is refused nearly everywhere.",
    remedy="Check the spelling. If the domain is yours, renew its registration and check its name servers.",
    reference="RFC 5321 §5.1",
    cost=100.0,
)
def missing(facts: Facts) -> Seen | None:
    zone = facts.zone
    if zone is None or zone.exists:
        return None
    return Seen(evidence={"domain": facts.domain, "reason": zone.mx.reason})


@check(
    code="domain.unanswered",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="DNS does not answer for {names}: {reason}",
    why="What DNS does not answer, senders cannot know either: mail waits, and sender checks are put off.",
    remedy="Ask each name server of the zone for these records by hand (dig @SERVER NAME TYPE) and mend the one that "
    "stays silent or fails; also look whether its DNSSEC signatures have expired.",
    reference="RFC 2308 §7",
)
def unanswered(facts: Facts) -> Seen | None:
    if facts.zone is None:
        return None
    failed = [one for one in facts.zone.answers if one.status is DnsStatus.TEMPFAIL]
    failed += [
        answer for host in facts.hosts or () for answer in (host.a, host.aaaa) if answer.status is DnsStatus.TEMPFAIL
    ]
    if not failed:
        return None
    names = [f"{one.question.name} {one.question.rtype}" for one in failed]
    return Seen(evidence={"names": names[:10], "reason": failed[0].reason})


@check(
    code="mx.none",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="{domain} names no mail exchanger",
    why="Without MX, mail goes to the web server's address if there is one, and is lost or refused there; a domain "
    "that "
    "takes no mail at all should say so, or its name is easier to forge.",
    remedy="Publish `{domain}. IN MX 10 YOUR-MAIL-SERVER.`; if the domain takes no mail, publish `{domain}. IN MX 0 .`",
    reference="RFC 5321 §5.1, RFC 7505",
)
def none(facts: Facts) -> Seen | None:
    zone = facts.zone
    if zone is None or zone.mx.status is not DnsStatus.NODATA:
        return None
    if not zone.addresses:
        return Seen(evidence={"domain": facts.domain, "addresses": []})
    return Seen(
        evidence={"domain": facts.domain, "addresses": list(zone.addresses)},
        summary="{domain} names no mail exchanger, so mail goes to its own address {addresses}",
    )


@check(
    code="mx.null",
    area=Area.SERVERS,
    severity=Severity.INFO,
    summary="{domain} says that it takes no mail (null MX)",
    why="A null MX spares senders waiting and makes the name useless to forge, when SPF and DMARC say the same.",
    remedy='Publish `{domain}. IN TXT "v=spf1 -all"` and `_dmarc.{domain}. IN TXT "v=DMARC1; p=reject"` as well.',
    reference="RFC 7505",
)
def null(facts: Facts) -> Seen | None:
    zone = facts.zone
    return Seen(evidence={"domain": facts.domain}) if zone is not None and zone.is_null_mx else None


@check(
    code="mx.null-and-others",
    area=Area.SERVERS,
    severity=Severity.DANGER,
    summary="{domain} has a null MX beside other mail exchangers",
    why="The null MX says that no mail is taken, the others that it is. Senders differ in whom they believe.",
    remedy="Remove `{domain}. IN MX 0 .`, or all the others.",
    reference="RFC 7505 §3",
)
def null_and_others(facts: Facts) -> Seen | None:
    zone = facts.zone
    names = [mx.exchange for mx in zone.mx.exchanges] if zone is not None and zone.mx.status is DnsStatus.OK else []
    return Seen(evidence={"domain": facts.domain, "exchangers": names}) if "." in names and len(names) > 1 else None


@check(
    code="mx.exchangers",
    area=Area.SERVERS,
    severity=Severity.PASS,
    summary="{count} mail exchangers: {exchangers}",
    why="Says which servers take the domain's mail, in the order in which senders try them.",
    reference="RFC 5321 §5.1",
)
def exchangers(facts: Facts) -> Seen | None:
    if not facts.hosts:
        return None
    shown = [f"{host.name} ({host.preference})" for host in facts.hosts]
    evidence = {"count": len(shown) + facts.left_out, "exchangers": shown}
    return Seen(evidence=evidence, summary="One mail exchanger: {exchangers}" if len(shown) == 1 else None)


@check(
    code="mx.many",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="{count} mail exchangers are more than senders try",
    why="Senders give up after some hosts; and an `mx` term in SPF with more than ten is an error.",
    remedy="Keep the best ten or fewer.",
    reference="RFC 5321 §5.1, RFC 7208 §4.6.4",
)
def many(facts: Facts) -> Seen | None:
    count = len(facts.hosts or ()) + facts.left_out
    return Seen(evidence={"count": count}) if count > MANY else None


@check(
    code="mx.no-address",
    area=Area.SERVERS,
    severity=Severity.DANGER,
    summary="The mail exchanger {host} has no address: {reason}",
    why="Every sender that picks this host fails first; when it is the only one, no mail arrives at all.",
    remedy="Publish an address, `{host}. IN A <address>`, or remove the MX record that names {host}.",
    reference="RFC 5321 §5.1",
)
def no_address(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        if host.addresses or DnsStatus.TEMPFAIL in (host.a.status, host.aaaa.status):
            continue
        yield Seen(evidence={"host": host.name, "reason": host.a.reason or "no record"})


@check(
    code="mx.is-address",
    area=Area.SERVERS,
    severity=Severity.DANGER,
    summary="An MX record names the address {host} instead of a name",
    why="MX records hold names. An address there is read as a name that does not exist: no mail arrives.",
    remedy="Give the server a name with an A record, and name that in MX.",
    reference="RFC 1035 §3.3.9",
)
def is_address(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        try:
            ip_address(host.name)
        except ValueError:
            continue
        yield Seen(evidence={"host": host.name})


@check(
    code="mx.cname",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="The mail exchanger {host} is an alias (CNAME) of {target}",
    why="An MX must name a host with addresses. Some senders do not follow the alias, and certificates, DANE and "
    "MTA-STS "
    "are then looked for under the wrong name.",
    remedy="Change the MX record to name {target} itself.",
    reference="RFC 2181 §10.3, RFC 5321 §5.1",
)
def cname(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        if host.cname is not None and host.cname.status is DnsStatus.OK and not host.implicit:
            yield Seen(evidence={"host": host.name, "target": str(host.cname.records[0])})


@check(
    code="mx.private-address",
    area=Area.SERVERS,
    severity=Severity.DANGER,
    summary="The mail exchanger {host} has the address {addresses}, which nobody outside can reach",
    why="Private and special addresses mean a different machine, or none, for every sender.",
    remedy="Publish the public address of {host}, and show the private one only in your own network's DNS.",
    reference="RFC 6890",
)
def private_address(facts: Facts) -> Iterator[Seen]:
    allowed = [ip_network(one, strict=False) for one in facts.settings.private]
    for host in facts.hosts or ():
        found = [
            text
            for text in host.addresses
            if not ip_address(text).is_global and not any(ip_address(text) in network for network in allowed)
        ]
        if found:
            yield Seen(evidence={"host": host.name, "addresses": found})


@check(
    code="mx.one-only",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="Only one server takes mail: {host} ({addresses})",
    why="While it is away, mail waits at its senders, some for hours only, and people are told that it is late.",
    remedy="Add a second mail exchanger that knows the same recipients and filters as strictly, in another network: "
    "`{domain}. IN MX 20 SECOND-SERVER.`",
    reference="RFC 5321 §5.1; practice 10",
)
def one_only(facts: Facts) -> Seen | None:
    hosts = [host for host in facts.hosts or () if host.addresses]
    addresses = {address for host in hosts for address in host.addresses}
    of_one_family = max(Counter(":" in address for address in addresses).values(), default=0)
    if not hosts or of_one_family > 1:
        return None
    return Seen(evidence={"host": hosts[0].name, "addresses": sorted(addresses), "domain": facts.domain})


@check(
    code="mx.one-network",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="All mail exchangers are in one network ({network})",
    why="One broken line or one failing router takes all of them away together.",
    remedy="Move one mail exchanger to another provider or site.",
    reference="RFC 2182 §3.1 (the same holds for mail); practice 10",
)
def one_network(facts: Facts) -> Seen | None:
    addresses = {address for host in facts.hosts or () for address in host.addresses}
    networks = {_network(address) for address in addresses}
    four = {one for one in networks if ":" not in one}
    if len([one for one in addresses if ":" not in one]) < 2 or len(four) > 1:
        return None
    return Seen(evidence={"network": next(iter(four)), "addresses": sorted(addresses)})


def _network(address: str) -> str:
    """The network that one router announces, as a rule."""
    return str(ip_network(f"{address}/{48 if ':' in address else 24}", strict=False))


@check(
    code="mx.same-address",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="{hosts} are the same machine: they share the address {address}",
    why="The second name gives no fail-over; senders only try the same machine twice.",
    remedy="Remove one of the MX records, or give it a server of its own.",
    reference="RFC 5321 §5.1; practice 10",
)
def same_address(facts: Facts) -> Iterator[Seen]:
    by_address: dict[str, list[str]] = {}
    for host in facts.hosts or ():
        for address in host.addresses:
            by_address.setdefault(address, []).append(host.name)
    for address, names in by_address.items():
        if len(names) > 1:
            yield Seen(evidence={"address": address, "hosts": names})


@check(
    code="mx.no-ipv6",
    area=Area.SERVERS,
    severity=Severity.INFO,
    summary="No mail exchanger has an IPv6 address",
    why="Nothing is lost today; senders with IPv6 only need a relay to reach you.",
    remedy="Add AAAA and reverse records for a server that filters IPv6 as well as IPv4.",
    reference="RFC 5321 §5.1",
)
def no_ipv6(facts: Facts) -> Seen | None:
    hosts: tuple[Host, ...] = facts.hosts or ()
    certain = all(host.aaaa.status is not DnsStatus.TEMPFAIL for host in hosts)
    return Seen() if hosts and certain and not any(host.aaaa.names for host in hosts) else None


CHECKS = (
    missing, unanswered, none, null, null_and_others, exchangers, many, no_address, is_address, cname, private_address,
    one_only, one_network, same_address, no_ipv6,
)  # fmt: skip
