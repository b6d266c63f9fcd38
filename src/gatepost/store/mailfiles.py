"""Maildirs as they are found: whose they are, what came into a folder since the last look, the start of a file.

In: the folder of all mailboxes, a cursor. Out: paths, times, octets. A mailbox is written by mail programs and may hold
anything: links and what is no plain file are left alone, reading is bounded. Nothing is changed.
Standard: the Maildir layout of qmail, Maildir++. Not here: delivering (`maildir`), what moves mean (`server.folders`).
"""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from gatepost.store.database import told

_PARTS = ("cur", "new")


@dataclass(frozen=True, slots=True, order=True)
class Arrived:
    """A file of a folder. `at` is when it was last renamed, moved or linked there, in nanoseconds since the epoch: the
    time of change of its inode, which no mail program can set."""

    at: int
    path: Path


def mailboxes(root: Path) -> Iterator[tuple[str, Path]]:
    """Each mailbox below `root` with its address, in the order of the file system. Raises StoreError."""
    for domain in _folders(root):
        for local in _folders(domain):
            yield f"{unquote(local.name)}@{unquote(domain.name)}", local


def _folders(place: Path) -> Iterator[Path]:
    with told(place):
        if not place.is_dir():
            return
        with os.scandir(place) as found:
            paths = [Path(one.path) for one in found if one.is_dir(follow_symlinks=False)]
    yield from paths


def stamp(maildir: Path) -> tuple[int, int]:
    """When something last came into or left `cur` and `new` of a folder (nanoseconds); 0 for what is not there."""
    times = []
    for part in _PARTS:
        try:
            times.append(os.stat(maildir / part, follow_symlinks=False).st_mtime_ns)
        except OSError:
            times.append(0)
    return times[0], times[1]


def arrived(maildir: Path, after: int, most: int) -> list[Arrived]:
    """The files that came into a folder later than `after`, oldest first, `most` of them and those of the last one's
    very moment. A file that is renamed (read, flagged) counts as come again. Raises StoreError."""
    found = []
    for part in _PARTS:
        place = maildir / part
        with told(place):
            try:
                entries = os.scandir(place)
            except FileNotFoundError:
                continue
            with entries:
                for entry in entries:
                    changed = _changed(entry)
                    if changed > after:
                        found.append(Arrived(changed, Path(entry.path)))
    first = heapq.nsmallest(most, found)
    if len(first) < len(found):  # the cursor is a time: what shares the last one's must not be cut off from it
        first += [one for one in found if one.at == first[-1].at and one not in first]
    return first


def _changed(entry: os.DirEntry[str]) -> int:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:  # moved on under our eyes
        return -1
    return info.st_ctime_ns if stat.S_ISREG(info.st_mode) else -1


def read_file(path: Path, most: int) -> bytes | None:
    """The first `most` octets of a plain file; None when it is gone or no such thing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with open(descriptor, "rb") as file:
            return file.read(most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
