"""Messages from where people keep them: .eml, mbox, Maildir, standard input; one at a time, in constant memory.

In: paths, or "-". Out: `Saved` messages in order, and the octets read so far for a progress bar.
Standard: RFC 4155 (mbox), the "mboxrd" quoting of From lines; the Maildir layout of qmail.
Not here: what a message means (`api.inspect_message`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gatepost.errors import InputError
from gatepost.message.mbox import MboxSplitter

MAX_MESSAGE = 160 << 20  # octets; large servers take 150 MB (Microsoft 365), we read a little more
OUTLOOK = b"\xd0\xcf\x11\xe0"  # an OLE compound file: .msg
FROM_LINE = b"From "
CHUNK = 1 << 16  # octets of an mbox read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One message: `name` is its file, with "#3" behind it for the third of an mbox; `read` the octets of the file
    that had been read when it was complete."""

    name: str
    raw: bytes
    read: int


def total_octets(paths: Iterable[str]) -> int | None:
    """The size of all that is to be read, None when it cannot be known (standard input)."""
    total = 0
    for path in paths:
        if path == "-":
            return None
        total += sum(file.stat().st_size for file in files_of(Path(path)))
    return total


def read_messages(paths: Iterable[str]) -> Iterator[Saved]:
    """Every message in `paths`; "-" is standard input. Raises InputError for what cannot be read."""
    for path in paths:
        if path == "-":
            yield from split_stream(sys.stdin.buffer, "-")
            continue
        for file in files_of(Path(path)):
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


def files_of(path: Path, suffixes: Sequence[str] = (".eml",)) -> Iterator[Path]:
    """`path`, or the messages of the Maildir that it is, or the files of the folder that end in `suffixes`."""
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
    messages = sorted(p for p in path.iterdir() if p.suffix.lower() in suffixes and p.is_file())
    if not messages:
        raise InputError(
            "FILE", path, f"is a folder with neither cur/ and new/ (Maildir) nor {_listed(suffixes)} files"
        )
    yield from messages


def _listed(suffixes: Sequence[str]) -> str:
    return f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]


def split_stream(stream: BinaryIO, name: str) -> Iterator[Saved]:
    """The messages of one file, read as they are asked for: an mbox if it starts with "From ", else one message."""
    start = stream.read(len(FROM_LINE))
    if start == FROM_LINE:
        yield from _split_mbox(stream, name, start)
        return
    raw = start + stream.read(MAX_MESSAGE + 1 - len(start))
    if len(raw) > MAX_MESSAGE:
        raise InputError("FILE", name, f"is over {MAX_MESSAGE >> 20} MB; no mail server takes such a message")
    if not raw.strip():
        raise InputError("FILE", name, "is empty")
    yield Saved(name=name, raw=_from_outlook(raw, name) if raw.startswith(OUTLOOK) else raw, read=len(raw))


def _from_outlook(raw: bytes, name: str) -> bytes:
    """A .msg as the message it was, as far as Outlook keeps it: its signatures cannot be checked any more."""
    from gatepost.sandbox.compound import BadCompound
    from gatepost.sandbox.outlook import read_outlook, write_mime

    try:
        return write_mime(read_outlook(raw))
    except BadCompound as error:
        raise InputError("FILE", name, f"cannot be read as an Outlook .msg file ({error}); save it as .eml") from None


def _split_mbox(stream: BinaryIO, name: str, start: bytes) -> Iterator[Saved]:
    """The messages of an mbox whose first octets were `start`."""
    splitter = MboxSplitter(MAX_MESSAGE)
    number, read = 0, len(start)
    found = splitter.feed(start)
    ended = False
    while True:
        for message in found:
            number += 1
            if "cut" in message.defects:
                raise InputError("FILE", f"{name}#{number}", f"is over {MAX_MESSAGE >> 20} MB")
            yield Saved(name=f"{name}#{number}", raw=message.raw, read=read)
        if ended:
            return
        chunk = stream.read(CHUNK)
        read += len(chunk)
        ended = not chunk
        found = splitter.close() if ended else splitter.feed(chunk)
