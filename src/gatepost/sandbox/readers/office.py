"""Reads OOXML and OpenDocument files: what they can do, what they say, what they hold.

In: `Content` of kind docx, docm, xlsx, xlsm, xlsb, pptx, pptm, odt, ods or odp. Out: traits `office.*`, links and a
text of source "office"; embedded files and pictures as members.
Standard: ECMA-376, ODF 1.3. Not here: the parts' XML (`ooxml`), VBA (`vba`), the old binary formats (`ole`).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.fields import is_remote, read_fields
from gatepost.sandbox.readers.ooxml import Words, read_relations, read_words
from gatepost.sandbox.readers.vba import read_macros
from gatepost.sandbox.unpack import CHUNK

MAX_PARTS = 2_000
MAX_XML = 8 << 20  # of one part: more is a table of data, of which the beginning is read
MAX_PICTURES = 20
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_TEXTS = ("word/", "xl/sharedstrings", "xl/worksheets/", "xl/externallinks/", "xl/workbook.xml", "ppt/slides/")
_PICTURES = ("word/media/", "xl/media/", "ppt/media/", "pictures/")
_FETCHED = frozenset(("oleObject", "frame", "subDocument", "externalLinkPath", "package", "aFChunk", "externalLink"))
_BASIC = ("basic/", "scripts/")  # where OpenDocument keeps macros


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Walks the parts of the file."""
    with zipfile.ZipFile(io.BytesIO(content.octets)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS:
            finds.trouble("limit", content.path, f"a document of more than {MAX_PARTS} parts")
        document = _Document(archive, content, finds)
        try:
            yield from document.members(parts[:MAX_PARTS])
        finally:  # what was seen before a bomb counts
            document.tell()


class _Document:
    """What was gathered from the parts so far."""

    def __init__(self, archive: zipfile.ZipFile, content: Content, finds: Finds) -> None:
        self.archive = archive
        self.content = content
        self.finds = finds
        self.all = Words()
        self.embedded: list[str] = []
        self.sheets: list[str] = []
        self.basic: list[str] = []
        self.pictures = 0
        self.hyperlinks: dict[tuple[str, str], str] = {}  # by part and id of relation: the target
        self.anchors: dict[tuple[str, str], str] = {}  # the same: what is shown
        self.damaged: dict[str, None] = {}

    def members(self, parts: list[zipfile.ZipInfo]) -> Iterator[Member]:
        """Reads every part; gives what is a file of its own."""
        for part in parts:
            name = part.filename.replace("\\", "/")
            try:
                member = self._read_part(name, part)
            except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
                self.damaged[str(error)] = None
                continue
            if member is not None:
                yield member

    def _read_part(self, name: str, part: zipfile.ZipInfo) -> Member | None:
        low = name.lower()
        if part.is_dir():
            return None
        if low.endswith(".rels"):
            self._relations(low, self._octets(part))
        elif "macrosheets/" in low:
            self.sheets.append(name)
        elif low.startswith(_BASIC):
            self._basic(name, low, part)
        elif low.endswith(".xml") and (low.startswith(_TEXTS) or low == "content.xml"):
            self._words(low, self._octets(part, MAX_XML))
        elif low.startswith(_PICTURES) and self.pictures < MAX_PICTURES:
            self.pictures += 1
            return Member(name=name, octets=self._octets(part))
        elif "/embeddings/" in low or not low.endswith((".xml", ".rels", ".png", ".jpeg", ".jpg", ".gif", ".emf")):
            return self._binary(name, low, part)
        return None

    def _binary(self, name: str, low: str, part: zipfile.ZipInfo) -> Member | None:
        """A part that is no XML: macros, controls, embedded files. Its name is the sender's choice, so octets count."""
        octets = self._octets(part)
        if octets.startswith(OLE):
            macros = read_macros(octets)
            if macros is not None:
                self.finds.trait(self.content.path, "office.macro", **macros.evidence())
                self._trouble(macros.damaged)
            if macros is not None or "vbaproject" in low:
                return None
            if "activex" in low:
                self.finds.trait(self.content.path, "office.activex", part=name)
                return None
        elif "vbaproject" in low:
            self.finds.trait(self.content.path, "office.macro", modules=0, autoexec=[], grave=[], words=[], broken=True)
            return None
        elif "/embeddings/" not in low:
            return None
        self.embedded.append(name)
        return Member(name=name, octets=octets)

    def _octets(self, part: zipfile.ZipInfo, most: int | None = None) -> bytes:
        """The part, unpacked under the message's budget; of what is larger than `most` the beginning."""

        def chunks() -> Iterator[bytes]:
            left = most
            with self.archive.open(part) as file:
                while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
                    left = None if left is None else left - len(chunk)
                    yield chunk

        return self.content.budget.gather(chunks(), part.compress_size)

    def _relations(self, name: str, octets: bytes) -> None:
        path = self.content.path
        part = name.replace("_rels/", "", 1).removesuffix(".rels")
        for relation in read_relations(octets):
            if not relation.external:
                continue
            if relation.type == "attachedTemplate" and is_remote(relation.target):
                self.finds.trait(path, "office.remote-template", target=relation.target)
            elif relation.type in _FETCHED and is_remote(relation.target):
                self.finds.trait(path, "office.external-object", target=relation.target, type=relation.type)
            if relation.type != "image" and relation.target and not relation.target.startswith("#"):
                self.hyperlinks[(part, relation.id)] = relation.target

    def _words(self, name: str, octets: bytes) -> None:
        words = read_words(octets)
        for relation_id, shown in words.anchors:
            self.anchors.setdefault((name, relation_id), shown)
        for name in ("visible", "hidden", "fields", "dde", "links"):
            getattr(self.all, name).extend(getattr(words, name))

    def _basic(self, name: str, low: str, part: zipfile.ZipInfo) -> None:
        """A module of OpenDocument; the lists of modules beside them say nothing."""
        if low.endswith((".xml", ".xlb", ".xlc")) and b"script:module" not in self._octets(part, CHUNK):
            return
        self.basic.append(name)

    def _trouble(self, reason: str) -> None:
        if reason:
            self.finds.trouble("damaged", self.content.path, reason)

    def tell(self) -> None:
        """Tells what all parts together mean."""
        path, finds, words = self.content.path, self.finds, self.all
        if self.sheets:
            finds.trait(path, "office.macro-xlm", sheets=self.sheets[:20])
        if self.basic:
            finds.trait(path, "office.macro", modules=len(self.basic), autoexec=[], grave=[], words=[])
        if self.embedded:
            finds.trait(path, "office.embedded", files=self.embedded[:20])
        if words.dde:
            finds.trait(path, "office.dde", commands=words.dde[:10])
        read_fields(words.fields, self.content, finds)
        for place, target in self.hyperlinks.items():
            finds.link(target, source="office", item=path, shown=self.anchors.get(place, ""))
        for target, shown in words.links:
            finds.link(target, source="office", item=path, shown=shown)
        visible, hidden = "".join(words.visible).strip(), "".join(words.hidden).strip()
        if visible or hidden:
            finds.text(item=path, kind="office", visible=visible, hidden=hidden)
        for reason in list(self.damaged)[:3]:
            finds.trouble("damaged", path, f"a part of the document cannot be read: {reason}")
