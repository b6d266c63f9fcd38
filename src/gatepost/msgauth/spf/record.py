"""SPF records, read into terms. Parsing asks nothing of DNS.

In: the octets of a TXT record. Out: `SpfRecord`; one with `error` set is a permerror as a whole.
Standard: RFC 7208 §4.5 (selecting), §4.6 (syntax before evaluation), §5 (mechanisms), §6 (modifiers), §12 (grammar).
Not here: what the terms mean for a client (`check`), macro strings (`macro`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from gatepost.msgauth.generations import Generations
from gatepost.msgauth.spf.macro import MacroString, parse_domain_spec, parse_macro_string
from gatepost.msgauth.spf.result import SpfResultWord

MAX_RECORD = 16384  # octets; the longest real ones are flattened lists of networks, some 4 KB
MAX_TERMS = 1000
_CACHED_OCTETS = 1 << 20  # parsed records weigh up to twenty times their octets

VERSION = b"v=spf1"
_QUALIFIERS = {
    "+": SpfResultWord.PASS,
    "-": SpfResultWord.FAIL,
    "~": SpfResultWord.SOFTFAIL,
    "?": SpfResultWord.NEUTRAL,
}
ALL4, ALL6 = (1 << 32) - 1, (1 << 128) - 1
# RFC 7208 §6: modifier = name "=" macro-string; name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
_MODIFIER = re.compile(r"([a-z][a-z0-9\-_.]*)=(.*)", re.IGNORECASE | re.ASCII)
# RFC 7208 §5.6: cidr-length = "/" ( "0" / %x31-39 0*1DIGIT ), for IPv6 0*2DIGIT
_CIDR = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)


class MechanismKind(enum.StrEnum):
    """The mechanisms of RFC 7208 §5."""

    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One mechanism. `result` is what a match gives, `text` is as written. `target` is its domain-spec, None for the
    current domain. `network` is the address of ip4 and ip6; `mask4` and `mask6` are the prefixes as bit masks."""

    kind: MechanismKind
    result: SpfResultWord
    text: str
    target: MacroString | None = None
    network: int = 0
    mask4: int = ALL4
    mask6: int = ALL6


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfRecord:
    """A record. `redirect` and `exp` are domain-specs; `modifiers` are the names of unknown ones, which are ignored.
    `error` says what is wrong with it; then nothing else counts."""

    mechanisms: tuple[Mechanism, ...] = ()
    redirect: MacroString | None = None
    exp: MacroString | None = None
    modifiers: tuple[str, ...] = ()
    error: str = ""


_parsed: Generations[bytes, SpfRecord] = Generations(_CACHED_OCTETS)


def select_records(texts: Sequence[bytes]) -> list[bytes]:
    """RFC 7208 §4.5: those that start with the version, which ends at a space or at the end of the record."""
    return [text for text in texts if text[:6].lower() == VERSION and text[6:7] in (b"", b" ")]


def parse_record(raw: bytes) -> SpfRecord:
    """Reads a record. Total: any octets give a record, perhaps with `error`. Lately read ones come from a cache."""
    record = _parsed.get(raw)
    if record is None:
        record = _parse(raw)
        _parsed.put(raw, record, len(raw))
    return record


def _parse(raw: bytes) -> SpfRecord:
    if raw[:6].lower() != VERSION or raw[6:7] not in (b"", b" "):
        return SpfRecord(error="it does not start with v=spf1")
    if len(raw) > MAX_RECORD:
        return SpfRecord(error=f"it has more than {MAX_RECORD} octets")
    text = raw[6:].decode("latin-1")
    if not (text.isascii() and text.isprintable()):  # RFC 7208 §3.1: ASCII; §4.6.1: spaces alone divide the terms
        return SpfRecord(error="it has characters outside printable ASCII")
    words = [word for word in text.split(" ") if word]
    if len(words) > MAX_TERMS:
        return SpfRecord(error=f"it has more than {MAX_TERMS} terms")
    return _collect(words)


def _collect(words: list[str]) -> SpfRecord:
    mechanisms: list[Mechanism] = []
    once: dict[str, MacroString] = {}
    others: list[str] = []
    for word in words:
        modifier = _MODIFIER.fullmatch(word)
        if modifier is None:
            mechanism = _parse_mechanism(word)
            if isinstance(mechanism, str):
                return SpfRecord(error=f"{word[:80]}: {mechanism}")
            mechanisms.append(mechanism)
            continue
        name, value = modifier[1].lower(), modifier[2]
        known = name in ("redirect", "exp")
        spec = parse_domain_spec(value) if known else parse_macro_string(value, explanation=True)
        if isinstance(spec, str):
            return SpfRecord(error=f"{word[:80]}: {spec}")
        if not known:
            others.append(name)
        elif name in once:  # RFC 7208 §6
            return SpfRecord(error=f"it has {name} twice")
        else:
            once[name] = spec
    return SpfRecord(
        mechanisms=tuple(mechanisms), redirect=once.get("redirect"), exp=once.get("exp"), modifiers=tuple(others)
    )


def _parse_mechanism(word: str) -> Mechanism | str:
    """RFC 7208 §4.6.1: directive = [ qualifier ] mechanism."""
    result = _QUALIFIERS.get(word[0])
    body = word if result is None else word[1:]
    cut = min((at for at in (body.find(":"), body.find("/")) if at >= 0), default=len(body))
    parser = _PARSERS.get(body[:cut].lower())
    if parser is None:
        return "no mechanism has this name"
    kind, parse = parser
    return parse(Mechanism(kind=kind, result=result or SpfResultWord.PASS, text=word), body[cut:])


def _parse_all(base: Mechanism, rest: str) -> Mechanism | str:
    return "all takes no argument" if rest else base


def _parse_named(base: Mechanism, rest: str) -> Mechanism | str:
    """include and exists: a domain-spec must follow; ptr: it may."""
    if not rest and base.kind is MechanismKind.PTR:
        return base
    if not rest.startswith(":"):
        return "a domain name is missing"
    spec = parse_domain_spec(rest[1:])
    return spec if isinstance(spec, str) else replace(base, target=spec)


def _parse_host(base: Mechanism, rest: str) -> Mechanism | str:
    """a and mx: [ ":" domain-spec ] [ dual-cidr-length ]."""
    name, mask6 = _cut_prefix(rest, "//", 128)
    name, mask4 = _cut_prefix(name, "/", 32)
    if mask4 is None or mask6 is None:
        return "the prefix length is wrong"
    if not name:
        return replace(base, mask4=mask4, mask6=mask6)
    if not name.startswith(":"):
        return "this cannot follow the mechanism"
    spec = parse_domain_spec(name[1:])
    return spec if isinstance(spec, str) else replace(base, target=spec, mask4=mask4, mask6=mask6)


def _cut_prefix(text: str, mark: str, bits: int) -> tuple[str, int | None]:
    """Splits a prefix length off the end; without one the mask is full, with a wrong one None. What looks like none
    stays in the name, where a slash may stand (RFC 7208 §7.1: macro-literal)."""
    name, found, digits = text.rpartition(mark)
    if not found or not (digits.isdecimal() or not digits):
        return text, _mask(bits, bits)
    if _CIDR.fullmatch(digits) is None or int(digits) > bits:
        return text, None
    return name, _mask(int(digits), bits)


def _mask(length: int, bits: int) -> int:
    return ((1 << length) - 1) << (bits - length)


def _parse_ip4(base: Mechanism, rest: str) -> Mechanism | str:
    address, mask = _cut_prefix(rest[1:], "/", 32)
    try:
        network = int(IPv4Address(address))
    except AddressValueError:
        return "this is no IPv4 network"
    if not rest.startswith(":") or mask is None:
        return "this is no IPv4 network"
    return replace(base, network=network & mask, mask4=mask)


def _parse_ip6(base: Mechanism, rest: str) -> Mechanism | str:
    address, mask = _cut_prefix(rest[1:], "/", 128)
    try:
        network = int(IPv6Address(address))
    except AddressValueError:
        return "this is no IPv6 network"
    if not rest.startswith(":") or mask is None or "%" in address:  # a zone means nothing to anyone else
        return "this is no IPv6 network"
    return replace(base, network=network & mask, mask6=mask)


_PARSERS: dict[str, tuple[MechanismKind, Callable[[Mechanism, str], Mechanism | str]]] = {
    "all": (MechanismKind.ALL, _parse_all),
    "include": (MechanismKind.INCLUDE, _parse_named),
    "exists": (MechanismKind.EXISTS, _parse_named),
    "ptr": (MechanismKind.PTR, _parse_named),
    "a": (MechanismKind.A, _parse_host),
    "mx": (MechanismKind.MX, _parse_host),
    "ip4": (MechanismKind.IP4, _parse_ip4),
    "ip6": (MechanismKind.IP6, _parse_ip6),
}
