"""The records of an old Excel workbook that matter: macro sheets, names that run by themselves, DDE, encryption.

In: the octets of the Workbook (or Book) stream. Out: `Biff`. Standard: MS-XLS §2.4.28 (BoundSheet8), §2.4.150 (Lbl),
§2.4.271 (SupBook), §2.4.117 (FilePass). Not here: the file around the stream (`ole`), VBA (`vba`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MAX_RECORDS = 400_000  # a workbook of 8 MB in small records

_BOUND_SHEET, _LBL, _SUP_BOOK, _FILE_PASS, _HLINK = 0x85, 0x18, 0x1AE, 0x2F, 0x1B8
_MACRO_SHEET = 1
_BUILT_IN = 0x20  # flag of Lbl: the name is one of Excel's own, given as a number
_AUTO = {1: "Auto_Open", 2: "Auto_Close", 0x0A: "Auto_Activate", 0x0B: "Auto_Deactivate"}
_HIDDEN = {1: "hidden", 2: "very hidden"}


@dataclass(slots=True, kw_only=True)
class Biff:
    """`sheets` are macro sheets with how hidden they are, `autoexec` names that run by themselves."""

    sheets: list[str] = field(default_factory=list)
    autoexec: list[str] = field(default_factory=list)
    dde: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    encrypted: bool = False


def read_biff(stream: bytes) -> Biff:
    """The records that matter. Total: a stream that ends within a record gives what came before."""
    found = Biff()
    at = 0
    for _ in range(MAX_RECORDS):
        if at + 4 > len(stream):
            break
        number, size = struct.unpack_from("<HH", stream, at)
        if number in _READERS and not (found.encrypted and number != _BOUND_SHEET):
            try:
                _READERS[number](stream[at + 4 : at + 4 + size], found)
            except (struct.error, IndexError):
                pass
        at += 4 + size
    return found


def _bound_sheet(record: bytes, found: Biff) -> None:
    hidden, kind, length, wide = record[4] & 3, record[5], record[6], record[7]
    if kind != _MACRO_SHEET or len(found.sheets) >= 20:
        return
    name = record[8:].decode("utf-16-le" if wide & 1 else "latin-1", "replace")[:length]
    found.sheets.append(f"{name} ({_HIDDEN[hidden]})" if hidden in _HIDDEN else name)


def _lbl(record: bytes, found: Biff) -> None:
    flags = struct.unpack_from("<H", record, 0)[0]
    length, wide = record[3], record[14]
    name = record[15:].decode("utf-16-le" if wide & 1 else "latin-1", "replace")[:length]
    automatic = _AUTO.get(ord(name[0]), "") if flags & _BUILT_IN and name else ""
    if not automatic and name.lower().startswith("auto_open"):
        automatic = name
    if automatic and automatic not in found.autoexec:
        found.autoexec.append(automatic)


def _sup_book(record: bytes, found: Biff) -> None:
    """A link to another program: its path is `program\\x03topic`; to another book it begins with a 1."""
    length, wide = struct.unpack_from("<HB", record, 2)
    path = record[5:].decode("utf-16-le" if wide & 1 else "latin-1", "replace")[:length]
    if "\x03" in path and not path.startswith("\x01") and len(found.dde) < 20:
        found.dde.append(path.replace("\x03", " "))


def _file_pass(_: bytes, found: Biff) -> None:
    found.encrypted = True


def _hlink(record: bytes, found: Biff) -> None:
    """A link of a cell: MS-OSHARED's Hyperlink Object holds the URL as wide characters behind a class identifier."""
    at = record.find(bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b"))
    if at < 0 or len(found.links) >= 2_000:
        return
    size = struct.unpack_from("<I", record, at + 16)[0]
    target = record[at + 20 : at + 20 + min(size, 4_000)].decode("utf-16-le", "replace").partition("\x00")[0]
    if target:
        found.links.append(target)


_READERS = {
    _BOUND_SHEET: _bound_sheet,
    _LBL: _lbl,
    _SUP_BOOK: _sup_book,
    _FILE_PASS: _file_pass,
    _HLINK: _hlink,
}
