"""Which of the many zips a zip is, by the names in its directory.

In: octets. Out: a word of `kinds`. Standard: PKWARE's APPNOTE 6.3 §4.3 (layout), §4.4 (fields). Only names are read.
Not here: unpacking (`readers.archive_zip`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_END = b"PK\x05\x06"
_CENTRAL = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_END_WITHIN = 22 + 65535  # the end record and its comment
_MAX_NAMES = 5000
_MIMETYPE = re.compile(rb"mimetype(?:\x00*)application/([\x20-\x7e]{1,80}?)(?:PK|[^\x20-\x7e]|\Z)", re.DOTALL)
_OPEN_DOCUMENT = (
    (b"vnd.oasis.opendocument.text", "odt"),
    (b"vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"vnd.oasis.opendocument.presentation", "odp"),
    (b"vnd.oasis.opendocument", "odt"),
    (b"epub+zip", "epub"),
)


def zip_kind(octets: bytes) -> str:
    """The kind of zip; "zip" for one of no special use. Total."""
    mimetype = _MIMETYPE.search(octets[:200])
    if mimetype is not None:
        for start, kind in _OPEN_DOCUMENT:
            if mimetype[1].startswith(start):
                return kind
    names = frozenset(name.lower().replace("\\", "/") for name in _names(octets))
    return _office(names) or _program(names) or "zip"


def ends_in_zip(octets: bytes) -> bool:
    """Whether a zip stands at the end of something else, as unpackers find it."""
    end = _end_record(octets)
    if end < 0 or len(octets) - end > 22 + int.from_bytes(octets[end + 20 : end + 22], "little") + 64:
        return False
    size = int.from_bytes(octets[end + 12 : end + 16], "little")
    return 0 < size <= end and octets[end - size :].startswith(_CENTRAL)


def _office(names: frozenset[str]) -> str:
    if "[content_types].xml" not in names:
        return ""
    macros = any(name.endswith("vbaproject.bin") for name in names)
    if any(name.startswith("word/") for name in names):
        return "docm" if macros else "docx"
    if any(name.startswith("xl/") for name in names):
        if any(name.startswith("xl/workbook") and name.endswith(".bin") for name in names):
            return "xlsb"
        return "xlsm" if macros else "xlsx"
    if any(name.startswith("ppt/") for name in names):
        return "pptm" if macros else "pptx"
    return "appx" if "appxmanifest.xml" in names else ""


def _program(names: frozenset[str]) -> str:
    if "androidmanifest.xml" in names and any(name.endswith(".dex") for name in names):
        return "apk"
    if "meta-inf/manifest.mf" in names:
        return "jar"
    return ""


def _end_record(octets: bytes) -> int:
    return octets.rfind(_END, max(len(octets) - _END_WITHIN, 0))


def _names(octets: bytes) -> Iterator[str]:
    """The names in the central directory, or, where that is broken, those before the members."""
    end = _end_record(octets)
    if end >= 0 and end + 22 <= len(octets):
        size, offset = struct.unpack_from("<II", octets, end + 12)
        start = end - size if octets.startswith(_CENTRAL, end - size) and size <= end else offset
        if octets.startswith(_CENTRAL, start):
            yield from _walk(octets, start, _CENTRAL, 28, 46)
            return
    yield from _scan(octets)


def _walk(octets: bytes, at: int, signature: bytes, lengths: int, fixed: int) -> Iterator[str]:
    for _ in range(_MAX_NAMES):
        if not octets.startswith(signature, at) or at + fixed > len(octets):
            return
        name, extra, comment = struct.unpack_from("<HHH", octets, at + lengths)
        yield octets[at + fixed : at + fixed + name].decode("utf-8", "replace")
        at += fixed + name + extra + comment


def _scan(octets: bytes) -> Iterator[str]:
    at = octets.find(_LOCAL)
    for _ in range(_MAX_NAMES):
        if at < 0 or at + 30 > len(octets):
            return
        length = int.from_bytes(octets[at + 26 : at + 28], "little")
        yield octets[at + 30 : at + 30 + length].decode("utf-8", "replace")
        at = octets.find(_LOCAL, at + 30)
