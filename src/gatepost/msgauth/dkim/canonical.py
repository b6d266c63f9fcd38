"""Canonical forms of header fields and body, as operations on octets: linear whatever the input, and quick.

In: octets with CRLF line ends. Out: octets to be hashed.
Standard: RFC 6376 §3.4 (simple and relaxed, for header and body).
Not here: which fields are hashed in which order, and the hashing (`content`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gatepost.message.header import RawField

PIECE = 1 << 16  # octets that are canonicalized at once

Parts = tuple[bytes | memoryview, ...]


def relaxed_field(field: RawField, octets: bytes, *, plain: bool = False) -> bytes:
    """RFC 6376 §3.4.2: name in lower case, unfolded, white space runs to one space, none at either end; with CRLF.

    `octets` are the field's own, or stand in for them (a signature without its `b=`). With `plain`, `is_plain` is known
    to hold of them.
    """
    _, _, body = octets.partition(b":")
    if plain or is_plain(octets):
        words = body.split()
    else:
        unfolded = body.replace(b"\r\n", b"").replace(b"\t", b" ")
        words = [word for word in unfolded.split(b" ") if word]
    return b"%b:%b\r\n" % (field.key.encode(), b" ".join(words))


def relaxed_plain_fields(fields: Sequence[RawField]) -> list[bytes]:
    """The same for many, half as dear each, where `is_plain` holds of the whole section."""
    return [b"%b:%b\r\n" % (key.encode(), b" ".join(raw.partition(b":")[2].split())) for _, key, raw, _ in fields]


def is_plain(octets: bytes) -> bool:
    """True when SP, HTAB and CRLF are all the white space there is: `bytes.split` takes VT, FF, and a CR or LF that
    stands alone for white space too, which DKIM does not."""
    if _STRAY_CR.search(octets) or octets.count(b"\n") != octets.count(b"\r"):  # with no CR alone, no LF is either
        return False
    return b"\x0b" not in octets and b"\x0c" not in octets


_STRAY_CR = re.compile(rb"\r(?!\n)")


def simple_field(field: RawField) -> bytes:
    """RFC 6376 §3.4.1: unchanged."""
    return field.raw if field.raw.endswith(b"\r\n") else field.raw + b"\r\n"


# Any tag but the first, called b, and its value: a tag list is parted by semicolons alone (RFC 6376 §3.2).
_OWN_VALUE = re.compile(rb"(;[ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+")


def without_signature(raw: bytes) -> bytes:
    """The field with the value of its `b=` gone, white space around it included (RFC 6376 §3.7)."""
    name, colon, body = raw.partition(b":")
    first, _, _ = body.partition(b";")
    tag, equals, _ = first.partition(b"=")
    if equals and tag.strip() == b"b":
        return name + colon + tag + b"=" + body[len(first) :]
    match = _OWN_VALUE.search(raw)
    return raw[: match.end(1)] + raw[match.end() :] if match else raw


def simple_body(raw: bytes, start: int) -> Parts:
    """RFC 6376 §3.4.3: empty lines at the end go, one CRLF ends the body, an empty body is one CRLF. In parts, which
    together are the form, so that a large body is not copied."""
    return _ended(raw, start, _end_of_text(raw, start))


def relaxed_body(raw: bytes, start: int) -> Parts:
    """RFC 6376 §3.4.4: white space runs to one space, none before a line end, no empty lines at the end; an empty
    body stays empty. In parts, as above.

    Only what stands before the last white space can change; behind it, in most large mail, is an attachment in base64.
    """
    stop = _end_of_text(raw, start)
    last = max(raw.rfind(b" ", start, stop), raw.rfind(b"\t", start, stop))
    cut = min(last + 3, stop) if last >= 0 else start  # a line end behind the last white space belongs to it
    parts: list[bytes | memoryview] = _squeeze_body(raw, start, cut)
    if cut < stop:  # no white space there, and no line end at its end: it stays as it is
        return (*parts, *_ended(raw, cut, stop))
    while parts:
        text = bytes(parts.pop()).removesuffix(b" ")
        stop = _end_of_text(text, 0)
        if stop:
            return (*parts, *_ended(text, 0, stop))
    return ()


_LINE_ENDS = tuple(b"\r\n" * lines for lines in (4096, 64, 1))


def _ended(octets: bytes, start: int, stop: int) -> Parts:
    """The octets from `start` to `stop`, and a CRLF."""
    if octets.startswith(b"\r\n", stop):
        return (memoryview(octets)[start : stop + 2],)
    return (memoryview(octets)[start:stop], b"\r\n")


def _squeeze_body(raw: bytes, start: int, stop: int) -> list[bytes | memoryview]:
    """The octets from `start` to `stop` with their white space squeezed, in pieces of whole lines that fit into a
    processor's cache: twice as quick as a megabyte at once."""
    parts: list[bytes | memoryview] = []
    while start < stop:
        end = raw.find(b"\r\n", start + PIECE, stop) + 2
        piece = raw[start : end if end > 1 else stop]
        start += len(piece)
        if b"\t" in piece:
            piece = piece.replace(b"\t", b" ")
        if piece.rfind(b"  ") >= 0:  # searching backwards takes half the time, here and below: CPython's own ways
            piece = _without_runs(piece)
        if piece.rfind(b" \r\n") >= 0:
            piece = piece.replace(b" \r\n", b"\r\n")
        parts.append(piece)
    return parts


def _without_runs(body: bytes) -> bytes:
    """Runs of spaces to one each. Every pass at least halves what is left of a run; long runs go first, so that a
    megabyte of spaces takes a few passes. (A pattern is quicker for a few runs, and three times slower for many.)"""
    if body.rfind(b"   ") < 0:  # text has pairs, rarely more
        return b" ".join(body.rsplit(b"  "))  # `replace` would look for each pair twice, and forwards
    for run in (b" " * 64, b" " * 8, b"  "):
        while run in body:
            body = body.replace(run, b" ")
    return body


def _end_of_text(octets: bytes, start: int) -> int:
    """Where the empty lines at the end begin; counts in large steps first, so a megabyte of them costs little."""
    stop = len(octets)
    for run in _LINE_ENDS:
        while octets.endswith(run, start, stop):
            stop -= len(run)
    return stop
