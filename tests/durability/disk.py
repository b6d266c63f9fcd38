"""A disk that can lose its power: what was synced stays, what was not may stay, tear or go.

In: system calls in order. Out: the folder as it may look after a power cut at that moment. The rules are POSIX's, not
those of a kind file system: a file's octets are safe after its own fsync or fdatasync, a name only after the fsync of
its directory, each half of a rename on its own. Standard: POSIX fsync. Not here: reading the calls (`syscalls`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from syscalls import Call

SECTOR = 512  # octets a disk writes in one piece


@dataclass(frozen=True, slots=True)
class Write:
    """Octets at an offset; `octets` None: cut or lengthen the file to `offset`."""

    offset: int
    octets: bytes | None
    at: int  # the log's index


@dataclass(eq=False, slots=True)
class File:
    """An inode: what is safe, and what was done to it since."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)
    size: int = 0  # as the program sees it

    def write(self, write: Write) -> None:
        self.pending.append(write)
        end = write.offset if write.octets is None else max(self.size, write.offset + len(write.octets))
        self.size = end

    def sync(self, began: int) -> None:
        """What was written before `began` is safe."""
        self.safe = apply_writes(self.safe, (write for write in self.pending if write.at < began))
        self.pending = [write for write in self.pending if write.at >= began]


@dataclass(eq=False, slots=True)
class Folder:
    """A directory: the names that are safe, the changes since, and the names as the program sees them."""

    safe: dict[str, Node] = field(default_factory=dict)
    pending: list[tuple[str, Node | None, int]] = field(default_factory=list)
    now: dict[str, Node] = field(default_factory=dict)

    def set(self, name: str, node: Node | None, at: int) -> None:
        """Enters or (None) removes a name."""
        self.pending.append((name, node, at))
        if node is None:
            self.now.pop(name, None)
        else:
            self.now[name] = node

    def sync(self, began: int) -> None:
        """Changes made before `began` are safe."""
        self.safe = apply_changes(self.safe, (change for change in self.pending if change[2] < began))
        self.pending = [change for change in self.pending if change[2] >= began]


Node = File | Folder


class Disk:
    """Everything below `root`, which is there and safe from the start. Other paths are not its business."""

    def __init__(self, root: Path) -> None:
        self.root = PurePosixPath(root)
        self.top = Folder()
        self.printed = b""  # what the program wrote to its standard output
        self._open: dict[int, tuple[Node, bool]] = {}  # descriptor → inode, opened to append
        self._position: dict[int, int] = {}

    def apply(self, call: Call, at: int) -> bool:
        """Plays one call; True when it changed what a power cut would leave, or was a print."""
        handler = getattr(self, f"_{call.name}", None)
        if handler is None:
            raise AssertionError(f"the disk does not know the call {call.name}")
        return bool(handler(call, at))

    # --- finding

    def _parts(self, path: bytes | str) -> tuple[str, ...] | None:
        text = PurePosixPath(os.fsdecode(path))
        if not text.is_absolute() or not text.is_relative_to(self.root):
            return None
        return text.relative_to(self.root).parts

    def _place(self, path: bytes | str) -> tuple[Folder, str] | None:
        """The directory and the name in it; None for what is not on this disk."""
        parts = self._parts(path)
        if not parts:
            return None
        folder: Node = self.top
        for part in parts[:-1]:
            assert isinstance(folder, Folder)
            folder = folder.now[part]
        assert isinstance(folder, Folder)
        return folder, parts[-1]

    # --- calls; the name of each method is the call's

    def _openat(self, call: Call, at: int) -> bool:
        _, path, flags, *_ = call.arguments
        assert isinstance(flags, str)
        descriptor = call.result
        self._open.pop(descriptor, None)
        if self._parts(path) == ():
            self._open[descriptor] = (self.top, False)
            return False
        place = self._place(path)
        if place is None:
            return False
        folder, name = place
        node = folder.now.get(name)
        changed = node is None
        if node is None:
            assert "O_CREAT" in flags, f"{path!r} is not on the disk"
            node = File()
            folder.set(name, node, at)
        if "O_TRUNC" in flags and isinstance(node, File) and node.size:
            node.write(Write(0, None, at))
            changed = True
        self._open[descriptor] = (node, "O_APPEND" in flags)
        self._position[descriptor] = 0
        return changed

    def _close(self, call: Call, at: int) -> bool:
        self._open.pop(_number(call, 0), None)
        return False

    def _dup(self, call: Call, at: int) -> bool:
        assert _number(call, 0) not in self._open, "dup of a file on this disk is not played"
        self._open.pop(call.result, None)
        return False

    _dup2 = _dup3 = _dup

    def _write(self, call: Call, at: int) -> bool:
        descriptor, octets = _number(call, 0), call.arguments[1]
        assert isinstance(octets, bytes)
        octets = octets[: call.result]
        if descriptor == 1:
            self.printed += octets
            return True
        opened = self._open.get(descriptor)
        if opened is None:
            return False
        node, append = opened
        assert isinstance(node, File)
        offset = node.size if append else self._position[descriptor]
        node.write(Write(offset, octets, at))
        self._position[descriptor] = offset + len(octets)
        return True

    def _pwrite64(self, call: Call, at: int) -> bool:
        opened, octets = self._open.get(_number(call, 0)), call.arguments[1]
        if opened is None:
            return False
        assert isinstance(octets, bytes)
        assert isinstance(opened[0], File)
        opened[0].write(Write(_number(call, 3), octets[: call.result], at))
        return True

    def _ftruncate(self, call: Call, at: int) -> bool:
        opened = self._open.get(_number(call, 0))
        if opened is None:
            return False
        assert isinstance(opened[0], File)
        opened[0].write(Write(_number(call, 1), None, at))
        return True

    def _fsync(self, call: Call, at: int) -> bool:
        opened = self._open.get(_number(call, 0))
        if opened is None:
            return False
        opened[0].sync(call.began)
        return True

    _fdatasync = _fsync  # keeps size and octets, which is all that is looked at here

    def _rename(self, call: Call, at: int) -> bool:
        old, new = (self._place(path) for path in call.arguments[:2])
        if old is None and new is None:
            return False
        assert old is not None
        assert new is not None, "a rename across the disk's edge is not played"
        node = old[0].now[old[1]]
        new[0].set(new[1], node, at)
        old[0].set(old[1], None, at)
        return True

    def _link(self, call: Call, at: int) -> bool:
        old, new = (self._place(path) for path in call.arguments[:2])
        if old is not None and new is not None:
            new[0].set(new[1], old[0].now[old[1]], at)
        return new is not None

    def _unlink(self, call: Call, at: int) -> bool:
        place = self._place(call.arguments[0])
        if place is not None:
            place[0].set(place[1], None, at)
        return place is not None

    _rmdir = _unlink

    def _unlinkat(self, call: Call, at: int) -> bool:
        place = self._place(call.arguments[1])
        if place is not None:
            place[0].set(place[1], None, at)
        return place is not None

    def _mkdir(self, call: Call, at: int) -> bool:
        place = self._place(call.arguments[0])
        if place is not None:
            place[0].set(place[1], Folder(), at)
        return place is not None


def _number(call: Call, index: int) -> int:
    text = call.arguments[index]
    assert isinstance(text, str)
    return int(text)


def apply_writes(safe: bytes | bytearray, writes: Iterable[Write]) -> bytearray:
    """The octets after these writes; what lies between is zero."""
    octets = bytearray(safe)
    for write in writes:
        end = write.offset + len(write.octets or b"")
        if len(octets) < end:
            octets.extend(bytes(end - len(octets)))
        if write.octets is None:
            del octets[write.offset :]
        else:
            octets[write.offset : end] = write.octets
    return octets


def apply_changes(safe: dict[str, Node], changes: Iterable[tuple[str, Node | None, int]]) -> dict[str, Node]:
    """The names after these changes."""
    names = dict(safe)
    for name, node, _ in changes:
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node
    return names


# --- what a power cut may leave: each way gets the pending list and returns what of it reached the disk


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to lose power: which pending writes and which pending names had reached the disk."""

    name: str
    writes: Callable[[list[Write]], list[Write]]
    names: Callable[[list[tuple[str, Node | None, int]]], list[tuple[str, Node | None, int]]]


def _all(pending: list) -> list:  # type: ignore[type-arg]
    return pending


def _none(pending: list) -> list:  # type: ignore[type-arg]
    return []


LOST = Cut("nothing unsynced is left", _none, _none)
KEPT = Cut("everything reached the disk", _all, _all)
NAMES_ONLY = Cut("names reached the disk, octets did not", _none, _all)
OCTETS_ONLY = Cut("octets reached the disk, names did not", _all, _none)


def torn(seed: int) -> Cut:
    """Each unsynced write and name by chance, in any order, writes torn between sectors."""
    rng = random.Random(seed)

    def writes(pending: list[Write]) -> list[Write]:
        kept: list[Write] = []
        for write in pending:
            chance = rng.random()
            if chance < 0.4:
                kept.append(write)
            elif chance < 0.7 and write.octets is not None:
                edge = SECTOR - write.offset % SECTOR + SECTOR * rng.randrange(len(write.octets) // SECTOR + 1)
                if rng.random() < 0.5:
                    kept.append(Write(write.offset, write.octets[:edge], write.at))
                elif edge < len(write.octets):
                    kept.append(Write(write.offset + edge, write.octets[edge:], write.at))
        return kept

    return Cut(f"torn by chance {seed}", writes, lambda pending: [one for one in pending if rng.random() < 0.5])


def after_cut(disk: Disk, cut: Cut) -> dict[str, bytes | None]:
    """The disk's content after the cut, as relative paths: octets, or None for a folder."""
    found: dict[str, bytes | None] = {}
    seen: dict[File, bytes] = {}

    def walk(folder: Folder, prefix: str) -> None:
        for name, node in apply_changes(folder.safe, cut.names(folder.pending)).items():
            if isinstance(node, Folder):
                found[prefix + name] = None
                walk(node, f"{prefix}{name}/")
            else:
                if node not in seen:  # two names of one file hold the same
                    seen[node] = bytes(apply_writes(node.safe, cut.writes(node.pending)))
                found[prefix + name] = seen[node]

    walk(disk.top, "")
    return found


def lay_out(content: dict[str, bytes | None], target: Path) -> None:
    """Writes the content into a folder."""
    target.mkdir(parents=True)
    for path, octets in content.items():  # a folder comes before what is in it
        if octets is None:
            (target / path).mkdir()
        else:
            (target / path).write_bytes(octets)
