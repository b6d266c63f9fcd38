"""What octets are: the true type of a file by its content.

In: octets; a name and a declared type, which only settle what kind of text a text is. Out: `Detected`.
Standard: DEPENDENCIES, "type detection: own table, zip and OLE introspection". Total and quick: only beginnings, ends
and directories are read. Not here: zips (`kind_of_zip`), compound files (`kind_of_ole`), texts (`kind_of_text`).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from gatepost.sandbox.kind_of_ole import ole_kind
from gatepost.sandbox.kind_of_text import as_text, text_kind
from gatepost.sandbox.kind_of_zip import ends_in_zip, zip_kind

PICTURES = frozenset(("png", "jpeg", "gif", "webp", "bmp", "tiff"))
PROGRAMS = frozenset(("pe", "elf", "macho", "java-class", "dex", "jar", "apk", "appx", "msi", "swf", "chm"))
SCRIPTS = frozenset(("script-sh", "script-js", "script-py", "vbs", "ps1", "bat", "hta", "wsf", "reg"))
ARCHIVES = frozenset(("zip", "7z", "rar", "tar", "gzip", "bzip2", "xz", "lzma", "zstd", "cab", "lha", "arj", "ace"))
DISK_IMAGES = frozenset(("iso", "vhd", "img"))

# (offset, octets, kind): the first that matches counts
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08PK\x03\x04", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"ActiveMime", "mso"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"MSCF\x00\x00\x00\x00", "cab"),
    (0, b"\x78\x9f\x3e\x22", "tnef"),
    (0, b"\x7fELF", "elf"),
    (0, b"\xfe\xed\xfa\xce", "macho"),
    (0, b"\xfe\xed\xfa\xcf", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"dex\n0", "dex"),
    (0, b"\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46", "lnk"),
    (0, bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3"), "onenote"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"ITSF", "chm"),
    (0, b"FWS", "swf"),
    (0, b"CWS", "swf"),
    (0, b"ZWS", "swf"),
    (0, b"vhdxfile", "vhd"),
    (0, b"conectix", "vhd"),
    (0, b"QFI\xfb", "img"),
    (0, b"KDMV", "img"),
    (7, b"**ACE**", "ace"),
    (0, b"\x60\xea", "arj"),
    (0, b"xar!", "xar"),
    (0, b"!<arch>\n", "ar"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"070701", "cpio"),
    (257, b"ustar", "tar"),
    (32769, b"CD001", "iso"),
    (32769, b"BEA01", "iso"),
    (32769, b"NSR0", "iso"),
    (4, b"ftyp", "media"),
    (0, b"OggS", "media"),
    (0, b"ID3", "media"),
    (0, b"fLaC", "media"),
    (0, b"\x1a\x45\xdf\xa3", "media"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"SQLite format 3\x00", "sqlite"),
)
_BY_FIRST: dict[int, list[tuple[bytes, str]]] = {}
for _offset, _octets, _kind in _MAGIC:
    if not _offset:
        _BY_FIRST.setdefault(_octets[0], []).append((_octets, _kind))
_DEEPER = tuple(entry for entry in _MAGIC if entry[0])

_SHORT = frozenset(("swf", "arj"))  # so short that honest text begins so
_LHA = re.compile(rb"-l[hz][0-9ds]-")
_ENCRYPTED = re.compile(rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07")  # the object identifiers of PKCS #7
_SECOND_READING = PICTURES | {"pdf", "media", "pe", "gzip", "rtf", "text", "html", "swf", "font"}
_PDF_WITHIN = 1024  # readers look for %PDF- this far


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """`kind` is what most readers take the octets for, `others` what some would take them for besides."""

    kind: str
    others: tuple[str, ...] = ()


def detect(octets: bytes, *, name: str = "", declared_type: str = "", charset: str = "") -> Detected:
    """The kind of `octets`; "unknown" when nothing fits. Total."""
    kind = _binary(octets)
    if kind in _SHORT and as_text(octets[:4096], charset) is not None:
        kind = ""
    if not kind:
        kind = _textual(octets, name, declared_type, charset)
    return Detected(kind=kind, others=tuple(_others(octets, kind)))


def _binary(octets: bytes) -> str:
    if not octets:
        return "empty"
    for magic, kind in _BY_FIRST.get(octets[0], ()):
        if octets.startswith(magic):
            return _closer(octets, kind)
    for offset, magic, kind in _DEEPER:
        if octets.startswith(magic, offset):
            return kind
    return _odd(octets)


def _closer(octets: bytes, kind: str) -> str:
    if kind == "zip":
        return zip_kind(octets)
    if kind == "ole":
        return ole_kind(octets)
    return kind


def _odd(octets: bytes) -> str:
    """Kinds that one fixed row of octets does not tell."""
    head = octets[:64]
    if head.startswith(b"MZ") and len(octets) >= 64 and (_is_pe(octets) or b"\x00" in head):
        return "pe"
    if head.startswith(b"\xca\xfe\xba\xbe") and len(head) >= 8:
        # a fat Mach-O counts its architectures where a class file has its version, which began at 45
        return "macho" if int.from_bytes(head[4:8], "big") < 40 else "java-class"
    if head.startswith(b"BZh") and octets[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI "):
        return "media"
    if head.startswith(b"BM") and _is_bmp(octets):
        return "bmp"
    if head.startswith(b"\x5d\x00\x00") and head[12:13] in (b"\x00", b"\xff"):
        return "lzma"
    if _LHA.match(octets, 2):
        return "lha"
    if octets[:20].lstrip()[:4].lower() == b"{\\rt":  # Word reads "{\rt" without the f
        return "rtf"
    return _by_place(octets)


def _by_place(octets: bytes) -> str:
    if octets[510:512] == b"\x55\xaa" and (octets[3:7] == b"NTFS" or b"FAT" in octets[54:90] or octets[0:1] == b"\xeb"):
        return "img"
    if octets[510:518] == b"\x55\xaaEFI PAR" or octets[-512:-508] == b"koly":
        return "img"
    if octets[-512:-504] == b"conectix":
        return "vhd"
    if octets[0] == 0x30 and _ENCRYPTED.search(octets[:40]):
        return "pkcs7"
    if len(octets) >= 512 and _is_old_tar(octets):
        return "tar"
    if octets.startswith(b"\x00\x00\x01\x00") and octets[4:6] != b"\x00\x00" and len(octets) > 22:
        return "ico"
    return "pdf" if b"%PDF-" in octets[:_PDF_WITHIN] and as_text(octets[:200], "") is None else ""


def _is_pe(octets: bytes) -> bool:
    at = int.from_bytes(octets[60:64], "little")
    return octets[at : at + 4] == b"PE\x00\x00" or octets[at : at + 2] in (b"NE", b"LE", b"LX")


def _is_bmp(octets: bytes) -> bool:
    if len(octets) < 26:
        return False
    pixels, header = struct.unpack_from("<II", octets, 10)
    return 26 <= pixels <= len(octets) and header in (12, 40, 52, 56, 64, 108, 124)


def _is_old_tar(octets: bytes) -> bool:
    """A tar without "ustar": the checksum of its first header fits."""
    field = octets[148:156].strip(b" \x00")
    if not field or field.strip(b"01234567") or octets[0] == 0:
        return False
    return int(field, 8) == sum(octets[:148]) + 256 + sum(octets[156:512])


def _textual(octets: bytes, name: str, declared_type: str, charset: str) -> str:
    text = as_text(octets, charset)
    if text is None:
        return "pdf" if b"%PDF-" in octets[:_PDF_WITHIN] else "unknown"
    return text_kind(text, name=name, declared_type=declared_type)


def _others(octets: bytes, kind: str) -> list[str]:
    """Second readings: a picture that ends in a zip, a text in whose beginning a PDF starts."""
    found = []
    if kind in _SECOND_READING:
        if kind != "pdf" and b"%PDF-" in octets[:_PDF_WITHIN] and b"\n%%EOF" in octets[-_PDF_WITHIN:]:
            found.append("pdf")
        if ends_in_zip(octets):
            found.append(zip_kind(octets))
    if kind in PICTURES and re.search(rb"<(?:script|html)[\s>]", octets[:512], re.IGNORECASE):
        found.append("html")
    return found
