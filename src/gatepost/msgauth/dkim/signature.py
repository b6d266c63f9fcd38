"""Reads a DKIM-Signature field, or an ARC-Message-Signature, which is made of the same tags.

In: the raw field. Out: `Signature`, or `Unreadable` with the reason. Total: any octets give one of the two.
Standard: RFC 6376 §3.5 and §6.1.1; RFC 8463 §3 (Ed25519), RFC 8616 §4 (U-labels).
Not here: the key (`record`), time and strictness (`verify`), ARC's own tags (`arc.record`).
"""

from __future__ import annotations

import binascii
import enum
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gatepost.message.header import RawField
from gatepost.msgauth.dkim.domains import is_within, to_ascii
from gatepost.msgauth.taglist import Tags, parse_number, parse_tags, without_whitespace

MAX_SIGNED_FIELDS = 500  # names in h=; the longest seen in the corpora has 60
MAX_KEPT = 4000  # octets of a field whose terms are remembered; an attacker must not choose how much is kept

ALGORITHMS = {  # a= to key type and hash (RFC 6376 §3.3, RFC 8463 §3)
    "rsa-sha256": ("rsa", "sha256"),
    "ed25519-sha256": ("ed25519", "sha256"),
    "rsa-sha1": ("rsa", "sha1"),
}
_ALGORITHM_NAMES = {name.encode(): name for name in ALGORITHMS}
HASH_OCTETS = {"sha256": 32, "sha1": 20}

_NEEDED = frozenset(("a", "b", "bh", "d", "h", "s"))
_FIELD_NAMES = re.compile(rb"[!-9<-~]+(?::[!-9<-~]+)*\Z")  # RFC 5322 §3.6.8 ftext, without the semicolon
_QP = re.compile(rb"=([0-9A-F]{2})")


class Canonicalization(enum.StrEnum):
    """How header or body are made independent of what relays change (RFC 6376 §3.4)."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


class Signature(NamedTuple):
    """A signature field that can be read. `signature` and `body_hash` are decoded; `signed_fields` are in lower case,
    in the order of `h=`; times are seconds since the epoch; `key_name` is where the key is published (RFC 6376
    §3.6.2.1). A named tuple, which is made in a third of the time."""

    field: RawField
    algorithm: str
    signature: bytes
    body_hash: bytes
    header_canonicalization: Canonicalization
    body_canonicalization: Canonicalization
    domain: str
    selector: str
    identity: str
    signed_fields: tuple[str, ...]
    body_length: int | None
    signed_at: int | None
    expires_at: int | None
    signature_start: str
    key_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A signature field that cannot be used. `syntax` tells a field that cannot be read from one that lacks what
    it needs."""

    reason: str
    syntax: bool
    domain: str = ""
    selector: str = ""
    algorithm: str = ""


class _Bad(Exception):
    """A jump out of the reader, never seen outside this file."""

    def __init__(self, reason: str, *, syntax: bool = True) -> None:
        self.reason = reason
        self.syntax = syntax


def parse_signature(field: RawField) -> Signature | Unreadable:
    """Reads a DKIM-Signature field."""
    tags, defect = parse_tags(field.body)
    if not defect:
        # RFC 6376 §3.5: v= MUST be there and be "1" (compared as text, so "1.0" is not).
        if "v" not in tags:
            return _unreadable(tags, "the tag v= is missing: this predates RFC 6376", syntax=False)
        if tags["v"] != b"1":
            return _unreadable(tags, "the tag v= names a version other than 1", syntax=False)
    return read_signature(field, tags, defect)


def read_signature(field: RawField, tags: Tags, defect: str = "", *, arc: bool = False) -> Signature | Unreadable:
    """Reads the tags that DKIM and ARC share. With `arc`, `i=` is an instance and not an identity (RFC 8617 §4.1.2)."""
    if defect:
        return _unreadable(tags, defect)
    try:
        return _read(field, tags, arc)
    except _Bad as bad:
        return _unreadable(tags, bad.reason, syntax=bad.syntax)


def _unreadable(tags: Tags, reason: str, *, syntax: bool = True) -> Unreadable:
    return Unreadable(
        reason=reason,
        syntax=syntax,
        domain=to_ascii(tags.get("d", b"")),
        selector=to_ascii(tags.get("s", b"")),
        algorithm=read_algorithm(tags),
    )


def _read(field: RawField, tags: Tags, arc: bool) -> Signature:
    if not tags.keys() >= _NEEDED:
        missing = ", ".join(f"{name}=" for name in sorted(_NEEDED - tags.keys()))
        raise _Bad(f"tags are missing: {missing}", syntax=False)
    get, kept = tags.get, len(field.raw) < MAX_KEPT
    terms = (_usual_terms if kept else _terms)(get("a", b""), tags["d"], tags["s"], get("q"), get("c"), arc)
    signed_at, expires_at = _time(tags, "t"), _time(tags, "x")
    if expires_at is not None and signed_at is not None and expires_at <= signed_at:
        raise _Bad("x= is not after t=")  # RFC 6376 §3.5
    text = without_whitespace(tags["b"])
    body_hash = _body_hash(tags, terms.algorithm)
    identity, signed_fields = (_usual_scope if kept else _scope)(get("i"), tags["h"], terms.domain, arc)
    return Signature(
        field=field,
        algorithm=terms.algorithm,
        signature=decode_base64(text),
        body_hash=body_hash,
        header_canonicalization=terms.header_canonicalization,
        body_canonicalization=terms.body_canonicalization,
        domain=terms.domain,
        selector=terms.selector,
        identity=identity,
        signed_fields=signed_fields,
        body_length=_body_length(tags),
        signed_at=signed_at,
        expires_at=expires_at,
        signature_start=text[:8].decode("ascii", "replace"),
        key_name=terms.key_name,
    )


class _Terms(NamedTuple):
    """What a signer writes alike into all its signatures."""

    algorithm: str
    domain: str
    selector: str
    header_canonicalization: Canonicalization
    body_canonicalization: Canonicalization
    key_name: str


def _terms(a: bytes, d: bytes, s: bytes, q: bytes | None, c: bytes | None, arc: bool) -> _Terms:
    algorithm = _ALGORITHM_NAMES.get(a, "")
    if not algorithm:
        raise _Bad("the algorithm of a= is unknown", syntax=False)
    domain, selector = to_ascii(d), to_ascii(s)
    if not domain or not selector:
        raise _Bad("d= or s= is no domain name")
    _check_query(q)
    return _Terms(algorithm, domain, selector, *_canonicalizations(c, arc), f"{selector}._domainkey.{domain}")


def _scope(i: bytes | None, h: bytes, domain: str, arc: bool) -> tuple[str, tuple[str, ...]]:
    """For whom is signed and which fields are, which a signer seldom changes either."""
    return "" if arc else _identity(i, domain), _signed_fields(h, arc)


_usual_terms, _usual_scope = lru_cache(maxsize=1024)(_terms), lru_cache(maxsize=1024)(_scope)


def read_algorithm(tags: Tags) -> str:
    """`a=`, or "" when it is none that we know. RFC 6376 §3.2 makes values case-sensitive where nothing else is said
    (its ABNF, read alone, would not; ValiMail's suite reads it as we do)."""
    return _ALGORITHM_NAMES.get(tags.get("a", b""), "")


def decode_base64(text: bytes) -> bytes:
    """Base64 without white space; b"" when it is none, which no signature or hash equals."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return b""


def _body_hash(tags: Tags, algorithm: str) -> bytes:
    octets = decode_base64(without_whitespace(tags["bh"]))
    if len(octets) != HASH_OCTETS[ALGORITHMS[algorithm][1]]:
        raise _Bad("bh= is no hash of the algorithm in a=")
    return octets


def _canonicalizations(text: bytes | None, arc: bool) -> tuple[Canonicalization, Canonicalization]:
    """RFC 6376 §3.5: `c=header/body`, simple where not said. An ARC-Message-Signature without any `c=` is relaxed for
    ValiMail's suite and for dkimpy (mail-dkim takes it for simple): RFC 8617 leaves it open."""
    if text is None:
        text = b"relaxed/relaxed" if arc else b"simple/simple"
    forms = _FORMS.get(text)
    if forms is None:
        raise _Bad("the canonicalization of c= is unknown", syntax=False)
    return forms


_FORMS = {
    text: (header, body)
    for header in Canonicalization
    for body in Canonicalization
    for text in (f"{header}/{body}".encode(), *([header.encode()] if body is Canonicalization.SIMPLE else []))
}


def _check_query(methods: bytes | None) -> None:
    """RFC 6376 §3.5: unknown methods in q= are passed over, but one we know must be there."""
    if methods is not None and b"dns/txt" not in without_whitespace(methods).lower().split(b":"):
        raise _Bad("q= names no way to the key that we know", syntax=False)


def _time(tags: Tags, name: str) -> int | None:
    if name not in tags:
        return None
    seconds = parse_number(tags[name], 12)  # RFC 6376 §3.5: twelve digits are enough until AD 200,000
    if seconds is None:
        raise _Bad(f"{name}= is no time")
    return seconds


def _body_length(tags: Tags) -> int | None:
    if "l" not in tags:
        return None
    length = parse_number(tags["l"], 76)  # RFC 6376 §3.5: at most 76 digits
    if length is None:
        raise _Bad("l= is no length")
    return length


def _signed_fields(value: bytes, arc: bool) -> tuple[str, ...]:
    """RFC 6376 §3.5: h= must name a field. ARC need not sign From, and ValiMail's suite lets it name none."""
    if value.count(b":") >= MAX_SIGNED_FIELDS:
        raise _Bad("h= names too many fields")
    names = _field_names(value)
    if arc and names is None:
        names = _field_names(b":".join(name for name in without_whitespace(value).split(b":") if name)) or ()
    if not names and not arc:
        raise _Bad("h= is no list of field names")
    return names or ()


def _field_names(value: bytes) -> tuple[str, ...] | None:
    names = without_whitespace(value).lower()
    return tuple(names.decode("ascii").split(":")) if _FIELD_NAMES.match(names) else None


def _identity(value: bytes | None, domain: str) -> str:
    """RFC 6376 §3.5: `i=` in dkim-quoted-printable; its domain must be d= or below it."""
    if value is None:
        return "@" + domain
    text = _QP.sub(lambda match: bytes((int(match[1], 16),)), without_whitespace(value))
    local, at, name = text.rpartition(b"@")
    ascii_name = to_ascii(name)
    if not at or not is_within(ascii_name, domain):
        raise _Bad("the domain of i= is not within d=", syntax=False)
    return f"{local.decode('utf-8', 'replace')}@{ascii_name}"
