"""Rules on the client that handed the message in: its reverse name and what it called itself in EHLO.

In: `Facts`. Out: `Seen`. Standard: RFC 8601 §2.7.3 (iprev), RFC 5321 §4.1.1.1 and §4.1.4 (EHLO).
Reverse-DNS findings are soft: large senders fail them too (TRAPS). Not here: whose hop is judged (`trace`), the hops
before it (`path`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.msgauth.iprev import IprevResultWord
from gatepost.wire.smtp.hello import is_host_name, literal_address


def _unconfirmed(facts: Facts) -> bool:
    return facts.auth.iprev.result is not IprevResultWord.PASS


@rule(
    code="path.reverse-confirmed",
    severity=Severity.PASS,
    group="path",
    summary="The sending address {ip} has the name {name}, and that name leads back to it.",
    why="Whoever runs a mail server properly gives it a name in both directions.",
    reference="RFC 8601 §2.7.3",
)
def reverse_confirmed(facts: Facts) -> Seen | None:
    iprev = facts.auth.iprev
    if iprev.result is not IprevResultWord.PASS:
        return None
    return Seen(evidence={"ip": facts.session.client_ip, "name": iprev.name})


@rule(
    code="path.no-reverse-dns",
    severity=Severity.NOTICE,
    weight=1.5,
    group="path",
    summary="The sending address {ip} has no name in reverse DNS.",
    why="Mail servers that are meant to be mail servers have one; infected home computers often have none.",
    remedy="The sender's provider has to publish a PTR record for the address.",
    reference="RFC 8601 §2.7.3",
    when=_unconfirmed,
)
def no_reverse_dns(facts: Facts) -> Seen | None:
    iprev = facts.auth.iprev
    if iprev.result is IprevResultWord.PERMERROR and not iprev.names:
        return Seen(evidence={"ip": facts.session.client_ip})
    return None


@rule(
    code="path.reverse-unconfirmed",
    severity=Severity.NOTICE,
    weight=1.0,
    group="path",
    summary="The sending address {ip} calls itself {names} in reverse DNS, but that name does not lead back to it.",
    why="Anyone can write any name into the reverse zone of his addresses; only the way back proves it.",
    remedy="The sender has to give that name an address record with this address.",
    reference="RFC 8601 §2.7.3",
    when=_unconfirmed,
)
def reverse_unconfirmed(facts: Facts) -> Seen | None:
    iprev = facts.auth.iprev
    if iprev.result in (IprevResultWord.FAIL, IprevResultWord.PERMERROR) and iprev.names:
        return Seen(evidence={"ip": facts.session.client_ip, "names": ", ".join(iprev.names[:3])})
    return None


@rule(
    code="path.reverse-temperror",
    severity=Severity.INFO,
    group="path",
    summary="Reverse DNS for {ip} could not be asked: {reason}.",
    why="Nothing is known; it counts neither for nor against the sender.",
    remedy="If it happens often, look at your resolver.",
    reference="RFC 8601 §2.7.3",
    when=_unconfirmed,
)
def reverse_temperror(facts: Facts) -> Seen | None:
    iprev = facts.auth.iprev
    if iprev.result is not IprevResultWord.TEMPERROR or not facts.session.client_ip:
        return None
    return Seen(evidence={"ip": facts.session.client_ip, "reason": iprev.reason})


@rule(
    code="path.ehlo-not-a-name",
    severity=Severity.NOTICE,
    weight=1.2,
    group="path",
    summary="The sending server introduced itself as {ehlo}, which is no full host name.",
    why="Servers introduce themselves by their full name; simple spam programs do not.",
    remedy="The sender has to configure the server's host name.",
    reference="RFC 5321 §4.1.1.1",
)
def ehlo_not_a_name(facts: Facts) -> Seen | None:
    ehlo = facts.session.ehlo_domain
    if not facts.session.client_ip or not ehlo or is_host_name(ehlo) or ehlo.startswith("["):
        return None
    return Seen(evidence={"ehlo": ehlo[:255]})


@rule(
    code="path.ehlo-literal-differs",
    severity=Severity.NOTICE,
    weight=1.5,
    group="path",
    summary="The sending server introduced itself by the address {ehlo}, but came from {ip}.",
    why="A server that names an address names its own; a false one is a lie or a misconfiguration.",
    remedy="The sender has to configure the server's host name.",
    reference="RFC 5321 §4.1.3",
)
def ehlo_literal_differs(facts: Facts) -> Seen | None:
    ehlo, ip = facts.session.ehlo_domain, facts.session.client_ip
    if not ip or not ehlo.startswith("[") or literal_address(ehlo) == ip:
        return None
    return Seen(evidence={"ehlo": ehlo[:100], "ip": ip})


@rule(
    code="path.ehlo-is-ours",
    severity=Severity.WARNING,
    weight=3.0,
    group="path",
    summary="A server from outside ({ip}) introduced itself by our own name {ehlo}.",
    why="Only spam programs do that, to look familiar.",
    remedy="Nothing is lost by refusing it. If it is one of your servers, add its address to inspector.trusted_relays.",
    reference="RFC 5321 §4.1.4",
)
def ehlo_is_ours(facts: Facts) -> Seen | None:
    ehlo = facts.session.ehlo_domain.lower().rstrip(".")
    if not facts.session.client_ip or not facts.is_own(ehlo):
        return None
    spf = facts.auth.spf_ehlo
    if facts.auth.iprev.name == ehlo or (spf is not None and spf.result == "pass"):
        return None  # it is one of our own hosts, somewhere else
    return Seen(evidence={"ehlo": ehlo, "ip": facts.session.client_ip})


@rule(
    code="path.ehlo-not-in-dns",
    severity=Severity.NOTICE,
    weight=0.8,
    group="path",
    summary="The sending server introduced itself as {ehlo}, a name that has no address in DNS.",
    why="Servers introduce themselves by a name that leads to them; made-up names do not exist.",
    remedy="The sender has to configure the server's host name, and give that name an address record.",
    reference="RFC 5321 §4.1.4",
)
def ehlo_not_in_dns(facts: Facts) -> Seen | None:
    if facts.auth.ehlo_found is not False:
        return None
    return Seen(evidence={"ehlo": facts.session.ehlo_domain, "ip": facts.session.client_ip})
