"""Reads PDF: what it does by itself, where it leads, what it holds, what it says, and the codes on its pages.

In: `Content` of kind pdf. Out: traits `pdf.*`, links and a text of source "pdf", embedded files as members.
Standard: ISO 32000-2 §12.6 (actions), §12.7.8 (XFA), §7.11.4 (embedded files), §7.6 (encryption).
Not here: pages as pictures and text (`pdf_pages`), codes (`codes`).
"""

from __future__ import annotations

import io
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.pdf_pages import read_pages
from gatepost.sandbox.unpack import inflate

MAX_OBJECTS = 50_000
MAX_DEPTH = 12  # of dictionaries within one object
MAX_SECONDS = 4.0  # of processor time for the walk; what was found until then counts
MAX_FILES = 50
MAX_PASSWORDS = 10
MAX_TEXT = 2_000

# What an action does (ISO 32000-2 table 201), and the trait that says so.
_ACTIONS = {
    "/JavaScript": "pdf.javascript",
    "/Launch": "pdf.launch",
    "/GoToR": "pdf.remote-goto",
    "/GoToE": "pdf.remote-goto",
    "/SubmitForm": "pdf.submit-form",
    "/ImportData": "pdf.import-data",
    "/Rendition": "pdf.rich-media",
    "/RichMediaExecute": "pdf.rich-media",
}
# In octets of a file that cannot be walked
_SIGNS = {
    b"/JavaScript": "pdf.javascript",
    b"/Launch": "pdf.launch",
    b"/SubmitForm": "pdf.submit-form",
    b"/EmbeddedFile": "pdf.embedded-files",
    b"/XFA": "pdf.xfa",
    b"/OpenAction": "pdf.open-action",
}
_URI = re.compile(rb"/URI\s*\(((?:[^()\\]|\\.){4,2000})\)")


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Walks every object, then the pages."""
    opened = _open(content, finds)
    if opened is None:
        return
    pdf, password = opened
    walk = _Walk()
    try:
        with pdf:
            walk.all(pdf)
            walk.tell(content, finds)
            yield from _files(pdf, walk, content, finds)
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        _surface(content, finds, f"the document's structure is broken: {_words(error)}")
    shown = read_pages(content, finds, password)
    for target in walk.links:
        finds.link(target, source="pdf", item=content.path, shown=shown.get(target, ""))


def _open(content: Content, finds: Finds) -> tuple[pikepdf.Pdf, str] | None:
    """The document and the password that opened it. Most encrypted PDF files open without one."""
    for password in ("", *content.passwords[:MAX_PASSWORDS]):
        try:
            pdf = pikepdf.open(io.BytesIO(content.octets), password=password)
        except pikepdf.PasswordError:
            continue
        except (pikepdf.PdfError, ValueError, OSError, RuntimeError) as error:
            _surface(content, finds, f"the document cannot be read: {_words(error)}")
            return None
        if pdf.is_encrypted:
            finds.trait(content.path, "pdf.encrypted", opened=True, password="in the text" if password else "none")
        return pdf, password
    finds.trait(content.path, "pdf.encrypted", opened=False, password="")
    finds.trouble("encrypted", content.path, "the document is encrypted and its password does not stand in the message")
    return None


def _words(error: Exception) -> str:
    """What a library says, without the name it has for our octets."""
    return re.sub(r"(?:stream )?<_io\.BytesIO[^>]{0,60}>(?:: )?", "", str(error))


def _surface(content: Content, finds: Finds, reason: str) -> None:
    """What the octets show where the structure cannot be walked: programs repair more than libraries do."""
    finds.trouble("damaged", content.path, reason)
    for sign, code in _SIGNS.items():
        if sign in content.octets:
            finds.trait(content.path, code, unparsed=True)
    for match in list(_URI.finditer(content.octets))[:500]:
        finds.link(match[1].decode("latin-1"), source="pdf", item=content.path)


@dataclass(slots=True)
class _Walk:
    """What the objects do. Every dictionary is looked at, direct ones too: an action may stand in a page or an
    annotation without being an object of its own."""

    traits: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, None] = field(default_factory=dict)
    files: list[Any] = field(default_factory=list)
    stopped: str = ""

    def all(self, pdf: pikepdf.Pdf) -> None:
        """Every object of `pdf`, within the limits."""
        end = time.process_time() + MAX_SECONDS
        self._root(pdf.Root)
        for number, thing in enumerate(pdf.objects):
            if number >= MAX_OBJECTS or (number % 100 == 0 and time.process_time() > end):
                self.stopped = "only a part of the document was looked at: it has too many objects"
                return
            self._look(thing, 0)

    def _root(self, root: Any) -> None:
        action = root.get("/OpenAction")
        if isinstance(action, pikepdf.Dictionary):
            kind = str(action.get("/S", ""))
            if kind and kind != "/GoTo" and kind != "/Named":  # to a page, to print or to enlarge
                self._note("pdf.open-action", action=kind.lstrip("/"))
        form = root.get("/AcroForm")
        if isinstance(form, pikepdf.Dictionary) and "/XFA" in form:
            self._note("pdf.xfa")

    def _look(self, thing: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            return
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            self._dictionary(thing)
            for _, value in thing.items():
                if not value_is_plain(value) and not value.is_indirect:
                    self._look(value, depth + 1)
        elif isinstance(thing, pikepdf.Array):
            for value in thing:
                if not value_is_plain(value) and not value.is_indirect:
                    self._look(value, depth + 1)

    def _dictionary(self, thing: Any) -> None:
        kind = thing.get("/S")
        if isinstance(kind, pikepdf.Name):
            self._action(str(kind), thing)
        if "/AA" in thing:
            self._note("pdf.additional-actions")
        if "/EF" in thing and len(self.files) < MAX_FILES:
            self.files.append(thing)
        if str(thing.get("/Subtype", "")) in ("/RichMedia", "/Flash", "/3D"):
            self._note("pdf.rich-media")

    def _action(self, kind: str, action: Any) -> None:
        if kind == "/URI":
            target = _string(action.get("/URI"))
            if target:
                self.links[target] = None
            return
        code = _ACTIONS.get(kind)
        if code is None:
            return
        target = _target(action)
        if code == "pdf.javascript":
            self._note(code, script=_script(action.get("/JS")))
            return
        self._note(code, target=target)
        if target.lower().startswith(("http:", "https:", "ftp:", "\\\\", "javascript:")):
            self.links[target] = None

    def _note(self, code: str, **evidence: Any) -> None:
        """A trait; its first evidence that says something stays."""
        known = self.traits.get(code)
        if known is None or not any(known.values()):
            self.traits[code] = evidence

    def tell(self, content: Content, finds: Finds) -> None:
        """Tells what was found."""
        for code, evidence in self.traits.items():
            finds.trait(content.path, code, **evidence)
        if self.stopped:
            finds.trouble("limit", content.path, self.stopped)


def value_is_plain(value: Any) -> bool:
    """Whether `value` holds nothing further."""
    return not isinstance(value, pikepdf.Object)


def _string(value: Any) -> str:
    if value is None:
        return ""
    return str(value)[:MAX_TEXT] if isinstance(value, pikepdf.String | str) else ""


def _target(action: Any) -> str:
    """The file or address of an action, which may be a text, a file specification or a table for each system."""
    found = action.get("/F", action.get("/Win"))
    for _ in range(3):
        if not isinstance(found, pikepdf.Dictionary):
            break
        inner = found.get("/UF", found.get("/F"))
        if inner is None:
            break
        parameters = _string(found.get("/P"))
        if parameters:
            return f"{_string(inner)} {parameters}"
        found = inner
    return _string(found)


def _script(value: Any) -> str:
    if isinstance(value, pikepdf.Stream):
        octets = _unpacked(value, 1 << 16)
        return "" if octets is None else octets[:MAX_TEXT].decode("latin-1")
    return _string(value)


def _unpacked(stream: Any, most: int) -> bytes | None:
    """A stream's octets up to `most`, None for filters that are not unpacked piece by piece."""
    filters = stream.get("/Filter")
    raw = bytes(stream.read_raw_bytes())
    if filters is None:
        return raw[:most]
    names = [str(each) for each in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    if names != ["/FlateDecode"] and names != ["/Fl"]:
        return None
    try:
        return zlib.decompressobj().decompress(raw, most)
    except zlib.error:
        return None


def _files(pdf: pikepdf.Pdf, walk: _Walk, content: Content, finds: Finds) -> Iterator[Member]:
    """Embedded files, each once."""
    names: list[str] = []
    seen: set[tuple[int, int]] = set()
    for specification in walk.files:
        name = _string(specification.get("/UF")) or _string(specification.get("/F")) or "embedded"
        table = specification.get("/EF")
        stream = table.get("/UF", table.get("/F")) if isinstance(table, pikepdf.Dictionary) else None
        if not isinstance(stream, pikepdf.Stream) or stream.objgen in seen:
            continue
        seen.add(stream.objgen)
        names.append(name)
        filters = str(stream.get("/Filter", ""))
        try:
            if filters == "/FlateDecode":
                octets = inflate(bytes(stream.read_raw_bytes()), content.budget, wbits=15)
            else:
                octets = bytes(stream.read_bytes())
                content.budget.take(len(octets))
        except (pikepdf.PdfError, zlib.error) as error:
            finds.trouble("damaged", content.path, f"the embedded file {name!r} cannot be read: {_words(error)}")
            continue
        yield Member(name=name, octets=octets, names=(name,))
    if names:
        finds.trait(content.path, "pdf.embedded-files", files=names[:20])
