"""Archives that libarchive reads: rar, 7z, tar, cab, iso, lha, xar, cpio, ar, rpm.

In: `Content` of such a kind. Out: `Member`s, traits `archive.*`. Standard: the formats' own.
Not here: zip (`archive_zip`), encrypted 7z (`archive_7z`), single compressed files (`archive_stream`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.archive_members import note_link, note_locked, note_name
from gatepost.sandbox.unpack import Bomb, trouble_of

_BLOCK = 1 << 16
_LOCKED = ("encrypt", "passphrase", "password")


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """Every member in turn; damage ends the reading, what came before it counts."""
    import libarchive  # type: ignore[import-untyped]

    count = 0
    try:
        with libarchive.memory_reader(content.octets) as archive:
            for entry in archive:
                member = _member(content, finds, entry)
                if member is not None:
                    count += 1
                    yield member
    except libarchive.exception.ArchiveError as error:
        if any(word in str(error).lower() for word in _LOCKED):
            note_locked(content, finds, opened_by=None, method=content.kind)
        elif count:
            finds.trouble("damaged", content.path, str(error))
        else:
            raise


def _member(content: Content, finds: Finds, entry: Any) -> Member | None:
    name = entry.pathname or ""
    note_name(content, finds, name)
    if entry.issym or entry.islnk:
        note_link(content, finds, name, str(entry.linkname or ""))
        return None
    if not entry.isfile:
        return None
    try:
        octets = content.budget.gather(entry.get_blocks(_BLOCK), len(content.octets))
    except Bomb as bomb:
        finds.trouble(trouble_of(bomb), content.path, f"{name}: {bomb}")
        if content.budget.spent:
            raise
        return None
    return Member(name=name, octets=octets)
