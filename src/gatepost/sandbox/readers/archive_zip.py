"""Zip archives, jar and apk: members unpacked under limits, encrypted ones with passwords from the message.

In: `Content` of kind "zip". Out: `Member`s, traits `archive.*`. Standard: PKWARE's APPNOTE 6.3 §4.4.5 (methods).
Not here: the directory (`zip_directory`), ciphers (`zip_locked`).
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterable, Iterator

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.archive_members import note_link, note_locked, note_name
from gatepost.sandbox.readers.zip_directory import Entry, aes_field, overlapping, read_entries
from gatepost.sandbox.readers.zip_locked import open_aes, open_old
from gatepost.sandbox.unpack import Bomb, Unpacking, inflated, trouble_of

_AES = 99
_SIZE_BEHIND = 0x8  # §4.4.4: sizes and checksum stand behind the member


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """Every member that can be opened."""
    entries = read_entries(content.octets)
    if overlapping([entry for entry in entries if entry.listed]):
        finds.trait(content.path, "archive.overlap")
    hidden = [entry.name for entry in entries if not entry.listed]
    if hidden and len(hidden) < len(entries):
        finds.trait(content.path, "archive.hidden-member", names=hidden[:5])
    passwords = _Passwords(content)
    for entry in entries:
        if entry.is_folder:
            continue
        for name in (entry.name, *entry.others):
            note_name(content, finds, name)
        if entry.others:
            finds.trait(content.path, "archive.name-differs", names=[entry.name, *entry.others])
        octets = _opened(content, finds, entry, passwords)
        if octets is None:
            continue
        if entry.symlink:
            note_link(content, finds, entry.name, octets[:200].decode("utf-8", "replace"))
        yield Member(name=entry.name, names=(entry.name, *entry.others), octets=octets)


def _opened(content: Content, finds: Finds, entry: Entry, passwords: _Passwords) -> bytes | None:
    """The member's octets; None where they cannot be had, which `finds` is told."""
    data = content.octets[entry.start : entry.start + entry.packed]
    if not entry.encrypted:
        return _unpacked(content, finds, entry, data, entry.method)
    field = aes_field(entry.extra) if entry.method == _AES else b""
    method = int.from_bytes(field[5:7], "little") if field else entry.method
    try:
        octets, password = passwords.open(entry, data, field, method)
    except ValueError as error:
        finds.trait(content.path, "archive.encrypted", opened=False, method="aes" if field else "zip")
        finds.trouble("encrypted", content.path, f"{entry.name}: {error}")
        return None
    note_locked(content, finds, opened_by=password, method="aes" if field else "zip")
    return octets


class _Passwords:
    """Tries them on one member after the other; the one that opened the last is tried first."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._order = list(content.passwords)
        self._failed = False

    def open(self, entry: Entry, data: bytes, field: bytes, method: int) -> tuple[bytes | None, str | None]:
        """The octets and the password, or None twice. After one member that none opens only the first is tried."""
        for index, password in enumerate(self._order[: 1 if self._failed else None]):
            octets = self._try(entry, data, field, method, password)
            if octets is not None:
                self._order.insert(0, self._order.pop(index))
                return octets, password
        self._failed = True
        return None, None

    def _try(self, entry: Entry, data: bytes, field: bytes, method: int, password: str) -> bytes | None:
        secret = password.encode("utf-8")
        if field:
            packed = open_aes(data, field, secret)
        else:
            check = entry.time >> 8 if entry.flags & _SIZE_BEHIND else entry.crc >> 24
            packed = open_old(data, check & 0xFF, secret)
        if packed is None:
            return None
        try:
            octets = self._content.budget.gather(_chunks(packed, method, entry.size), len(packed))
        except (zlib.error, lzma.LZMAError, OSError, EOFError):
            return None
        return octets if field or zlib.crc32(octets) == entry.crc else None


def _unpacked(content: Content, finds: Finds, entry: Entry, data: bytes, method: int) -> bytes | None:
    try:
        return content.budget.gather(_chunks(data, method, entry.size), len(data))
    except Bomb as bomb:
        finds.trouble(trouble_of(bomb), content.path, f"{entry.name}: {bomb}")
        if content.budget.spent:
            raise
        return None
    except NotImplementedError as error:
        finds.trouble("unavailable", content.path, f"{entry.name}: {error}")
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        finds.trouble("damaged", content.path, f"{entry.name}: {error}")
    return None


def _chunks(data: bytes, method: int, size: int) -> Iterable[bytes]:
    """What `data` unpacks to, piece by piece."""
    if method == 0:
        return (data,)
    if method == 8:
        return inflated(data, -zlib.MAX_WBITS)
    if method == 9:
        return _deflate64(data, size)
    if method == 12:
        return Unpacking(bz2.BZ2Decompressor(), data)
    if method == 14:
        return Unpacking(_lzma(data), data, start=4 + int.from_bytes(data[2:4], "little"), most=size)
    if method == 93:
        from gatepost.sandbox.readers.archive_stream import zstd

        return Unpacking(zstd(), data)
    if method == 95:
        return Unpacking(lzma.LZMADecompressor(lzma.FORMAT_XZ), data)
    raise NotImplementedError(f"packed by a method that is not known here ({method})")


def _lzma(data: bytes) -> lzma.LZMADecompressor:
    """APPNOTE §5.8.8: two octets of version, two of length, then the properties."""
    properties = data[4:9]
    if len(properties) < 5:
        raise lzma.LZMAError("no properties")
    first, size = properties[0], int.from_bytes(properties[1:5], "little")
    rest, lc = divmod(first, 9)
    pb, lp = divmod(rest, 5)
    chain = {"id": lzma.FILTER_LZMA1, "dict_size": min(size, 1 << 26), "lc": lc, "lp": lp, "pb": pb}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])


def _deflate64(data: bytes, size: int) -> Iterator[bytes]:
    """Deflate with a larger window, as Windows packs large files."""
    try:
        from inflate64 import Inflater
    except ImportError:
        raise NotImplementedError("deflate64 needs the extra `scan`") from None
    machine = Inflater()
    made = 0
    for start in range(0, len(data), 512):  # it has no bound of its own: little in, at most 300 KB out
        chunk = machine.inflate(data[start : start + 512])
        made += len(chunk)
        yield chunk
        if machine.eof or made >= size:
            return
