"""A small reader of the XML that reports are written in: elements and text, bounded, forgiving, no more.

In: text. Out: `Element`s, as each that was asked for ends. One pass, linear in the length, nothing nested deeper than
`MAX_DEPTH`. No DOCTYPE is read, so there are no entities to expand and nothing to fetch; attributes and namespaces are
left out. Real reporters forget to escape "<", to close elements and to escape "&": what can be read is read, and noted.
Standard: XML 1.0 (the parts named here). Not here: what the elements mean (`dmarc_aggregate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.message.charsets import charset_codec
from gatepost.reports.reading import BadReport, Defects

MAX_DEPTH = 32  # RFC 9990's own go 6 deep
MAX_CHILDREN = 1000  # of one element that is kept; a record has 4, with hundreds of signatures at most
MAX_ELEMENTS = 2_000_000  # of one file; reports of 10 MB have 600,000
MAX_TEXT = 4096  # characters of one element's own text

_TAG = re.compile(r"</?([A-Za-z_][\w.-]*(?::[\w.-]+)?)((?:\s[^<>]{0,2000})?)/?>", re.ASCII)
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w{1,20}));|&", re.ASCII)
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})["']""")


class Element:
    """One element: `name` without its prefix, in lower case; `text` its own text; the children in order."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.children: list[Element] = []

    def find(self, name: str) -> Element | None:
        """The first child called `name`."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list[Element]:
        """Every child called `name`."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str:
        """The text of the first child called `name`, stripped; "" without one."""
        child = self.find(name)
        return child.text.strip() if child is not None else ""


def decode_markup(octets: bytes, defects: Defects) -> str:
    """The text of an XML file: by its byte order mark, the encoding it declares, else UTF-8; with U+FFFD where that
    does not hold."""
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec = "utf-16"
    else:
        declared = _DECLARED.search(octets[:300])
        codec = (charset_codec(declared[1].decode("ascii")) if declared else None) or "utf-8"
        if codec.startswith(("utf-16", "utf-32")):  # it could not have been read that far
            codec = "utf-8"
    try:
        return octets.decode(codec).lstrip("\ufeff")
    except (UnicodeError, ValueError):
        defects.note("bad-octets")
        return octets.decode("utf-8", "replace").lstrip("\ufeff")


class _Open:
    """An element that has not ended, and the pieces of its text."""

    __slots__ = ("element", "pieces", "size")

    def __init__(self, element: Element) -> None:
        self.element = element
        self.pieces: list[str] = []
        self.size = 0


class MarkupReader:
    """Reads `text` once. `elements(root, wanted)` gives, below `root`, each child in `wanted` when it ends."""

    def __init__(self, text: str, defects: Defects, *, max_elements: int = MAX_ELEMENTS) -> None:
        self._left = max_elements
        self._text = text
        self._defects = defects
        self._open: list[_Open] = []
        self._base = 0  # where in the chain `root` stands; 0: not yet
        self._ended = False

    def elements(self, root: str) -> Iterator[Element]:
        """Each child of the first element called `root`, with all that is in it, as it ends.

        Raises BadReport: no such element, a DOCTYPE, nested too deep, too many elements.
        """
        position = 0
        while not self._ended and (at := self._text.find("<", position)) >= 0:
            self._take_text(position, at)
            position, ended = self._mark(at, root)
            if ended is not None:
                yield ended
        if not self._base:
            raise BadReport("no-report", f"there is no <{root}> element in it")
        if not self._ended:
            self._defects.note("cut")
        elif self._text.find(f"<{root}", position) >= 0:
            self._defects.note("more-behind")  # two files in one: only the first is read

    def _mark(self, at: int, root: str) -> tuple[int, Element | None]:
        """Takes what stands at `at` (a "<"); where to go on, and the element that is complete by it."""
        text = self._text
        if text.startswith("<!--", at):
            return self._skip(at + 4, "-->"), None
        if text.startswith("<![CDATA[", at):
            end = text.find("]]>", at + 9)
            end = len(text) if end < 0 else end
            self._add(text[at + 9 : min(end, at + 9 + MAX_TEXT)])
            return min(end + 3, len(text)), None
        if text.startswith("<?", at):
            return self._skip(at + 2, ">"), None
        if text.startswith("<!", at):
            raise BadReport("doctype", "it has a document type declaration (<!…>), which no report needs; not read")
        tag = _TAG.match(text, at)
        if tag is None:
            self._defects.note("broken-markup")
            self._add("<")
            return at + 1, None
        name = tag[1].rpartition(":")[2].lower()
        if text[at + 1] == "/":
            return tag.end(), self._close(name)
        return tag.end(), self._start(name, root, empty=text[tag.end() - 2] == "/")

    def _skip(self, start: int, mark: str) -> int:
        end = self._text.find(mark, start)
        return len(self._text) if end < 0 else end + len(mark)

    def _start(self, name: str, root: str, *, empty: bool) -> Element | None:
        if len(self._open) >= MAX_DEPTH:
            raise BadReport("too-deep", f"its elements are nested more than {MAX_DEPTH} deep")
        self._left -= 1
        if self._left < 0:
            raise BadReport("too-many-elements", "it has more elements than any report")
        element = Element(name)
        if self._base and len(self._open) > self._base:
            children = self._open[-1].element.children
            if len(children) >= MAX_CHILDREN:
                raise BadReport("too-many-elements", f"one element holds more than {MAX_CHILDREN} others")
            children.append(element)
        self._open.append(_Open(element))
        if not self._base and name == root:
            self._base = len(self._open)
        return self._close(name) if empty else None

    def _close(self, name: str) -> Element | None:
        """Ends the innermost element of that name, and those inside it that were never closed."""
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].element.name == name:
                break
        else:
            self._defects.note("broken-markup")
            return None
        if index < len(self._open) - 1:
            self._defects.note("broken-markup")
        child = self._open[self._base].element if self._base and len(self._open) > self._base else None
        for one in self._open[index:]:
            one.element.text = _resolved("".join(one.pieces), self._defects) if one.size else ""
        del self._open[index:]
        if self._base and index < self._base:
            self._ended = True
        return child if self._base and index <= self._base else None

    def _take_text(self, start: int, end: int) -> None:
        if end > start and self._open:
            self._add(self._text[start : min(end, start + MAX_TEXT)])

    def _add(self, piece: str) -> None:
        if self._open and self._open[-1].size < MAX_TEXT:
            self._open[-1].pieces.append(piece)
            self._open[-1].size += len(piece)


def _resolved(text: str, defects: Defects) -> str:
    """`text` with the five names of XML and numbers for the characters they stand for; others stay, and are noted."""
    if "&" not in text:
        return text

    def character(found: re.Match[str]) -> str:
        code = int(found[1]) if found[1] else int(found[2], 16) if found[2] else -1
        if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000:
            return chr(code)
        known = _NAMED.get(found[3] or "")
        if known is None:
            defects.note("broken-markup")
        return known or found[0]

    return _REFERENCE.sub(character, text)
