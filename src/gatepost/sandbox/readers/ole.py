"""Reads compound (OLE) files: old Word, Excel and PowerPoint, encrypted new ones, installers, embedded objects.

In: `Content` of kind doc, xls, ppt, ole or msi. Out: traits `office.*`, links, a text; embedded files and what an
encrypted document turns out to be as members.
Standard: MS-CFB, MS-DOC, MS-XLS, MS-OLEDS, MS-OFFCRYPTO.
Not here: VBA (`vba`), Excel's records (`biff`), `.msg` (`msg`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import msoffcrypto  # type: ignore[import-untyped]
import olefile  # type: ignore[import-untyped]
from oletools import oleobj  # type: ignore[import-untyped]

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.biff import read_biff
from gatepost.sandbox.readers.fields import is_remote, read_fields
from gatepost.sandbox.readers.vba import read_macros

MAX_STREAMS = 1_000
MAX_STREAM = 16 << 20
MAX_OBJECTS = 50
MAX_TEXT = 1 << 20  # octets of a document that are searched for text
MAX_PASSWORDS = 10  # each costs a tenth of a second: the format stretches them a hundred thousand times
MAX_ROUNDS = 200_000
DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105 - Excel opens what is encrypted with it without asking

# A field of Word is its instruction between 0x13 and 0x14 or 0x15 (MS-DOC §2.8.25), in one octet a letter or two.
_FIELDS = re.compile(r"\x13([^\x13\x14\x15]{3,4000})[\x14\x15]")
_WORDS = re.compile(r"[\x20-\x7e\t\r\x07\x80-\uffef]{4,}")
_ROUNDS = re.compile(rb'spinCount="(\d{1,12})"')
_NO_LETTERS = re.compile(r"[^A-Za-z0-9\s]+")
_URL = re.compile(rb"https?://[\x21-\x7e]{4,2000}")
_WIDE_URL = re.compile(rb"h\x00t\x00t\x00p\x00(?:s\x00)?:\x00/\x00/\x00(?:[\x21-\x7e]\x00){4,2000}")


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Reads the file's streams, after opening it where it is encrypted."""
    decrypted = _decrypt(content, finds)
    if decrypted is not None:
        yield Member(name=content.name, octets=decrypted)
        return
    macros = read_macros(content.octets)
    if macros is not None:
        finds.trait(content.path, "office.macro", **macros.evidence())
        if macros.damaged:
            finds.trouble("damaged", content.path, macros.damaged)
    with olefile.OleFileIO(io.BytesIO(content.octets)) as file:
        streams = file.listdir()
        _document(file, streams, content, finds)
        yield from _objects(file, streams, content, finds)


# --- encryption


def _decrypt(content: Content, finds: Finds) -> bytes | None:
    """The document without its encryption; None where it has none or nobody knows the password."""
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(content.octets))
        if not file.is_encrypted():
            return None
    except MemoryError:
        raise
    except Exception:  # it asserts what it expects, and a document that Office opens may still differ
        return None
    if _is_stretched(content.octets):
        finds.trait(content.path, "office.encrypted", opened=False, password="")
        finds.trouble("encrypted", content.path, "the document's password is stretched too far to try any")
        return None
    for password in (DEFAULT_PASSWORD, *content.passwords[:MAX_PASSWORDS]):
        octets = _try(content.octets, password)
        if octets is not None:
            content.budget.take(len(octets))
            how = "default" if password == DEFAULT_PASSWORD else "in the text"
            finds.trait(content.path, "office.encrypted", opened=True, password=how)
            return octets
    finds.trait(content.path, "office.encrypted", opened=False, password="")
    finds.trouble("encrypted", content.path, "the document is encrypted and its password does not stand in the message")
    return None


def _is_stretched(octets: bytes) -> bool:
    """Whether trying a password would take seconds. Office writes 100,000 rounds; MS-OFFCRYPTO allows ten million."""
    found = _ROUNDS.search(octets)
    return found is not None and int(found[1]) > MAX_ROUNDS


def _try(octets: bytes, password: str) -> bytes | None:
    plain = io.BytesIO()
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(octets))
        try:
            file.load_key(password=password, verify_password=True)
        except TypeError:  # the old formats verify always
            file.load_key(password=password)
        file.decrypt(plain)
    except MemoryError:
        raise
    except Exception:  # a wrong password and a broken header look alike in four of the five schemes
        return None
    return plain.getvalue()


# --- what it says


def _document(file: olefile.OleFileIO, streams: list[list[str]], content: Content, finds: Finds) -> None:
    for path in streams[:MAX_STREAMS]:
        if len(path) != 1:
            continue
        name = path[0].lower()
        if name in ("workbook", "book"):
            _workbook(_stream(file, path), content, finds)
        elif name == "worddocument":
            _word(_stream(file, path), content, finds)
        elif name == "powerpoint document":
            for target in _urls(_stream(file, path)):
                finds.link(target, source="office", item=content.path)


def _workbook(stream: bytes, content: Content, finds: Finds) -> None:
    biff = read_biff(stream)
    if biff.sheets:
        finds.trait(content.path, "office.macro-xlm", sheets=biff.sheets, autoexec=biff.autoexec)
    if biff.dde:
        finds.trait(content.path, "office.dde", commands=biff.dde)
    for target in biff.links:
        finds.link(target, source="office", item=content.path)


def _word(stream: bytes, content: Content, finds: Finds) -> None:
    """Text lies in pieces of one or two octets a letter (MS-DOC §2.4.1); both readings of the whole stream are searched
    rather than the table of pieces followed: nothing is missed by a table that lies."""
    head = stream[:MAX_TEXT]
    texts = (head.decode("cp1252", "replace"), head.decode("utf-16-le", "replace"))
    for text in texts:
        read_fields((match[1].strip() for match in _FIELDS.finditer(text)), content, finds)
    words = max((_plain_words(text) for text in texts), key=len)
    if words:
        finds.text(item=content.path, kind="office", visible=words)
    for target in _urls(stream):
        finds.link(target, source="office", item=content.path)


def _plain_words(text: str) -> str:
    """Runs of letters, mostly of alphabets: what is no text is noise of other signs."""
    runs = []
    for match in _WORDS.finditer(text):
        run = match[0]
        if len(_NO_LETTERS.sub("", run)) > len(run) * 0.7:
            runs.append(run.replace("\r", "\n").replace("\x07", "\t"))
        if len(runs) >= 5_000:
            break
    return "\n".join(runs).strip()


def _urls(stream: bytes) -> Iterator[str]:
    found = dict.fromkeys(match[0].decode("ascii") for match in _URL.finditer(stream))
    for match in _WIDE_URL.finditer(stream):
        found[match[0].decode("utf-16-le")] = None
    yield from list(found)[:500]


# --- what it holds


def _objects(file: olefile.OleFileIO, streams: list[list[str]], content: Content, finds: Finds) -> Iterator[Member]:
    names: list[str] = []
    for path in streams[:MAX_STREAMS]:
        leaf = path[-1].lower()
        if len(names) >= MAX_OBJECTS:
            finds.trouble("limit", content.path, f"more than {MAX_OBJECTS} embedded objects")
            break
        if leaf == "\x01ole10native":
            member = native(_stream(file, path))
            if member is not None:
                names.append(member.name)
                yield member
        elif leaf == "\x01ole":
            _linked(_stream(file, path), content, finds)
        elif leaf in ("package", "contents", "embeddedodf") and len(path) >= 1:
            names.append("/".join(path))
            yield Member(name=path[-1], octets=_stream(file, path))
        elif leaf == "equation native":
            finds.trait(content.path, "office.equation", stream="/".join(path))
    if names:
        finds.trait(content.path, "office.embedded", files=names[:20])


def _linked(stream: bytes, content: Content, finds: Finds) -> None:
    """An object that stands elsewhere (MS-OLEDS §2.3.3): Office fetches it on opening."""
    if len(stream) < 8 or not stream[4] & 1:
        return
    for target in _urls(stream):
        if is_remote(target):
            finds.trait(content.path, "office.external-object", target=target, type="oleObject")
            finds.link(target, source="office", item=content.path)


def native(stream: bytes) -> Member | None:
    """The file in a Packager object, with its name."""
    try:
        package = oleobj.OleNativeStream(stream)
    except MemoryError:
        raise
    except Exception:  # struct.error and whatever else broken records lead to
        package = None
    if package is None or not package.data or not isinstance(package.data, bytes):
        return Member(name="", octets=stream[4:]) if len(stream) > 4 else None
    names = tuple(str(name) for name in (package.filename, package.src_path) if name)
    bare = tuple(name.replace("\\", "/").rpartition("/")[2] for name in names)
    return Member(name=bare[0] if bare else "", octets=package.data, names=bare)


def _stream(file: olefile.OleFileIO, path: list[str]) -> bytes:
    try:
        with file.openstream(path) as stream:
            return bytes(stream.read(MAX_STREAM))
    except OSError:
        return b""
