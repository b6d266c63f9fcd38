"""Which compound file a compound file is, by the names at the top of its directory.

In: octets. Out: a word of `kinds`. Standard: Microsoft's MS-CFB (header §2.2, FAT §2.3, directory §2.6).
Not here: reading streams (`readers.ole`, `readers.msg`).
"""

from __future__ import annotations

import struct

_FREE = 0xFFFFFFFA  # from here on sector numbers mean something else
_MAX_ENTRIES = 4000
_INSTALLERS = frozenset(  # class identifiers of .msi, .mst and .msp
    bytes.fromhex(first + "00000000c000000000000046") for first in ("84100c00", "82100c00", "86100c00")
)


def ole_kind(octets: bytes) -> str:
    """The kind of compound file; "ole" for one that is none of the usual. Total."""
    try:
        names, class_id = _top(octets)
    except (struct.error, IndexError, ValueError):
        return "ole"
    if class_id in _INSTALLERS:
        return "msi"
    if "__properties_version1.0" in names:
        return "msg"
    if "worddocument" in names:
        return "doc"
    if "workbook" in names or "book" in names:
        return "xls"
    if "powerpoint document" in names:
        return "ppt"
    return "ole"


def _top(octets: bytes) -> tuple[frozenset[str], bytes]:
    """The names (in lower case) directly below the root, and the root's class identifier."""
    shift = struct.unpack_from("<H", octets, 30)[0]
    if shift not in (9, 12):
        raise ValueError("sector size")
    size = 1 << shift
    directory = b"".join(_chain(octets, struct.unpack_from("<I", octets, 48)[0], size))
    entries = [directory[at : at + 128] for at in range(0, min(len(directory), _MAX_ENTRIES * 128) - 127, 128)]
    class_id = entries[0][80:96]
    names = set()
    todo, seen = [struct.unpack_from("<I", entries[0], 76)[0]], set()
    while todo:
        number = todo.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        length = min(struct.unpack_from("<H", entry, 64)[0], 64)
        names.add(entry[: max(length - 2, 0)].decode("utf-16-le", "replace").lower())
        todo.extend(struct.unpack_from("<II", entry, 68))  # its neighbours, left and right
    return frozenset(names), class_id


def _chain(octets: bytes, sector: int, size: int) -> list[bytes]:
    """The sectors of the chain that starts at `sector`, as far as the FAT sectors named in the header tell."""
    fats = struct.unpack_from("<109I", octets, 76)
    per_fat = size // 4
    found: list[bytes] = []
    seen = set()
    while sector < _FREE and sector not in seen and len(found) * size < _MAX_ENTRIES * 128:
        seen.add(sector)
        found.append(octets[(sector + 1) * size : (sector + 2) * size])
        table = sector // per_fat
        if table >= len(fats) or fats[table] >= _FREE:
            break
        sector = struct.unpack_from("<I", octets, (fats[table] + 1) * size + sector % per_fat * 4)[0]
    return found
