"""Rules on what the client is: a dynamic address, a server under another's name, a country nobody expects mail from.

In: `Facts`. Out: `Seen`. Standard: RFC 5321 §4.1.1.1 (EHLO); the rest is practice, and soft: small firms send from such
addresses too. Not here: reverse DNS itself and the form of the EHLO name (`client`), the way before it (`trail`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

from gatepost.finding import Severity
from gatepost.inspector.domains import same_organization
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.trace import JudgedFrom
from gatepost.inspector.wordlists import is_freemail
from gatepost.msgauth.iprev import IprevResultWord

# Words that providers write into the names of addresses they give out anew, as whole labels or before digits.
_DYNAMIC = re.compile(
    r"(?:^|[.-])(?:dyn|dynamic|dynip|dynamicip|dhcp|dial|dialin|dialup|dip|dsl|adsl|vdsl|xdsl|cable|catv|ppp|pppoe|pool"
    r"|pools|broadband|bbnet|res|client|clients|cust|customer|home|hsd|wireless|mobile|user|ip|host)(?=[.\d-]|$)"
)
_FIXED = re.compile(
    r"(?:^|[.-])(?:mail|mx|smtp|mta|relay|out|outbound|static|server|srv|vps|colo|dedicated)\d{0,4}(?=[.-]|$)"
)


def _has_client(facts: Facts) -> bool:
    return bool(facts.session.client_ip)


@rule(
    code="path.dynamic-name",
    severity=Severity.NOTICE,
    weight=1.2,
    group="path",
    summary="The name of the sending address, {name}, is one that providers give to homes and phones.",
    why="Mail servers have names of their own; infected computers at home send from such addresses.",
    remedy="If it is a small office: its provider can set a reverse name, or relay its mail.",
    reference="RFC 1912 §2.1",
    when=_has_client,
)
def dynamic_name(facts: Facts) -> Seen | None:
    name = _reverse_name(facts)
    if not name or not holds_address(name, facts.session.client_ip):
        return None
    front = name.rsplit(".", 2)[0]
    if _FIXED.search(front):
        return None
    evidence = {"name": name, "ip": facts.session.client_ip}
    if facts.aligned_pass:
        return Seen(evidence=evidence, severity=Severity.INFO, weight=0.3)
    return Seen(evidence=evidence) if _DYNAMIC.search(front) else Seen(evidence=evidence, weight=0.6)


def _reverse_name(facts: Facts) -> str:
    """The client's reverse name: from DNS, or for a saved file as the server wrote it that kept it."""
    iprev = facts.auth.iprev
    if iprev.names:
        return iprev.names[0].lower().rstrip(".")
    path = facts.path
    if path.judged_from is not JudgedFrom.RECEIVED or not 0 < path.trusted_fields <= len(path.hops):
        return ""
    return path.hops[len(path.hops) - path.trusted_fields].reverse_name.lower().rstrip(".")


@lru_cache(maxsize=4096)
def holds_address(name: str, ip: str) -> bool:
    """Whether `name` spells the IPv4 address `ip`: its numbers in either order, or in hexadecimal."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    if not isinstance(address, IPv4Address) or len(name) > 253:
        return False
    if address.packed.hex() in name:
        return True
    own = [str(octet) for octet in address.packed]
    numbers = [str(int(number)) for number in re.findall(r"\d{1,3}", name)][:40]
    joined = "".join(octet.zfill(3) for octet in own)
    return joined in name or any(
        numbers[at : at + len(some)] == some
        for some in (own, own[::-1], own[1:], own[:0:-1], own[2:] + own[:2])
        for at in range(len(numbers) - len(some) + 1)
    )


@rule(
    code="path.ehlo-borrowed",
    severity=Severity.WARNING,
    weight=2.0,
    group="path",
    summary="The sending server introduced itself as {ehlo}, but it is no server of theirs ({ip}).",
    why="Programs that send spam like to call themselves by the name of a large provider.",
    remedy="Nothing is lost by treating it as spam.",
    reference="RFC 5321 §4.1.1.1",
    when=_has_client,
)
def ehlo_borrowed(facts: Facts) -> Seen | None:
    ehlo = facts.session.ehlo_domain.lower().rstrip(".")
    home = ".".join(ehlo.rsplit(".", 2)[-2:])
    if "." not in ehlo or ehlo[0] == "[" or facts.is_own(ehlo) or facts.aligned_pass:
        return None
    if not is_freemail(home) and not facts.protected.is_genuine(ehlo):
        return None  # most servers have another name than their reverse one, and mean no harm by it
    spf, iprev, name = facts.auth.spf_ehlo, facts.auth.iprev, _reverse_name(facts)
    if iprev.result is IprevResultWord.TEMPERROR or (spf is not None and spf.result.value in ("pass", "temperror")):
        return None
    # Large providers' servers have names of their own: who says the bare domain, without a name in DNS, is none.
    elsewhere = not same_organization(name, home) and not facts.protected.is_genuine(name) if name else ehlo == home
    return Seen(evidence={"ehlo": ehlo, "ip": facts.session.client_ip, "name": name}) if elsewhere else None


@rule(
    code="path.place",
    severity=Severity.INFO,
    group="path",
    summary="The sending address {ip} is in {country}, in the network of {organization}.",
    why="It says where the server stands, not where the writer sits.",
    reference="practice: origin",
    when=lambda facts: facts.place is not None,
)
def place(facts: Facts) -> Seen | None:
    found = facts.place
    if found is None or not (found.country or found.network):
        return None
    network = f"AS{found.network}" if found.network else ""
    return Seen(
        evidence={
            "ip": facts.session.client_ip,
            "country": found.country or "an unknown country",
            "organization": found.organization or network or "somebody unknown",
            "network": found.network,
        }
    )


@rule(
    code="path.unexpected-country",
    severity=Severity.NOTICE,
    weight=1.5,
    group="path",
    summary="The sending address {ip} is in {country}, from where no mail is expected.",
    why="inspector.unexpected_countries names it.",
    remedy="Take the country out of that list if somebody there has reason to write.",
    reference="practice: origin",
    when=lambda facts: facts.place is not None,
)
def unexpected_country(facts: Facts) -> Seen | None:
    country = facts.place.country if facts.place is not None else ""
    if not country or country not in {one.upper() for one in facts.settings.unexpected_countries}:
        return None
    return Seen(
        evidence={"ip": facts.session.client_ip, "country": country}, weight=0.5 if facts.aligned_pass else None
    )
