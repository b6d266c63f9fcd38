"""Canonical forms of header fields and body, as operations on octets: linear whatever the input, and quick.

In: octets with CRLF line ends. Out: octets to be hashed.
Standard: RFC 6376 §3.4 (simple and relaxed, for header and body).
Not here: which fields are hashed in which order, and the hashing (`content`).
"""

from __future__ import annotations

from gatepost.message.header import RawField

Octets = bytes | memoryview


def relaxed_field(field: RawField, raw: bytes | None = None) -> bytes:
    """RFC 6376 §3.4.2: name in lower case, unfolded, white space runs to one space, none at either end; with CRLF.

    `raw` stands in for the field's own octets (a signature without its `b=`).
    """
    octets = field.raw if raw is None else raw
    return field.key.encode("ascii") + b":" + _squeeze(octets[octets.index(b":") + 1 :]) + b"\r\n"


def _squeeze(text: bytes) -> bytes:
    """Only HTAB, SP and folds count as white space; `split()` would take VT and FF for it too, hence the slow way."""
    words = text.split()
    if b"\x0b" not in text and b"\x0c" not in text and not _bare_line_end(text):
        return b" ".join(words)
    unfolded = text.replace(b"\r\n", b"").replace(b"\t", b" ")
    return b" ".join([word for word in unfolded.split(b" ") if word])


def _bare_line_end(text: bytes) -> bool:
    pairs = text.count(b"\r\n")
    return text.count(b"\r") != pairs or text.count(b"\n") != pairs


def simple_field(field: RawField) -> bytes:
    """RFC 6376 §3.4.1: unchanged."""
    return field.raw if field.raw.endswith(b"\r\n") else field.raw + b"\r\n"


def without_signature(raw: bytes) -> bytes:
    """The field with the value of its `b=` gone, white space around it included (RFC 6376 §3.7)."""
    name, colon, body = raw.partition(b":")
    pieces = body.split(b";")
    for index, piece in enumerate(pieces):
        tag, equals, _ = piece.partition(b"=")
        if equals and tag.strip() == b"b":
            pieces[index] = tag + b"="
            break
    return name + colon + b";".join(pieces)


def simple_body(raw: bytes, start: int) -> Octets:
    """RFC 6376 §3.4.3: empty lines at the end go, one CRLF ends the body, an empty body is one CRLF."""
    stop = _end_of_text(raw, start)
    if raw.startswith(b"\r\n", stop):
        return memoryview(raw)[start : stop + 2]
    return raw[start:stop] + b"\r\n"


def relaxed_body(raw: bytes, start: int) -> Octets:
    """RFC 6376 §3.4.4: white space runs to one space, none before a line end, no empty lines at the end; an empty
    body stays empty."""
    body = raw[start:]
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    for run in _RUNS:
        while run in body:
            body = body.replace(run, b" ")
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    if body.endswith(b" "):
        body = body[:-1]
    stop = _end_of_text(body, 0)
    if not stop:
        return b""
    return memoryview(body)[: stop + 2] if body.startswith(b"\r\n", stop) else body[:stop] + b"\r\n"


# Long runs first, so that a megabyte of spaces takes a few passes. Every pass over the last, shortest run at least
# halves what is left of any run.
_RUNS = (b" " * 64, b" " * 8, b"  ")


def _end_of_text(octets: bytes, start: int) -> int:
    """Where the empty lines at the end begin; counts in large steps first, so a megabyte of them costs little."""
    stop = len(octets)
    for lines in (4096, 64, 1):
        run = b"\r\n" * lines
        while octets.endswith(run, start, stop):
            stop -= len(run)
    return stop
