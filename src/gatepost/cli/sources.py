"""Messages from where people keep them: .eml, mbox, Maildir, standard input; one at a time, in constant memory.

In: paths, or "-". Out: `Saved` messages in order, and the octets read so far for a progress bar.
Standard: RFC 4155 (mbox), the "mboxrd" quoting of From lines; the Maildir layout of qmail.
Not here: what a message means (`api.inspect_message`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gatepost.errors import InputError

MAX_MESSAGE = 160 << 20  # octets; large servers take 150 MB (Microsoft 365), we read a little more
OUTLOOK = b"\xd0\xcf\x11\xe0"  # an OLE compound file: .msg
FROM_LINE = b"From "


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One message: `name` is its file, with "#3" behind it for the third of an mbox; `read` the octets of input that
    were used up with it."""

    name: str
    raw: bytes
    read: int


def total_octets(paths: Iterable[str]) -> int | None:
    """The size of all that is to be read, None when it cannot be known (standard input)."""
    total = 0
    for path in paths:
        if path == "-":
            return None
        total += sum(file.stat().st_size for file in _files(Path(path)))
    return total


def read_messages(paths: Iterable[str]) -> Iterator[Saved]:
    """Every message in `paths`; "-" is standard input. Raises InputError for what cannot be read."""
    for path in paths:
        if path == "-":
            yield from split_stream(sys.stdin.buffer, "-")
            continue
        for file in _files(Path(path)):
            with _open(file) as stream:
                yield from split_stream(stream, str(file))


def read_one(path: str) -> bytes:
    """The only message in `path`; InputError when there are several or none."""
    found: Saved | None = None
    for saved in read_messages([path]):
        if found is not None:
            raise InputError("FILE", path, "holds several messages; give one")
        found = saved
    if found is None:
        raise InputError("FILE", path, "holds no message")
    return found.raw


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError("FILE", path, f"cannot be read: {error.strerror}") from None


def _files(path: Path) -> Iterator[Path]:
    """`path`, or the messages of the Maildir or folder that it is."""
    if not path.exists():
        raise InputError("FILE", path, "is not there; give a message file, an mbox, a Maildir or '-'")
    if not path.is_dir():
        yield path
        return
    if (path / "cur").is_dir() or (path / "new").is_dir():
        for folder in (path, *sorted(cur.parent for cur in path.glob(".*/cur"))):  # Maildir++: all on one level
            for part in ("new", "cur"):
                if (folder / part).is_dir():
                    yield from sorted(p for p in (folder / part).iterdir() if p.is_file() and p.name[0] != ".")
        return
    messages = sorted(p for p in path.iterdir() if p.suffix.lower() == ".eml" and p.is_file())
    if not messages:
        raise InputError("FILE", path, "is a folder with neither cur/ and new/ (Maildir) nor .eml files")
    yield from messages


def split_stream(stream: BinaryIO, name: str) -> Iterator[Saved]:
    """The messages of one file, read as they are asked for: an mbox if it starts with "From ", else one message."""
    start = stream.read(len(FROM_LINE))
    if start == FROM_LINE:
        yield from _split_mbox(stream, name, len(start))
        return
    if start.startswith(OUTLOOK):
        raise InputError("FILE", name, "is an Outlook .msg file, which is not read yet; save it as .eml")
    raw = start + stream.read(MAX_MESSAGE + 1 - len(start))
    if len(raw) > MAX_MESSAGE:
        raise InputError("FILE", name, f"is over {MAX_MESSAGE >> 20} MB; no mail server takes such a message")
    if not raw.strip():
        raise InputError("FILE", name, "is empty")
    yield Saved(name=name, raw=raw, read=len(raw))


def _split_mbox(stream: BinaryIO, name: str, read: int) -> Iterator[Saved]:
    """RFC 4155 appendix A: a message starts after a line "From …" at the start or behind an empty line."""
    read += len(stream.readline(MAX_MESSAGE))  # the rest of the first From line
    number, size, before_empty = 0, 0, False
    lines: list[bytes] = []
    while line := stream.readline(MAX_MESSAGE + 1):
        read += len(line)
        if before_empty and line.startswith(FROM_LINE):
            number += 1
            yield Saved(name=f"{name}#{number}", raw=b"".join(lines[:-1]), read=read)
            lines, size, before_empty = [], 0, False
            continue
        before_empty = line in (b"\n", b"\r\n")
        size += len(line)
        if size > MAX_MESSAGE:
            raise InputError("FILE", f"{name}#{number + 1}", f"is over {MAX_MESSAGE >> 20} MB")
        lines.append(_unquoted(line))
    if before_empty:
        lines.pop()
    yield Saved(name=f"{name}#{number + 1}", raw=b"".join(lines), read=read)


def _unquoted(line: bytes) -> bytes:
    """mboxrd puts one ">" before lines that match `>*From `."""
    if line[:1] == b">" and line.lstrip(b">").startswith(FROM_LINE):
        return line[1:]
    return line
