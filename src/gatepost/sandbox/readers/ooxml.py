"""The parts of OOXML and OpenDocument files: relationships, texts, fields, formulas.

In: octets of one XML part. Out: plain values. Standard: ECMA-376 Part 2 §9 (relationships), Part 1 §17 (words), §18
(sheets); ODF 1.3 Part 3. Not here: the zip around the parts and what is made of them (`office`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.sandbox.readers.elements import NotXml, walk

MAX_RELATIONS = 2_000
MAX_LETTERS = 200_000  # of the text of one part
MAX_FORMULAS = 5_000

# A formula that starts a program, or hands a value to one: cmd|' /c calc'!A0, CALL("kernel32",…), WEBSERVICE("http…").
_DDE_FORMULA = re.compile(r"^\W{0,3}\w{2,40}\|\s*'[^']{0,300}'!|^\W{0,3}DDE\(", re.IGNORECASE)
_LINK_FORMULA = re.compile(r'\b(?:HYPERLINK|WEBSERVICE|IMAGE)\s*\(\s*"([^"]{4,2000})"', re.IGNORECASE)
_BREAKS = frozenset(("p", "br", "cr", "tab", "tc", "si", "h", "row", "line-break", "list-item"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`id` is what the part calls it; `type` is the last word of the type's URI; `external` says that `target` is
    outside the file."""

    id: str
    type: str
    target: str
    external: bool


@dataclass(slots=True, kw_only=True)
class Words:
    """What one part says: `visible` and `hidden` text, instructions of `fields`, `dde` commands, `links` with
    what they show, `anchors`: ids of relations with what they show."""

    visible: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    dde: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    anchors: list[tuple[str, str]] = field(default_factory=list)
    damaged: str = ""


def read_relations(octets: bytes) -> list[Relation]:
    """The relationships of one `.rels` part; what comes before damage counts."""
    found: list[Relation] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and len(found) < MAX_RELATIONS:
            external = attributes.get("TargetMode", "").lower() == "external"
            kind = attributes.get("Type", "").rstrip("/").rpartition("/")[2]
            found.append(
                Relation(id=attributes.get("Id", ""), type=kind, target=attributes.get("Target", ""), external=external)
            )

    try:
        walk(octets, start, _nothing, _nothing)
    except NotXml:
        pass
    return found


def read_words(octets: bytes) -> Words:
    """The text of one part, of whichever program."""
    reader = _Reader()
    try:
        walk(octets, reader.start, reader.end, reader.words)
    except NotXml as error:
        reader.found.damaged = str(error)
    reader.flush_field()
    return reader.found


class _Reader:
    """Follows one part. In words, spreadsheets and slides the text stands in `t`, in OpenDocument anywhere in `p` and
    `h`; a hidden run says `vanish` before its text; a field's instruction is split over runs."""

    def __init__(self) -> None:
        self.found = Words()
        self.where = ""
        self.hidden = False
        self.paragraphs = 0
        self.open_document = False
        self.instruction: list[str] = []
        self.open_links: list[tuple[str, int]] = []
        self.letters = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.where = name
        if name == "document-content":
            self.open_document = True
        elif name in ("p", "h"):
            self.paragraphs += 1
        elif name == "r" or name == "rPr":
            self.hidden = False
        elif name == "vanish":
            self.hidden = attributes.get("val", "1") not in ("0", "false", "off")
        elif name == "fldChar":
            self.flush_field()
        else:
            self._telling(name, attributes)

    def _telling(self, name: str, attributes: Mapping[str, str]) -> None:
        """Elements whose attributes say something by themselves."""
        if name == "fldSimple":
            self.found.fields.append(attributes.get("instr", ""))
        elif name == "ddeLink":
            service, topic = attributes.get("ddeService", ""), attributes.get("ddeTopic", "")
            self.found.dde.append(f"{service} {topic}".strip())
        elif name == "dde-source" or name == "dde-connection-decl":
            words = (attributes.get(key, "") for key in ("dde-application", "dde-topic", "dde-item"))
            self.found.dde.append(" ".join(words).strip())
        elif name in ("hlinkClick", "hlinkMouseOver", "hlinkHover"):
            if attributes.get("action", "").lower().startswith("ppaction://program"):
                self.found.dde.append(f"{name} {attributes['action']}")
        elif name == "hyperlink" or (name == "a" and self.open_document):
            self.open_links.append((attributes.get("href", attributes.get("id", "")), len(self.found.visible)))

    def end(self, name: str) -> None:
        self.where = ""
        if name in ("p", "h"):
            self.paragraphs -= 1
        elif self.open_links and (name == "hyperlink" or (name == "a" and self.open_document)):
            target, since = self.open_links.pop()
            links = self.found.links if self.open_document else self.found.anchors
            if target and len(links) < MAX_RELATIONS:
                links.append((target, "".join(self.found.visible[since:])[:500].strip()))
        if name in _BREAKS:
            self._add(" " if name == "tab" else "\n")

    def words(self, text: str) -> None:
        if self.where == "instrText":
            self.instruction.append(text)
        elif self.where in ("f", "definedName"):
            self._formula(text)
        elif self.where == "t" or (self.open_document and self.paragraphs > 0):
            self._add(text)

    def _add(self, text: str) -> None:
        self.letters += len(text)
        if self.letters <= MAX_LETTERS:
            (self.found.hidden if self.hidden else self.found.visible).append(text)

    def _formula(self, text: str) -> None:
        if _DDE_FORMULA.search(text[:400]):
            self.found.dde.append(text[:400])
        for target in _LINK_FORMULA.findall(text[:4_000]):
            if len(self.found.links) < MAX_FORMULAS:
                self.found.links.append((target, ""))

    def flush_field(self) -> None:
        """Ends the field that was being read, if any."""
        if self.instruction:
            self.found.fields.append("".join(self.instruction))
            self.instruction = []


def _nothing(_: str) -> None:
    return
