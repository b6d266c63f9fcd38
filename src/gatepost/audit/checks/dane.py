"""DANE: do the TLSA records name the certificates that are served, today and after the next change?

In: `Facts.hosts`, `Facts.services`. Standard: RFC 7672 §2.2, RFC 7671 §8 (roll-over), RFC 6698 §2.1.
Not here: matching one record (`msgauth.tlsa`), delivery by DANE (`server.delivery`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatepost.audit.certificate import read_certificate
from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts, Host
from gatepost.finding import Severity
from gatepost.msgauth.tlsa import Tlsa, matches_certificate, parse_tlsa, tlsa_data
from gatepost.ports import DnsStatus, Service

_NOTHING = (DnsStatus.NXDOMAIN, DnsStatus.NODATA)


def _records(host: Host) -> list[tuple[str, Tlsa | None]]:
    answer = host.tlsa
    texts = [str(one) for one in answer.records] if answer is not None and answer.status is DnsStatus.OK else []
    return [(text, parse_tlsa(text)) for text in texts]


def _is_signed(host: Host) -> bool:
    """Whether a resolver that is believed has checked the records."""
    return host.tlsa is not None and host.tlsa.authentic


def _usable(host: Host) -> list[Tlsa]:
    return [one for _, one in _records(host) if one is not None and one.is_usable]


def _chains(facts: Facts, host: Host) -> list[Service]:
    """What is served at port 25 of the host's addresses, where a handshake succeeded."""
    return [
        one
        for one in facts.services or ()
        if one.target.host == host.name and one.target.port == 25 and one.tls is not None and one.tls.chain
    ]


def _matching(records: Sequence[Tlsa], chain: Sequence[bytes]) -> list[Tlsa]:
    """RFC 7671 §5: DANE-EE (3) names the server's own certificate, DANE-TA (2) one that is above it in the chain."""
    return [
        one
        for one in records
        if any(matches_certificate(one, each) for each in (chain[:1] if one.usage == 3 else chain))
    ]


@check(
    code="dane.mismatch",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="No TLSA record of {host} names the certificate that {address} shows",
    why="Senders that check DANE refuse to deliver: as a rule the certificate was renewed and the record was not.",
    remedy="Publish `{name}. IN TLSA {record}` beside the old ones; publish the next key's record before you change "
    "keys.",
    reference="RFC 7672 §2.2, RFC 7671 §8.1",
)
def mismatch(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        usable = _usable(host)
        for service in _chains(facts, host) if usable else ():
            tls = service.tls
            if tls is None or _matching(usable, tls.chain):
                continue
            data = tlsa_data(tls.chain[0], 1, 1)
            evidence = {
                "host": host.name,
                "address": service.target.address,
                "name": f"_25._tcp.{host.name}",
                "published": [str(one) for one in usable],
                "record": f"3 1 1 {data.hex() if data else '<sha256 of the public key>'}",
            }
            grave = Severity.DANGER if _is_signed(host) else Severity.WARNING
            yield Seen(evidence=evidence, severity=grave)


@check(
    code="dane.unusable",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="A TLSA record of {host} cannot be used for mail: {record}",
    why="Mail servers obey only usages 2 and 3 with known selectors and digests. If all are unusable, senders use TLS "
    "without checking.",
    remedy="Replace it by `{name}. IN TLSA 3 1 1 <sha256 of the public key>`.",
    reference="RFC 7672 §3.1.3",
)
def unusable(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        for text, one in _records(host):
            if one is None or not one.is_usable:
                yield Seen(evidence={"host": host.name, "record": text[:200], "name": f"_25._tcp.{host.name}"})


@check(
    code="dane.not-signed",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="{host} has TLSA records, but they are not signed: {reason}",
    why="Records that DNSSEC does not vouch for are ignored: they protect nobody.",
    remedy="Sign the zone of {host} with DNSSEC and give its DS record to the registrar.",
    reference="RFC 7672 §2.2.1",
)
def not_signed(facts: Facts) -> Iterator[Seen]:
    zone = facts.zone
    if zone is None:
        return
    for host in facts.hosts or ():
        if not _records(host) or _is_signed(host):
            continue
        if _is_below(host.name, facts.domain) and zone.ds.status in (DnsStatus.NODATA, DnsStatus.NXDOMAIN):
            yield Seen(evidence={"host": host.name, "reason": f"{facts.domain} has no DS record"})


def _is_below(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)


@check(
    code="dane.one-key",
    area=Area.TRANSPORT,
    severity=Severity.INFO,
    summary="Every TLSA record of {host} names the present key; none the next one",
    why="When the key changes, senders refuse mail until the record has changed everywhere.",
    remedy="Make the next key now and publish its record as well: `{name}. IN TLSA 3 1 1 <sha256 of the next key>`.",
    reference="RFC 7671 §8.1",
)
def one_key(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        usable = _usable(host)
        chains = [service.tls.chain for service in _chains(facts, host) if service.tls is not None]
        if usable and chains and all(one in _matching(usable, chain) for chain in chains for one in usable):
            if any(one.usage == 2 for one in usable):
                continue  # the authority's next certificate will do
            yield Seen(evidence={"host": host.name, "name": f"_25._tcp.{host.name}"})


@check(
    code="dane.authority-name",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="DANE-TA records of {host} need a certificate with its name, and it has {names}",
    why="With usage 2 senders check the name; with another name they refuse to deliver.",
    remedy="Get a certificate for {host}, or publish a 3 1 1 record.",
    reference="RFC 7672 §3.2.3",
)
def authority_name(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        usable = _usable(host)
        for service in _chains(facts, host):
            chain = service.tls.chain if service.tls is not None else ()
            matching = _matching(usable, chain)
            leaf = read_certificate(chain[0]) if chain else None
            if leaf is None or not matching or any(one.usage == 3 for one in matching):
                continue
            if not leaf.names_host(host.name):
                yield Seen(evidence={"host": host.name, "names": list(leaf.names[:10])})


@check(
    code="dane.good",
    area=Area.TRANSPORT,
    severity=Severity.PASS,
    summary="The TLSA records of {host} name the certificate that is served ({count} of {all} records)",
    why="Senders that check DANE cannot be made to deliver elsewhere or in the clear.",
    reference="RFC 7672",
)
def good(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        usable = _usable(host)
        chains = [service.tls.chain for service in _chains(facts, host) if service.tls is not None]
        if usable and chains and all(_matching(usable, chain) for chain in chains):
            count = len({one for chain in chains for one in _matching(usable, chain)})
            yield Seen(evidence={"host": host.name, "count": count, "all": len(usable), "signed": _is_signed(host)})


@check(
    code="dane.missing",
    area=Area.TRANSPORT,
    severity=Severity.INFO,
    summary="{host} has no TLSA records, though its zone is signed",
    why="DANE is the surest way to make senders use TLS, and the zone already has what it needs.",
    remedy="Publish `{name}. IN TLSA 3 1 1 <sha256 of the public key>`; `gatepost records print` has it for our own "
    "server.",
    reference="RFC 7672",
)
def missing(facts: Facts) -> Iterator[Seen]:
    for host in facts.hosts or ():
        if host.tlsa is not None and host.tlsa.status in _NOTHING and host.tlsa.authentic:
            yield Seen(evidence={"host": host.name, "name": f"_25._tcp.{host.name}"})


CHECKS = (mismatch, unusable, not_signed, one_key, authority_name, good, missing)
