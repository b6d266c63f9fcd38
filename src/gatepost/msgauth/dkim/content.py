"""A message as signatures see it: its line ends made CRLF where it was saved without, canonical forms kept.

In: a message. Out: `Content`, whose body hashes and canonical fields are computed once and shared by all DKIM and ARC
signatures of the message.
Standard: RFC 6376 §3.7 (what is hashed), §5.4.2 (which of several fields of a name). Not here: the verdict (`verify`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from gatepost.message.header import RawField
from gatepost.message.message import Message, parse_message
from gatepost.msgauth.dkim.canonical import (
    Parts,
    is_plain,
    relaxed_body,
    relaxed_field,
    relaxed_plain_fields,
    simple_body,
    simple_field,
    without_signature,
)
from gatepost.msgauth.dkim.signature import Canonicalization, Signature, Unreadable, parse_signature


class Content:
    """One message, with what was computed of it. Not shared between threads."""

    __slots__ = ("_bodies", "_fields", "_hashes", "_plain", "_signatures", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._bodies: dict[Canonicalization, Parts] = {}
        self._hashes: dict[tuple[Canonicalization, str, int | None], bytes] = {}
        self._fields: dict[int, bytes] = {}
        self._signatures: dict[int, Signature | Unreadable] = {}
        # One look at the whole section saves one at each field.
        self._plain = is_plain(message.raw[: message.header.end])

    def signature(self, field: RawField) -> Signature | Unreadable:
        """What a DKIM-Signature field says, kept by its place: who asks DNS ahead and who verifies both read it."""
        found = self._signatures.get(field.offset)
        if found is None:
            found = self._signatures[field.offset] = parse_signature(field)
        return found

    def body(self, canonicalization: Canonicalization) -> Parts:
        """The canonical body, in parts."""
        parts = self._bodies.get(canonicalization)
        if parts is None:
            make = relaxed_body if canonicalization is Canonicalization.RELAXED else simple_body
            parts = self._bodies[canonicalization] = make(self.message.raw, self.message.header.end)
        return parts

    def body_length(self, canonicalization: Canonicalization) -> int:
        """How many octets the canonical body has."""
        return sum(map(len, self.body(canonicalization)))

    def body_hash(self, canonicalization: Canonicalization, algorithm: str, length: int | None) -> bytes:
        """The hash of the canonical body, of its first `length` octets if that is given (RFC 6376 §3.7)."""
        key = (canonicalization, algorithm, length)
        found = self._hashes.get(key)
        if found is None:
            found = self._hashes[key] = _hash(algorithm, self.body(canonicalization), length)
        return found

    def header_input(self, signature: Signature) -> bytes:
        """The octets that were signed: the fields of `h=`, then the signature itself without its `b=`."""
        chosen = choose_fields(self.message, signature.signed_fields, signature.field)
        own = without_signature(signature.field.raw)
        if signature.header_canonicalization is Canonicalization.RELAXED:
            parts = (
                relaxed_plain_fields(chosen) if self._plain else [relaxed_field(field, field.raw) for field in chosen]
            )
            # RFC 6376 §3.7: the signature itself goes in last, without its line end.
            parts.append(relaxed_field(signature.field, own, plain=self._plain)[:-2])
        else:
            parts = [simple_field(field) for field in chosen]
            parts.append(own.removesuffix(b"\r\n"))
        return b"".join(parts)

    def relaxed(self, field: RawField) -> bytes:
        """The relaxed form of one field, kept by its place in the message: every ARC seal signs those below again."""
        form = self._fields.get(field.offset)
        if form is None:
            form = self._fields[field.offset] = relaxed_field(field, field.raw)
        return form


def choose_fields(message: Message, names: Collection[str], own: RawField | None = None) -> list[RawField]:
    """RFC 6376 §5.4.2: each time a name stands in h= the next field of that name from the bottom is taken; a name
    for which no field is left adds nothing (so an oversigned field cannot be added later). A signature never takes
    `own`, itself: it was not there when the fields were chosen, and is signed anyway (RFC 6376 §3.7)."""
    index = message.header.index
    if own is not None and own.key in names:
        index = {**index, own.key: [field for field in index[own.key] if field.offset != own.offset]}
    left: dict[str, int] = {}
    chosen: list[RawField] = []
    for name in names:
        fields = index.get(name)
        if fields is not None:
            at = left.get(name, len(fields)) - 1
            if at >= 0:
                chosen.append(fields[at])
                left[name] = at
    return chosen


def as_content(raw: bytes | Message | Content) -> Content:
    """A file that was saved with LF line ends is read with CRLF: signatures are made over CRLF (RFC 6376 §5.3)."""
    if isinstance(raw, Content):
        return raw
    octets = raw if isinstance(raw, bytes) else raw.raw
    if _is_saved_with_lf(octets):
        return Content(parse_message(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))
    return Content(parse_message(raw) if isinstance(raw, bytes) else raw)


def _is_saved_with_lf(octets: bytes) -> bool:
    """True when no line of the header section ends in CRLF, which is so of no message that SMTP brought."""
    first = octets.find(b"\n")
    if first < 0 or (first and octets[first - 1] == 13):
        return False
    end = octets.find(b"\n\n")
    return octets.find(b"\r\n", 0, end if end >= 0 else len(octets)) < 0


def _hash(algorithm: str, parts: Parts, length: int | None) -> bytes:
    hasher = hashlib.sha1(usedforsecurity=False) if algorithm == "sha1" else hashlib.sha256()
    for part in parts:
        if length is not None:
            part = part[: max(length, 0)]
            length -= len(part)
        hasher.update(part)
    return hasher.digest()
