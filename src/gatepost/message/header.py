"""The header section as ordered raw fields, exactly as received.

In: the bytes of a message. Out: `Header`, a sequence of `RawField`, and where the body starts.
Standard: RFC 5322 §2.2 (fields, folding), §2.1 (the empty line ends the section).
Not here: what is inside a field (`addresses`, `words`, `parameters`); the body (`mime`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import lru_cache
from typing import NamedTuple

from gatepost.message.charsets import decode_field

MAX_HEADER = 1 << 20  # octets; Postfix's header_size_limit is 102400, Gmail takes 500 KB: past 1 MB it is an attack
MAX_FIELDS = 2000  # Haraka stops at 1000; the largest real header in the corpora has 82


class RawField(NamedTuple):
    """One field: `raw` is all its octets with folding and line end, `offset` where it starts in the message.

    `name` is as written, `key` the same in lower case; both are empty for a line that is no field (no colon), which
    stays in the section as a defect. A named tuple, since a message makes twenty of them: half a dataclass in cost.
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
    was wrong ("no-colon", "too-large", "too-many-fields", "no-empty-line", "no-header")."""

    __slots__ = ("_index", "_repeated", "defects", "end", "fields")

    def __init__(self, fields: tuple[RawField, ...], end: int, defects: tuple[str, ...] = ()) -> None:
        self.fields = fields
        self.end = end
        self.defects = defects
        self._index: dict[str, list[RawField]] | None = None
        self._repeated: Set[str] = frozenset()

    def __iter__(self) -> Iterator[RawField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @property
    def index(self) -> dict[str, list[RawField]]:
        """The fields by lower-case name, made on first use."""
        if self._index is None:
            index: dict[str, list[RawField]] = {}
            repeated: set[str] = set()
            for field in self.fields:
                key = field.key
                if key in index:
                    index[key].append(field)
                    repeated.add(key)
                else:
                    index[key] = [field]
            self._index, self._repeated = index, repeated
        return self._index

    @property
    def repeated(self) -> Set[str]:
        """The names, in lower case, that stand more than once."""
        return self._repeated if self.index else frozenset()

    def all(self, name: str) -> list[RawField]:
        """Every field called `name` (any case), top to bottom."""
        return self.index.get(name.lower(), [])

    def first(self, name: str) -> RawField | None:
        """The topmost field called `name`, or None."""
        found = self.index.get(name.lower())
        return found[0] if found else None

    def text(self, name: str) -> str:
        """The topmost field's text, or the empty string."""
        found = self.index.get(name.lower())
        return found[0].text if found else ""


# A field with its continuation lines: a line, and all that follow it and start with white space (RFC 5322 §2.2.3).
# Each octet belongs to one alternative only, and possessive repeats give nothing back.
_FIELD = re.compile(rb"[^\n]*+\n(?:[ \t][^\n]*+\n)*+|[^\n]++\Z")
_NAME = re.compile(rb"[!-9;-~]+")  # RFC 5322 §3.6.8: ftext is printable ASCII without the colon


def parse_header(raw: bytes, start: int = 0, end: int | None = None) -> Header:
    """Reads the header section of `raw[start:end]`. Total: any octets give a Header.

    Lines end at LF, with or without CR before it (saved files have LF). A line that starts with white space
    continues the field above it. The section ends at the first empty line. Octets that hold not one field are all body.
    """
    stop = len(raw) if end is None else end
    limit = min(stop, start + MAX_HEADER)
    if raw.startswith((b"\n", b"\r\n"), start, limit):
        return Header((), start + (1 if raw[start] == 10 else 2))
    defects: list[str] = []
    section_end, body = _section_end(raw, start, limit)
    if not body:
        section_end = body = limit
        defects.append("too-large" if limit < stop else "no-empty-line")
    pieces = _FIELD.findall(raw[start:section_end])
    if len(pieces) > 1 and pieces[-1][:1] in b" \t":
        pieces[-2:] = [pieces[-2] + pieces[-1]]  # a last line without its LF continues the field above it, too
    if len(pieces) > MAX_FIELDS:
        del pieces[MAX_FIELDS:]
        body = start + sum(map(len, pieces))
        defects.append("too-many-fields")
    fields: list[RawField] = []
    position = start
    known = 0
    for piece in pieces:
        label = piece[: piece.find(b":") + 1]
        name, key = _USUAL.get(label) or _names(label[:_LONGEST])
        if key:
            known += 1
        fields.append(_made(RawField, (name, key, piece, position)))
        position += len(piece)
    if not known:
        return Header((), start, ("no-header",))
    if known < len(fields):
        defects.insert(0, "no-colon")
    return Header(tuple(fields), body, tuple(defects))


def _section_end(raw: bytes, start: int, limit: int) -> tuple[int, int]:
    """Where the last field ends and where the body starts: around the first empty line; (0, 0) if there is none."""
    crlf = raw.find(b"\n\r\n", start, limit)
    stop = limit if crlf < 0 else crlf + 1
    if raw.rfind(b"\n\n", start, stop) >= 0:  # seldom so, and known in half the time that `find` takes
        bare = raw.find(b"\n\n", start, stop)
        return bare + 1, bare + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else (0, 0)


_made = tuple.__new__  # a named tuple without the call of its own __new__: twenty fields a message, 0.2 µs each
_LONGEST = 128  # octets of a name that are looked at; more is no field, and must not fill the cache


@lru_cache(maxsize=1024)
def _names(name: bytes) -> tuple[str, str]:
    """The name before the colon as written and in lower case; both empty when it is none. White space before the
    colon (RFC 5322 §4.5.8) is read."""
    if not name.endswith(b":"):
        return "", ""
    bare = name[:-1].rstrip(b" \t")
    if not _NAME.fullmatch(bare):
        return "", ""
    text = bare.decode("ascii")
    return text, text.lower()


# What nearly all mail is made of; a look-up here costs a third of one in the cache above.
_USUAL = {
    name.encode() + b":": (name, name.lower())
    for name in (  # noqa: SIM905 - as a list, forty lines
        "ARC-Authentication-Results ARC-Message-Signature ARC-Seal Authentication-Results Auto-Submitted Cc "
        "Content-Disposition Content-Language Content-Transfer-Encoding Content-Type DKIM-Signature Date "
        "Delivered-To Feedback-ID From In-Reply-To List-Archive List-Help List-Id List-Post List-Unsubscribe "
        "List-Unsubscribe-Post MIME-Version Message-ID Message-Id Precedence Received Received-SPF References "
        "Reply-To Return-Path Sender Subject To User-Agent X-Google-DKIM-Signature X-Gm-Message-State X-Mailer "
        "X-Originating-IP X-Priority X-Received"
    ).split()
}


class EmptyLines:
    """Finds the next empty line. What was found is remembered, so that many parts without one cost one search."""

    __slots__ = ("bare", "crlf", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.bare = self.crlf = -1

    def after(self, start: int) -> int:
        """Where the first empty line at or behind `start`, which begins a line, ends; the end if there is none."""
        source = self.source
        if source.startswith(b"\n", start):
            return start + 1
        if source.startswith(b"\r\n", start):
            return start + 2
        if self.crlf < start:
            self.crlf = source.find(b"\n\r\n", start)
            self.crlf = len(source) if self.crlf < 0 else self.crlf
        if self.bare < start:
            self.bare = source.find(b"\n\n", start)
            self.bare = len(source) if self.bare < 0 else self.bare
        return min(self.crlf + 3, self.bare + 2, len(source))
