"""Reads Rich Text: embedded objects, objects and templates from elsewhere, fields.

In: `Content` of kind rtf. Out: traits `rtf.*` and `office.*`, links; embedded files as members.
Standard: Rich Text Format 1.9.1, MS-OLEDS. Not here: what is in the members (`ole`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from oletools import rtfobj  # type: ignore[import-untyped]

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.fields import is_remote, read_fields

MAX_OCTETS = 8 << 20  # oletools looks at every octet by itself: eight megabytes take some seconds
MAX_OBJECTS = 50
MAX_FIELDS = 2_000
MAX_LETTERS = 300_000  # of the markup that is searched for text

_TEMPLATE = re.compile(rb"\\\*\s*\\template\s*([^{}]{1,2000})")
_CONTROL = re.compile(r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,5}) ?\??|\\[a-z]{1,32}-?\d{0,10} ?|[{}\r\n]|\\(.)")
_PARAGRAPH = re.compile(r"\\(?:par|line|cell|row)\b ?")
_DESTINATION = re.compile(
    rb"\{\\(?:\*|fonttbl|colortbl|stylesheet|info|pict|object|themedata|generator)[^{}]{0,10000}(?:\{[^{}]*\}[^{}]*){0,500}\}"
)
_URL = re.compile(rb"https?://[\x21-\x5b\x5d-\x7a\x7e]{4,2000}")


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells what the file does, and gives its objects."""
    octets = content.octets[:MAX_OCTETS]
    if len(content.octets) > MAX_OCTETS:
        finds.trouble("limit", content.path, f"only the first {MAX_OCTETS} octets of the text were read")
    _surface(octets, content, finds)
    if b"\\obj" in octets or b"d0cf11e0" in octets.lower() or b"\\bin" in octets:
        yield from _objects(octets, content, finds)


def _surface(octets: bytes, content: Content, finds: Finds) -> None:
    """What can be read without decoding objects."""
    for match in _TEMPLATE.finditer(octets):
        target = plain(match[1].decode("latin-1")).strip()
        if is_remote(target):
            finds.trait(content.path, "office.remote-template", target=target)
            finds.link(target, source="office", item=content.path)
    instructions = octets.split(b"\\fldinst")[1:MAX_FIELDS]
    read_fields(
        (plain(each[:2_000].partition(b"}")[0].decode("latin-1")).strip() for each in instructions), content, finds
    )
    for match in list(_URL.finditer(octets))[:500]:
        finds.link(match[0].decode("ascii"), source="office", item=content.path)
    text = plain(_DESTINATION.sub(b"", octets).decode("latin-1")[:MAX_LETTERS]).strip()
    if text:
        finds.text(item=content.path, kind="office", visible=text)


def plain(rtf: str) -> str:
    """The letters of `rtf` without its control words."""

    def letter(match: re.Match[str]) -> str:
        if match[1]:
            return bytes.fromhex(match[1]).decode("cp1252", "replace")
        if match[2]:
            return chr(int(match[2]) % 65536)
        return match[3] if match[3] and match[3] in "\\{}" else ""

    return _CONTROL.sub(letter, _PARAGRAPH.sub("\n", rtf))


def _objects(octets: bytes, content: Content, finds: Finds) -> Iterable[Member]:
    logging.getLogger("rtfobj").setLevel(logging.CRITICAL + 1)
    parser = rtfobj.RtfObjParser(octets)
    parser.parse()
    classes: list[str] = []
    for found in parser.objects[:MAX_OBJECTS]:
        name = (
            found.class_name.decode("latin-1") if isinstance(found.class_name, bytes) else str(found.class_name or "")
        )
        classes.append(name)
        if found.is_package and found.olepkgdata:
            file_name = _name(found.filename)
            yield Member(name=file_name, octets=found.olepkgdata, names=(file_name,) if file_name else ())
        elif found.is_ole and found.oledata:
            yield Member(name="", octets=found.oledata)
        elif found.rawdata:
            yield Member(name="", octets=found.rawdata)
    if classes:
        finds.trait(content.path, "rtf.object", classes=classes[:20], update=b"\\objupdate" in octets)
        if any(name.lower().startswith("equation") for name in classes):
            finds.trait(content.path, "office.equation", stream="rtf")


def _name(name: object) -> str:
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name or "")
    return text.replace("\\", "/").rpartition("/")[2]
