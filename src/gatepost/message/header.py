"""The header section as ordered raw fields, exactly as received.

In: the bytes of a message. Out: `Header`, a sequence of `RawField`, and where the body starts.
Standard: RFC 5322 §2.2 (fields, folding), §2.1 (the empty line ends the section).
Not here: what is inside a field (`addresses`, `words`, `parameters`); the body (`mime`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.message.charsets import decode_field

MAX_HEADER = 1 << 20  # octets; Postfix's header_size_limit is 102400, Gmail takes 500 KB: past 1 MB it is an attack
MAX_FIELDS = 2000  # Haraka stops at 1000; the largest real header in the corpora has 180


@dataclass(frozen=True, slots=True)
class RawField:
    """One field: `raw` is all its octets with folding and line end, `offset` where it starts in the message.

    `name` is as written, `key` the same in lower case; both are empty for a line that is no field (no colon), which
    stays in the section as a defect.
    """

    name: str
    key: str
    raw: bytes
    offset: int

    @property
    def body(self) -> bytes:
        """The octets after the colon, line ends and folding untouched, without the final line end."""
        return self.raw[self.raw.index(b":") + 1 :].rstrip(b"\r\n") if self.key else self.raw.rstrip(b"\r\n")

    @property
    def value(self) -> bytes:
        """The body unfolded (RFC 5322 §2.2.3: line ends before white space go) and stripped."""
        body = self.body
        if b"\n" in body or b"\r" in body:
            body = body.replace(b"\r\n", b"").replace(b"\n", b"").replace(b"\r", b"")
        return body.strip(b" \t")

    @property
    def text(self) -> str:
        """`value` as text: UTF-8 (RFC 6532), else Latin-1. Encoded-words stay encoded."""
        return decode_field(self.value)


class Header:
    """The fields in order, with look-up by name. `end` is the offset of the body; `defects` are codes of what
    was wrong ("no-colon", "too-large", "too-many-fields", "no-empty-line")."""

    __slots__ = ("_index", "defects", "end", "fields")

    def __init__(self, fields: tuple[RawField, ...], end: int, defects: tuple[str, ...] = ()) -> None:
        self.fields = fields
        self.end = end
        self.defects = defects
        index: dict[str, list[RawField]] = {}
        for field in fields:
            index.setdefault(field.key, []).append(field)
        self._index = index

    def __iter__(self) -> Iterator[RawField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def all(self, name: str) -> list[RawField]:
        """Every field called `name` (any case), top to bottom."""
        return self._index.get(name.lower(), [])

    def first(self, name: str) -> RawField | None:
        """The topmost field called `name`, or None."""
        found = self._index.get(name.lower())
        return found[0] if found else None

    def text(self, name: str) -> str:
        """The topmost field's text, or the empty string."""
        found = self._index.get(name.lower())
        return found[0].text if found else ""


def parse_header(raw: bytes, start: int = 0, end: int | None = None) -> Header:
    """Reads the header section of `raw[start:end]`. Total: any octets give a Header.

    Lines end at LF, with or without CR before it (saved files have LF). A line that starts with white space
    continues the field above it. The section ends at the first empty line.
    """
    stop = len(raw) if end is None else end
    fields: list[RawField] = []
    defects: list[str] = []
    position = start
    limit = min(stop, start + MAX_HEADER)
    find = raw.find
    while position < limit:
        line_end = find(b"\n", position, stop) + 1 or stop
        first = raw[position]
        if first == 10 or (first == 13 and line_end - position == 2):
            return Header(tuple(fields), line_end, tuple(defects))
        field_end = line_end
        while field_end < limit and raw[field_end] in b" \t":
            field_end = find(b"\n", field_end, stop) + 1 or stop
        if len(fields) >= MAX_FIELDS:
            defects.append("too-many-fields")
            return Header(tuple(fields), position, tuple(defects))
        fields.append(_raw_field(raw[position:field_end], position))
        if not fields[-1].key and "no-colon" not in defects:
            defects.append("no-colon")
        position = field_end
    defects.append("too-large" if limit < stop else "no-empty-line")
    return Header(tuple(fields), min(position, stop), tuple(defects))


def _raw_field(raw: bytes, offset: int) -> RawField:
    """RFC 5322 §3.6.8: ftext is printable ASCII without the colon; white space before the colon (§4.5.8) is read."""
    colon = raw.find(b":")
    name = raw[:colon].rstrip(b" \t") if colon > 0 else b""
    if not name or not name.isascii() or any(octet < 33 or octet == 127 for octet in name):
        return RawField("", "", raw, offset)
    text = name.decode("ascii")
    return RawField(text, text.lower(), raw, offset)
