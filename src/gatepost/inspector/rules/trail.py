"""Rules on the way before the client: hops in the open, addresses that cannot be, fields that pretend to be ours.

In: `Facts` with the Received fields, of which strangers wrote all but the topmost. Out: `Seen`. What strangers write
may accuse them, never clear them. Standard: RFC 5321 §4.4, RFC 3848 (ESMTPS), RFC 6890 (special addresses).
Not here: times and number of hops (`path`), the client itself (`client`, `origin`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from gatepost.finding import Severity
from gatepost.inspector.domains import same_organization
from gatepost.inspector.facts import Facts
from gatepost.inspector.places import is_public
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.trace import PathHop
from gatepost.message.header import RawField
from gatepost.message.received import MAX_FIELD, parse_received

MAX_LOOKED_AT = 30  # hops
# What must stand in a field before it is read: most fields are ordinary, and reading costs more than all else here.
_PLAIN = re.compile(rb"\bwith\s{1,3}(?:UTF8)?E?SMTPA?(?![\w-])", re.IGNORECASE)
_ODD = re.compile(rb"(?<![\d.])(?:0|22[4-9]|23\d|24\d|25[0-5])\.\d|ff[0-9a-f]{2}:|\[(?:IPv6:)?::\]", re.IGNORECASE)
_ODD_SIGNS = (b"[0.", b"(0.", b"[22", b"(22", b"[23", b"(23", b"[24", b"(24", b"[25", b"(25", b":ff", b"[ff", b"::]")
_INSIDE_SIGNS = (
    *(b"10.", b"127.", b"192.168.", b"172.", b"169.254.", b"100.", b"192.0.0.", b"198.18.", b"198.19."),
    *(b"ipv6:f", b"ipv6:::1", b"ipv6:100:", b"ipv6:2001:", b"[f", b"[::1", b"(f", b"[100:", b"[2001:"),
)
# RFC 6890: from these no packet comes, so no server has seen one. Private ones are ordinary.
_NEVER = ("0.", "240.", "241.", "242.", "243.", "244.", "245.", "246.", "247.", "248.", "249.", "250.", "251.", "252.")


def _hops(facts: Facts) -> tuple[PathHop, ...]:
    return facts.path.hops[-MAX_LOOKED_AT:]


def _stands(pattern: re.Pattern[bytes], fields: Iterable[RawField]) -> bool:
    return any(pattern.search(field.value[:MAX_FIELD]) for field in fields)


def _holds(signs: tuple[bytes, ...], field: RawField) -> bool:
    """Whether any of `signs` stands in `field`: for most fields it is the only question, so it is a cheap one."""
    value = field.value[:MAX_FIELD].lower()
    for sign in signs:  # noqa: SIM110 - a generator costs twice as much, for every field of every message
        if sign in value:
            return True
    return False


@rule(
    code="path.client-without-tls",
    severity=Severity.INFO,
    group="path",
    summary="The message came to us without encryption, from {ip}.",
    why="Everybody on the way could read and change it.",
    remedy="The sender's server should use STARTTLS; demand it of partners with relay.require_tls_from.",
    reference="RFC 3207 §4",
)
def client_without_tls(facts: Facts) -> Seen | None:
    session = facts.session
    if not session.client_ip or session.tls is not None or not session.protocol or not is_public(session.client_ip):
        return None
    if session.protocol.upper().rstrip("A").endswith("S"):
        return None
    return Seen(evidence={"ip": session.client_ip, "protocol": session.protocol})


@rule(
    code="path.hop-without-tls",
    severity=Severity.INFO,
    group="path",
    summary="On its way it went from {sender} to {by} without encryption.",
    why="Everybody between those two could read and change it.",
    remedy="Those who run the two servers have to use STARTTLS.",
    reference="RFC 3207 §4",
)
def hop_without_tls(facts: Facts) -> Seen | None:
    if facts.path.count < 2 or not _stands(_PLAIN, facts.path.fields):
        return None
    for hop in _hops(facts)[:-1]:  # the last one is the client's, told above
        plain = hop.protocol.upper() in ("SMTP", "ESMTP", "ESMTPA", "UTF8SMTP") and not hop.tls
        if plain and is_public(hop.address) and not same_organization(hop.from_name.lower(), hop.by.lower()):
            return Seen(
                evidence={"sender": hop.from_name or hop.address, "by": hop.by or "a server", "hop": hop.number}
            )
    return None


@rule(
    code="path.private-origin",
    severity=Severity.INFO,
    group="path",
    summary="It began at {ip}, an address inside somebody's own network.",
    why="That is ordinary: offices and homes have such addresses. It tells nothing about where they are.",
    reference="RFC 6890 §2.2.2",
)
def private_origin(facts: Facts) -> Seen | None:
    if facts.path.count <= facts.path.trusted_fields or not _holds(_INSIDE_SIGNS, facts.path.fields[-1]):
        return None
    first = parse_received(facts.path.fields[-1].value)
    if not first.from_ip or is_public(first.from_ip) or _is_impossible(first.from_ip):
        return None
    return Seen(evidence={"ip": first.from_ip, "by": first.by})


@rule(
    code="path.impossible-address",
    severity=Severity.WARNING,
    weight=2.0,
    group="path",
    summary="A Received field says that the message came from {ip}, from where nothing can come.",
    why="Such fields are made up, to hide where a message began.",
    remedy="Believe only the hops that your own servers wrote.",
    reference="RFC 6890 §2.2.2",
)
def impossible_address(facts: Facts) -> Seen | None:
    if not _stands(_ODD, [field for field in facts.path.fields if _holds(_ODD_SIGNS, field)]):
        return None
    for hop in _hops(facts):
        if _is_impossible(hop.address):
            return Seen(evidence={"ip": hop.address, "by": hop.by, "hop": hop.number})
    return None


@rule(
    code="path.forged-own-hop",
    severity=Severity.WARNING,
    weight=1.5,
    group="path",
    summary="A Received field that did not come from us says that {by}, which is ours, has handled the message.",
    why="It is written to make a message look as if it came from inside.",
    remedy="Mail that was forwarded out and came back looks the same: then add the forwarder to trusted_forwarders.",
    reference="RFC 5321 §4.4",
)
def forged_own_hop(facts: Facts) -> Seen | None:
    header = facts.header
    if not facts.own_domains or not facts.path.count or facts.aligned_pass:
        return None
    if any(map(facts.is_own, facts.author_domains)) or facts.path.trusted_fields:
        return None  # our own mail that comes back; or our own relay, whose fields stand among the others
    if any(header.first(name) for name in ("list-id", "list-post", "resent-from", "arc-seal", "x-forwarded-to")):
        return None
    fields = [field.value[:MAX_FIELD].lower() for field in facts.path.fields]
    if not any(own.encode() in field for own in facts.own_domains for field in fields):
        return None
    for hop in _hops(facts):
        if facts.is_own(hop.by.lower().rstrip(".")):
            return Seen(evidence={"by": hop.by, "hop": hop.number, "from": hop.from_name})
    return None


@lru_cache(maxsize=4096)
def _is_impossible(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if address.version == 6:
        return address.is_multicast or text == "::"
    return address.is_multicast or text == "255.255.255.255" or text.startswith(_NEVER)
