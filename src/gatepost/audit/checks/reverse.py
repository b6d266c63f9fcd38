"""Reverse names: does every mail server's address have a name that leads back to it?

In: `Facts.hosts`. Standard: RFC 1912 §2.1, RFC 8601 §3 (iprev). Not here: the gate's own door (`server.door`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts, Host, Reverse
from gatepost.finding import Severity
from gatepost.ports import DnsStatus


def _all(facts: Facts) -> Iterator[tuple[Host, Reverse]]:
    for host in facts.hosts or ():
        for one in host.reverse:
            yield host, one


@check(
    code="reverse.missing",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="The address {address} of {host} has no reverse name",
    why="Large receivers refuse mail from addresses without one; mail servers usually send as well as receive.",
    remedy="Ask who gave you the address (the hosting or network provider) to publish `{ptr} IN PTR {host}.`",
    reference="RFC 1912 §2.1; practice 10",
)
def missing(facts: Facts) -> Iterator[Seen]:
    for host, one in _all(facts):
        if one.ptr.status in (DnsStatus.NXDOMAIN, DnsStatus.NODATA):
            ptr = one.ptr.question.name + "."
            yield Seen(evidence={"address": one.address, "host": host.name, "ptr": ptr})


@check(
    code="reverse.not-confirmed",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="The reverse name {names} of {address} does not lead back to it",
    why="Anybody can write any reverse name; only one that leads back counts. Without it mail is refused or "
    "distrusted.",
    remedy="Publish the address at {names}, or have the reverse record name {host}.",
    reference="RFC 8601 §3; practice 10",
)
def not_confirmed(facts: Facts) -> Iterator[Seen]:
    for host, one in _all(facts):
        if one.ptr.status is DnsStatus.OK and not one.confirmed and one.is_certain:
            yield Seen(evidence={"address": one.address, "host": host.name, "names": list(one.ptr.names[:5])})


@check(
    code="reverse.unanswered",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="Nobody answers for the reverse name of {address} ({host}): {reason}",
    why="Receivers put off mail whose reverse name they cannot look up.",
    remedy="Ask who gave you the address to mend the name servers of its reverse zone.",
    reference="RFC 1912 §2.1",
)
def unanswered(facts: Facts) -> Iterator[Seen]:
    for host, one in _all(facts):
        if not one.confirmed and not one.is_certain:
            evidence = {
                "address": one.address,
                "host": host.name,
                "reason": one.ptr.reason or "its names do not resolve",
            }
            yield Seen(evidence=evidence)


@check(
    code="reverse.confirmed",
    area=Area.SERVERS,
    severity=Severity.PASS,
    summary="Every address has a reverse name that leads back: {names}",
    why="Shows that who runs the addresses and who runs the names are the same.",
    reference="RFC 8601 §3",
)
def confirmed(facts: Facts) -> Seen | None:
    pairs = list(_all(facts))
    if not pairs or not all(one.confirmed for _, one in pairs):
        return None
    names = list(dict.fromkeys(f"{one.address} {one.confirmed[0]}" for _, one in pairs))
    return Seen(evidence={"count": len(names), "names": names[:10]})


CHECKS = (missing, not_confirmed, unanswered, confirmed)
