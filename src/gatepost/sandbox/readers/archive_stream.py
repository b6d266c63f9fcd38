"""Single compressed files: gzip, bzip2, xz, lzma, zstd. A tar inside is the walker's next step.

In: `Content` of such a kind. Out: one `Member`. Standard: RFC 1952 (gzip), RFC 8878 (zstd).
Not here: archives of several files (`archive`, `archive_zip`).
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.unpack import TooMuch, Unpacking

MEMORY = 80 << 20  # octets that a decompressor of xz may ask for; xz -9 takes 65 MB
MAX_STREAMS = 10_000  # parallel compressors write one for each megabyte or so
_ENDINGS = {"gzip": (".gz", ".tgz", ".z"), "bzip2": (".bz2",), "xz": (".xz",), "lzma": (".lzma",), "zstd": (".zst",)}


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """The file inside; what is damaged behind its beginning gives what came before."""
    pieces: list[bytes] = []
    try:
        for chunk in _chunks(content):
            pieces.append(chunk)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        if not pieces:
            raise
        finds.trouble("damaged", content.path, f"{content.kind}: {error}")
    yield Member(name=_inner_name(content), octets=b"".join(pieces))


def zstd() -> Any:
    """A decompressor of zstd: from Python 3.14 its own, before that the one that comes with py7zr."""
    try:
        from compression.zstd import ZstdDecompressor  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports.zstd import ZstdDecompressor  # type: ignore[no-redef,unused-ignore]
    return ZstdDecompressor()


def _machine(kind: str) -> Any:
    if kind == "gzip":
        return zlib.decompressobj(31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    if kind == "zstd":
        return zstd()
    return lzma.LZMADecompressor(memlimit=MEMORY)


def _chunks(content: Content) -> Iterator[bytes]:
    """All streams that stand one behind the other, as the tools read them."""
    octets, start = content.octets, 0
    for number in range(MAX_STREAMS):
        while octets.startswith(b"\x00", start):  # padding of whole blocks
            start += 1
        if start >= len(octets):
            return
        unpacking = Unpacking(_machine(content.kind), octets, start=start)
        try:
            yield from content.budget.watched(unpacking, len(octets))
        except (zlib.error, lzma.LZMAError, OSError, ValueError):
            if not number:
                raise
            return  # octets behind the last stream, which the tools ignore
        start += max(unpacking.used, 1)
    raise TooMuch(f"it is more than {MAX_STREAMS} compressed streams in a row")


def _inner_name(content: Content) -> str:
    """The name gzip keeps, or ours without its ending."""
    name = content.name
    for ending in _ENDINGS.get(content.kind, ()):
        if name.lower().endswith(ending):
            return name[: -len(ending)] + (".tar" if ending == ".tgz" else "")
    return name and f"{name}.out"
