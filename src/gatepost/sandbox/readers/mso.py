"""Reads Office files that are XML in one piece, and the packed macros that stand in those and in saved web pages.

In: `Content` of kind xml or mso. Out: what is packed inside as members, mostly compound files, which `ole` reads.
Standard: Word 2003 XML (`w:binData`), Flat OPC (`pkg:binaryData`); ActiveMime has none: a header, then zlib.
Not here: the macros (`vba`), the parts of OOXML (`office`).
"""

from __future__ import annotations

import binascii
import re
import zlib
from collections.abc import Iterable, Iterator

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.unpack import inflate

MAX_PIECES = 50
ACTIVE_MIME = b"ActiveMime"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")  # where the packed octets begin: the header's length varies
_PLACES = 20  # of those that are tried
_OFFICE = (b"office/word/2003/wordml", b"office/2006/xmlPackage", b"office:excel", b"mso-application")
_PIECE = re.compile(rb"<(?:\w{1,10}:)?(?:binData|binaryData)\b[^>]{0,500}>([A-Za-z0-9+/=\s]{16,})<")


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Gives what is packed inside."""
    if content.kind == "mso":
        yield from _active_mime(content)
    elif any(sign in content.octets for sign in _OFFICE):
        yield from _pieces(content, finds)


def _active_mime(content: Content) -> Iterator[Member]:
    for place in list(_ZLIB.finditer(content.octets, len(ACTIVE_MIME)))[:_PLACES]:
        try:
            octets = inflate(content.octets[place.start() :], content.budget, wbits=15)
        except zlib.error:
            continue
        if len(octets) > 16:
            yield Member(name="", octets=octets)
            return


def _pieces(content: Content, finds: Finds) -> Iterator[Member]:
    found = 0
    for piece in _PIECE.finditer(content.octets):
        if found >= MAX_PIECES:
            finds.trouble("limit", content.path, f"only the first {MAX_PIECES} packed pieces were looked at")
            return
        try:
            octets = binascii.a2b_base64(piece[1])
        except binascii.Error:
            continue
        found += 1
        content.budget.take(len(octets))
        yield Member(name="", octets=octets)
