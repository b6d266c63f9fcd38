"""7z archives, encrypted ones with passwords from the message.

In: `Content` of kind "7z". Out: `Member`s, traits `archive.*`. Standard: 7-Zip's 7zFormat.txt.
libarchive streams what is not encrypted; py7zr knows the cipher and unpacks into memory, so its share is bounded more
tightly. Not here: libarchive's formats (`archive`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers import archive
from gatepost.sandbox.readers.archive_members import note_locked, note_name
from gatepost.sandbox.unpack import Bomb, Budget, TooMuch

_AES = b"\x06\xf1\x07\x01"  # the coder 7zAES in the header


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """Every member that can be opened."""
    if _AES in content.octets[-(1 << 20) :] or _is_locked(content.octets):
        yield from _locked(content, finds)
        return
    try:
        yield from archive.read(content, finds)
    except ImportError:
        yield from _unpacked(content, finds, None)


def _is_locked(octets: bytes) -> bool:
    """Whether py7zr says so: with encrypted names the coder stands in a header that is packed itself."""
    try:
        import py7zr
    except ImportError:
        return False
    try:
        with py7zr.SevenZipFile(io.BytesIO(octets)) as opened:
            return bool(opened.needs_password())
    except py7zr.PasswordRequired:
        return True
    except Exception:  # what it cannot read, libarchive may
        return False


def _locked(content: Content, finds: Finds) -> Iterator[Member]:
    for password in content.passwords:
        try:
            members = list(_unpacked(content, finds, password))
        except (Bomb, MemoryError):
            raise
        except ImportError:
            break
        except Exception:  # noqa: S112 - a wrong password shows as any damage
            continue
        note_locked(content, finds, opened_by=password, method="7z")
        yield from members
        return
    note_locked(content, finds, opened_by=None, method="7z")


def _unpacked(content: Content, finds: Finds, password: str | None) -> Iterator[Member]:
    import py7zr

    shelf = _shelf(content.budget, len(content.octets))
    with py7zr.SevenZipFile(io.BytesIO(content.octets), password=password) as opened:
        declared = sum(info.uncompressed for info in opened.list())
        if declared > content.limits.total // 2:
            error = Bomb if declared > content.limits.ratio * len(content.octets) else TooMuch
            raise error(f"it unpacks to {declared >> 20} MB")
        opened.extract(factory=shelf)
    for name, product in shelf.products.items():
        note_name(content, finds, name)
        yield Member(name=name, octets=product.taken())


def _shelf(budget: Budget, packed: int) -> Any:
    """Where py7zr puts what it unpacks: in memory, each octet counted."""
    from py7zr.io import Py7zIO, WriterFactory

    class Product(Py7zIO):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            self._pieces: list[bytes] = []
            self._size = 0

        def write(self, data: bytes | bytearray) -> int:
            self._pieces.extend(budget.watched((bytes(data),), packed))
            self._size += len(data)
            if self._size > budget.limits.member:
                raise TooMuch(f"it has more than {budget.limits.member >> 20} MB")
            return len(data)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            return None

        def size(self) -> int:
            return self._size

        def taken(self) -> bytes:
            return b"".join(self._pieces)

    class Shelf(WriterFactory):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            self.products: dict[str, Product] = {}

        def create(self, filename: str) -> Product:
            return self.products.setdefault(filename, Product())

    return Shelf()
