"""The directory of a zip: what it says of its members, and what it does not say.

In: octets. Out: `Entry`s. Standard: PKWARE's APPNOTE 6.3 §4.3.7 (local header), §4.3.12 (central), §4.3.14 to §4.3.16
(end records), §4.4.4 (flags), §4.5.3 (Zip64), §4.6.9 (Unicode path).
Unpackers differ: some go by the central directory, some by what stands before each member. Both are read.
Not here: unpacking (`archive_zip`), encryption (`zip_locked`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

LOCAL, CENTRAL, END, END64 = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"
MAX_ENTRIES = 20_000
_END_WITHIN = 22 + 65535
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_FULL = 0xFFFFFFFF
_ENCRYPTED, _UTF8 = 0x1, 0x800
_SYMLINK = 0o120000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member. `start` and `packed` are where its octets lie, `others` its names by other readings; `listed` says
    whether the central directory knows it."""

    name: str
    others: tuple[str, ...]
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    start: int
    extra: bytes
    symlink: bool
    listed: bool
    header_at: int
    time: int

    @property
    def encrypted(self) -> bool:
        """Whether it takes a password."""
        return bool(self.flags & _ENCRYPTED)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder and holds nothing."""
        return self.name.endswith("/") and not self.size


def read_entries(octets: bytes) -> list[Entry]:
    """All members, those first that the central directory lists. Raises ValueError where there is none at all."""
    listed = list(_listed(octets))
    known = {entry.header_at for entry in listed}
    spans = sorted((entry.start, entry.start + entry.packed) for entry in listed)
    hidden = [entry for entry in _scanned(octets, spans, len(listed)) if entry.header_at not in known]
    if not listed and not hidden and END not in octets[-_END_WITHIN:]:
        raise ValueError("no member can be found")
    return listed + hidden


def overlapping(entries: list[Entry]) -> bool:
    """Whether members share octets: the way to make a bomb without a nested archive."""
    spans = sorted((entry.start, entry.start + entry.packed) for entry in entries if entry.packed)
    return any(second[0] < first[1] for first, second in pairwise(spans))


def _listed(octets: bytes) -> Iterator[Entry]:
    at, shift = _central_start(octets)
    for _ in range(MAX_ENTRIES):
        if not octets.startswith(CENTRAL, at) or at + _CENTRAL.size > len(octets):
            return
        row = _CENTRAL.unpack_from(octets, at)
        _, _, _, flags, method, time, _, crc, packed, size, name_length, extra_length, comment_length = row[:13]
        attributes, offset = row[15], row[16]
        start = at + _CENTRAL.size
        raw = octets[start : start + name_length]
        extra = octets[start + name_length : start + name_length + extra_length]
        size, packed, offset = _wide(extra, size, packed, offset)
        entry = _entry(octets, offset + shift, raw, flags, method, crc, packed, size, extra, attributes, time)
        if entry is not None:
            yield entry
        at = start + name_length + extra_length + comment_length


def _entry(
    octets: bytes,
    header_at: int,
    raw: bytes,
    flags: int,
    method: int,
    crc: int,
    packed: int,
    size: int,
    extra: bytes,
    attributes: int,
    time: int,
) -> Entry | None:
    """The member as the central directory has it, with the name its local header gives as another reading."""
    if header_at < 0 or not octets.startswith(LOCAL, header_at) or header_at + _LOCAL.size > len(octets):
        return None
    local = _LOCAL.unpack_from(octets, header_at)
    name_length, extra_length = local[9], local[10]
    before = octets[header_at + _LOCAL.size : header_at + _LOCAL.size + name_length]
    names = dict.fromkeys((*_names(raw, flags, extra), *(_names(before, local[2], b"") if before != raw else ())))
    first, *others = names
    return Entry(
        name=first,
        others=tuple(others),
        method=method,
        flags=flags | local[2] & _ENCRYPTED,
        crc=crc,
        packed=packed,
        size=size,
        start=header_at + _LOCAL.size + name_length + extra_length,
        extra=extra,
        symlink=attributes >> 16 & 0o170000 == _SYMLINK,
        listed=True,
        header_at=header_at,
        time=time,
    )


def _scanned(octets: bytes, spans: list[tuple[int, int]], most: int) -> Iterator[Entry]:
    """Members by their local headers, outside of those that are known."""
    at = octets.find(LOCAL)
    index = 0
    for _ in range(min(MAX_ENTRIES, 1000 + most)):
        while index < len(spans) and spans[index][1] <= at:
            index += 1
        if at < 0 or at + _LOCAL.size > len(octets):
            return
        if index < len(spans) and spans[index][0] <= at:
            at = octets.find(LOCAL, spans[index][1])
            continue
        _, _, flags, method, time, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(octets, at)
        raw = octets[at + _LOCAL.size : at + _LOCAL.size + name_length]
        start = at + _LOCAL.size + name_length + extra_length
        extra = octets[start - extra_length : start]
        size, packed, _ = _wide(extra, size, packed, 0)
        if not packed or packed > len(octets) - start:  # its length stands behind it (§4.4.4, bit 3)
            behind = octets.find(b"PK", start)
            packed = (behind if behind > 0 else len(octets)) - start
        yield Entry(
            name=_names(raw, flags, extra)[0],
            others=(),
            method=method,
            flags=flags,
            crc=crc,
            packed=packed,
            size=size,
            start=start,
            extra=extra,
            symlink=False,
            listed=False,
            header_at=at,
            time=time,
        )
        at = octets.find(LOCAL, at + 4)


def _central_start(octets: bytes) -> tuple[int, int]:
    """Where the central directory starts, and by how much all offsets are off: something may stand before the zip."""
    end = octets.rfind(END, max(len(octets) - _END_WITHIN, 0))
    if end < 0 or end + 22 > len(octets):
        return len(octets), 0
    size, offset = struct.unpack_from("<II", octets, end + 12)
    wide = octets.rfind(END64, max(end - 200, 0), end)
    if wide >= 0 and wide + 56 <= len(octets) and _FULL in (size, offset):
        size, offset = struct.unpack_from("<QQ", octets, wide + 40)
        end = wide
    start = end - size
    if start < 0 or not octets.startswith(CENTRAL, start):
        return offset, 0
    return start, start - offset


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes of 64 bits, where those of 32 are full."""
    field = _field(extra, 0x0001)
    values = [size, packed, offset]
    at = 0
    for index, value in enumerate(values):
        if value == _FULL and at + 8 <= len(field):
            values[index] = int.from_bytes(field[at : at + 8], "little")
            at += 8
    return values[0], values[1], values[2]


def _field(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def aes_field(extra: bytes) -> bytes:
    """What the member says of its AES encryption (WinZip's AE-1 and AE-2); empty for none."""
    return _field(extra, 0x9901)


def _names(raw: bytes, flags: int, extra: bytes) -> list[str]:
    """How readers may take the name: the Unicode path first, UTF-8, else code page 437."""
    names = []
    path = _field(extra, 0x7075)
    if len(path) > 5:
        names.append(path[5:].decode("utf-8", "replace"))
    try:
        names.append(raw.decode("utf-8"))
    except UnicodeDecodeError:
        names.append(raw.decode("utf-8", "replace") if flags & _UTF8 else raw.decode("cp437"))
    return list(dict.fromkeys(names))
