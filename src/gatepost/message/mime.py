"""The MIME tree: parts as offsets into the octets they were read from, with what was wrong.

In: a message's octets and its header. Out: the root `Part` of a tree.
Standard: RFC 2045, RFC 2046 §5.1 (multipart) and §5.2.1 (message/rfc822). One pass over the octets, each line that
starts with "--" looked up once, whatever the depth. Limits on depth and number; what lies beyond them is body.
Not here: what a part is (`part`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gatepost.message.header import EmptyLines, Header, parse_header
from gatepost.message.parameters import ContentType
from gatepost.message.part import Part
from gatepost.message.transfer import IDENTITIES

MAX_DEPTH = 100  # as Postfix's mime_nesting_limit; the deepest message in the corpora has 8 levels
MAX_PARTS = 10_000  # digests of busy lists may have hundreds; the most in the corpora are 16
_MAX_BOUNDARY = 10_000  # RFC 2046 §5.1.1 says 70, and readers that take longer ones would see parts we did not
_MAX_LINE = _MAX_BOUNDARY + 100  # with hyphens, and white space that gateways add
_MAX_ENCODED = 20  # messages in base64; each costs a pass of its own

_PLAIN = ContentType(value="text/plain")
_RFC822 = ContentType(value="message/rfc822")
_UU_BEGIN = re.compile(rb"\nbegin [0-7]{3,4} [^\r\n]")
_MESSAGES = frozenset(("message/rfc822", "message/global"))


class _Budget:
    """What may still be made: one for a message with all that is encoded inside."""

    __slots__ = ("encoded", "parts")

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.encoded = _MAX_ENCODED


def parse_tree(
    source: bytes, header: Header | None = None, *, max_depth: int = MAX_DEPTH, max_parts: int = MAX_PARTS
) -> Part:
    """The MIME tree of `source`. Total: any octets give a Part."""
    return _TreeReader(source, _Budget(max_parts), max_depth).read(header or parse_header(source))


class _Level(NamedTuple):
    """A multipart whose parts are being read; `depth` is where in the chain of open parts its children stand.
    `hidden` are the meanings its two delimiter lines had before."""

    part: Part
    depth: int
    delimiter: bytes
    hidden: tuple[tuple[int, bool] | None, tuple[int, bool] | None]


class _TreeReader:
    """One pass over `source`. `open` is the chain of parts from the root to where we are, `levels` the multiparts in
    it that are not closed, `lines` what each delimiter line would mean: a level, and whether it closes it."""

    def __init__(self, source: bytes, budget: _Budget, max_depth: int) -> None:
        self.source = source
        self.budget = budget
        self.max_depth = max_depth
        self.open: list[Part] = []
        self.levels: list[_Level] = []
        self.lines: dict[bytes, tuple[int, bool]] = {}
        self.blanks = EmptyLines(source)

    def read(self, header: Header) -> Part:
        """The whole tree, its root with `header`."""
        root = Part(self.source, 0, header, _PLAIN)
        position = self.enter(root)
        while self.levels:
            newline = self.source.find(b"\n--", position)
            if newline < 0:
                break
            position = self.line(newline)
        self.close(0, len(self.source))
        return root

    def line(self, newline: int) -> int:
        """Takes the line after `newline` (it starts with "--"); where to look for the next one."""
        end = self.source.find(b"\n", newline + 1, newline + _MAX_LINE) + 1
        if not end:
            if len(self.source) - newline > _MAX_LINE:
                return newline + 1
            end = len(self.source)
        meaning, exact = self.meaning(self.source[newline + 1 : end])
        if meaning is None:
            return end - 1
        index, closing = meaning
        level = self.levels[index]
        if not exact:
            level.part.note("text-after-boundary")
        if not closing and self.budget.parts <= 0:
            level.part.note("too-many-parts")
            return end - 1
        cut = newline - 1 if self.source[newline - 1 : newline] == b"\r" else newline
        if not level.part.children:
            level.part.preamble_end = max(cut, level.part.body_start)
        self.close(level.depth, cut)
        if closing:
            self.pop_level()
            level.part.epilogue_start = end
            return end - 1
        default = _RFC822 if level.part.content_type.value == "multipart/digest" else _PLAIN
        part = Part(self.source, end, self.header(end), default)
        level.part.children.append(part)
        return self.enter(part)

    def meaning(self, line: bytes) -> tuple[tuple[int, bool] | None, bool]:
        """What `line` delimits, and whether it holds nothing else. RFC 2046 §5.1.1: white space may follow, and "an
        exact match of the entire candidate line is not required"; we take further text only behind white space."""
        found = self.lines.get(line.rstrip(b" \t\r\n"))
        if found is not None:
            return found, True
        return self.lines.get(line.split(maxsplit=1)[0]), False

    def header(self, start: int) -> Header:
        """The header section at `start`: it ends at an empty line, or before a delimiter line."""
        stop = self.blanks.after(start)
        newline = self.source.find(b"\n--", max(start - 1, 0), stop)
        while newline >= 0:
            end = self.source.find(b"\n", newline + 1, stop) + 1 or stop
            if self.meaning(self.source[newline + 1 : min(end, newline + _MAX_LINE)])[0] is not None:
                stop = newline + 1
                break
            newline = self.source.find(b"\n--", end - 1, stop)
        return parse_header(self.source, start, stop)

    def enter(self, part: Part) -> int:
        """Puts `part` at the end of the chain, and what a message holds behind it; where the search goes on."""
        while True:
            self.budget.parts -= 1
            self.open.append(part)
            kind = part.content_type
            if kind.maintype == "multipart":
                self.push_level(part)
                break
            if kind.value not in _MESSAGES or part.encoding not in IDENTITIES:
                break
            if not self.may_nest(part):
                break
            inner = Part(self.source, part.body_start, self.header(part.body_start), _PLAIN)
            part.children.append(inner)
            part = inner
        return max(part.body_start - 1, 0)

    def may_nest(self, part: Part) -> bool:
        if len(self.open) >= self.max_depth:
            part.note("too-deep")
        elif self.budget.parts <= 0:
            part.note("too-many-parts")
        else:
            return True
        return False

    def push_level(self, part: Part) -> None:
        """Opens the level of a multipart."""
        if part.encoding not in IDENTITIES:
            part.note("encoded-multipart")  # RFC 2045 §6.4 forbids it; like most readers we take the body as it is
        boundary = _boundary(part)
        if not boundary or len(boundary) > _MAX_BOUNDARY:
            part.note("missing-boundary")
        elif self.may_nest(part):
            delimiter = b"--" + boundary
            hidden = (self.lines.get(delimiter), self.lines.get(delimiter + b"--"))
            self.lines[delimiter] = (len(self.levels), False)
            self.lines[delimiter + b"--"] = (len(self.levels), True)
            self.levels.append(_Level(part, len(self.open), delimiter, hidden))

    def pop_level(self) -> None:
        """Ends the innermost level and gives its lines their former meaning back."""
        level = self.levels.pop()
        for line, meaning in zip((level.delimiter, level.delimiter + b"--"), level.hidden, strict=True):
            if meaning is None:
                del self.lines[line]
            else:
                self.lines[line] = meaning

    def close(self, depth: int, cut: int) -> None:
        """Ends all open parts from `depth` on at `cut`, and the levels in them, which lacked their closing line."""
        while self.levels and self.levels[-1].depth > depth:
            part = self.levels[-1].part
            part.note("unclosed-boundary" if part.children else "no-parts")
            self.pop_level()
        while len(self.open) > depth:
            self.finish(self.open.pop(), cut)

    def finish(self, part: Part, cut: int) -> None:
        """Sets the end of `part` and looks at what can be judged only now."""
        part.body_end = max(cut, part.body_start)
        if part.epilogue_start is not None:
            part.epilogue_start = min(part.epilogue_start, part.body_end)
        kind = part.content_type
        if kind.value in _MESSAGES and part.encoding not in IDENTITIES:
            self.read_encoded(part)
        elif kind.value == "text/plain" and part.encoding in IDENTITIES:
            begin = self.source.find(b"\nbegin ", max(part.body_start - 1, 0), part.body_end)
            if begin >= 0 and _UU_BEGIN.match(self.source, begin, part.body_end):
                part.note("uuencoded-text")

    def read_encoded(self, part: Part) -> None:
        """RFC 2046 §5.2.1 forbids encoding a message/rfc822; readers open it all the same, so what is inside counts."""
        part.note("encoded-message")
        if self.budget.encoded <= 0 or self.budget.parts <= 0 or len(self.open) >= self.max_depth:
            part.note("too-deep")
            return
        self.budget.encoded -= 1
        octets = part.decoded.octets
        reader = _TreeReader(octets, self.budget, self.max_depth - len(self.open) - 1)
        part.children.append(reader.read(parse_header(octets)))


def _boundary(part: Part) -> bytes:
    """The boundary's octets. Its text was read as UTF-8 or Latin-1; the header tells which."""
    text = part.content_type.get("boundary").rstrip(" \t")
    octets = text.encode("utf-8", "replace")
    if not text.isascii() and all(octets not in field.raw for field in part.header.all("content-type")):
        return text.encode("latin-1", "replace")
    return octets
