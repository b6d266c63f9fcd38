"""A compound file: a small file system in a file, as Outlook's .msg and old Office documents are.

In: octets. Out: `Compound`: storages and streams by path. Bounded by construction: every chain ends at the second visit
of a sector, nothing is larger than the file. Standard: Microsoft's MS-CFB §2 (header, FAT, directory, mini stream).
Not here: what the streams mean (`outlook`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 20_000
_FREE = 0xFFFFFFFA
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MINI = 64


class BadCompound(ValueError):
    """The octets are no compound file that can be read."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class Compound:
    """Reads `octets`. Raises BadCompound; what is damaged deeper shows as missing or short streams."""

    def __init__(self, octets: bytes) -> None:
        if not octets.startswith(MAGIC) or len(octets) < 512:
            raise BadCompound("it does not begin as a compound file")
        shift, mini_shift = struct.unpack_from("<HH", octets, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise BadCompound("its sectors have an unknown size")
        self._octets = octets
        self._size = 1 << shift
        self._fat = self._read_fat()
        self._entries = self._read_directory(struct.unpack_from("<I", octets, 48)[0])
        mini_start = struct.unpack_from("<I", octets, 60)[0]
        self._mini_fat = _numbers(b"".join(self._chain(mini_start)))
        self._cutoff = struct.unpack_from("<I", octets, 56)[0]
        root = self._entries[0]
        self._mini = b"".join(self._chain(root.start))
        self._tree: dict[int, dict[str, int]] = {}

    def names(self, path: tuple[str, ...] = ()) -> list[str]:
        """What stands in the storage at `path`, in its own spelling."""
        number = self._find(path)
        return [] if number is None else [self._entries[n].name for n in self._children(number).values()]

    def is_storage(self, path: tuple[str, ...]) -> bool:
        """Whether `path` is a storage."""
        number = self._find(path)
        return number is not None and self._entries[number].kind in (_STORAGE, _ROOT)

    def stream(self, *path: str) -> bytes | None:
        """The octets of a stream, None where there is none."""
        number = self._find(path)
        if number is None or self._entries[number].kind != _STREAM:
            return None
        entry = self._entries[number]
        if entry.size < self._cutoff:
            return b"".join(self._mini_chain(entry.start, entry.size))[: entry.size]
        return b"".join(self._chain(entry.start, entry.size))[: entry.size]

    def _find(self, path: tuple[str, ...]) -> int | None:
        number: int | None = 0
        for name in path:
            if number is None:
                return None
            number = self._children(number).get(name.lower())
        return number

    def _children(self, number: int) -> dict[str, int]:
        """The entries of a storage by name in lower case: a tree of neighbours, walked once."""
        known = self._tree.get(number)
        if known is not None:
            return known
        found: dict[str, int] = {}
        todo, seen = [self._entries[number].child], set()
        while todo:
            at = todo.pop()
            if at in seen or at >= len(self._entries) or not at:
                continue
            seen.add(at)
            entry = self._entries[at]
            if entry.kind in (_STORAGE, _STREAM):
                found.setdefault(entry.name.lower(), at)
            todo += [entry.right, entry.left]
        self._tree[number] = found
        return found

    def _sector(self, number: int) -> bytes:
        return self._octets[(number + 1) * self._size : (number + 2) * self._size]

    def _read_fat(self) -> list[int]:
        """The table of all chains, from the sectors that the header and its continuations name."""
        sectors = list(struct.unpack_from("<109I", self._octets, 76))
        more, count = struct.unpack_from("<II", self._octets, 68)
        seen: set[int] = set()
        while more < _FREE and more not in seen and len(seen) <= count:
            seen.add(more)
            numbers = _numbers(self._sector(more))
            if not numbers:
                break
            sectors += numbers[:-1]
            more = numbers[-1]
        most = len(self._octets) // self._size + 1
        used = list(dict.fromkeys(sector for sector in sectors if sector < _FREE))[:most]
        return _numbers(b"".join(self._sector(sector) for sector in used))

    def _chain(self, sector: int, size: int | None = None) -> Iterator[bytes]:
        left = len(self._octets) if size is None else size
        seen = set()
        while sector < _FREE and sector not in seen and left > 0:
            seen.add(sector)
            data = self._sector(sector)
            if not data:
                return
            yield data
            left -= len(data)
            sector = self._fat[sector] if sector < len(self._fat) else _FREE

    def _mini_chain(self, sector: int, size: int) -> Iterator[bytes]:
        seen = set()
        while sector < _FREE and sector not in seen and size > 0:
            seen.add(sector)
            yield self._mini[sector * _MINI : (sector + 1) * _MINI]
            size -= _MINI
            sector = self._mini_fat[sector] if sector < len(self._mini_fat) else _FREE

    def _read_directory(self, start: int) -> list[_Entry]:
        directory = b"".join(self._chain(start, MAX_ENTRIES * 128))
        entries = []
        for at in range(0, len(directory) - 127, 128):
            length = min(struct.unpack_from("<H", directory, at + 64)[0], 64)
            name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", directory, at + 68)
            first, size = struct.unpack_from("<II", directory, at + 116)
            entries.append(_Entry(name, directory[at + 66], left, right, child, first, size))
        if not entries:
            raise BadCompound("its directory is missing")
        return entries


def _numbers(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))
