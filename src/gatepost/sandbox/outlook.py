"""Outlook's .msg: a message as a compound file, read and written anew as MIME.

In: octets. Out: `OutlookMessage`, and with `write_mime` a message that everything else here can read.
Standard: Microsoft's MS-OXMSG §2.1 to §2.4 (storages, streams, properties). Bounded: parts, depth, sizes.
Signatures (DKIM, ARC) are left out: Outlook does not keep the octets they were made over.
Not here: the compound file (`compound`).
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from gatepost.sandbox.compound import BadCompound, Compound
from gatepost.sandbox.mapi import (
    BINARY,
    BODY,
    CONTENT_ID,
    DATA,
    DISPLAY_NAME,
    FILE_NAME,
    HTML,
    LONG_NAME,
    MIME_TYPE,
    OBJECT,
    RTF,
    SUBJECT,
    TEXT8,
    UNICODE,
    text_of,
    unpack_rtf,
)

MAX_DEPTH = 8
MAX_ATTACHMENTS = 500
_HEADERS, _MESSAGE_ID, _TO, _SENDER_NAME, _SENDER, _SENDER_SMTP = 0x007D, 0x1035, 0x0E04, 0x0C1A, 0x0C1F, 0x5D01
_CODEPAGE, _INTERNET_CODEPAGE, _SUBMITTED, _DELIVERED = 0x3FFD, 0x3FDE, 0x0039, 0x0E06
_DROPPED = ("content-", "mime-version", "dkim-signature", "arc-", "bcc")
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_LINE = 900
_NAME_MARKS = str.maketrans("", "", "-.+_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file, or with `message` a message within the message."""

    name: str = ""
    names: tuple[str, ...] = ()
    declared_type: str = ""
    content_id: str = ""
    octets: bytes = b""
    message: OutlookMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookMessage:
    """`header` is the header section as text with LF, `html` in UTF-8."""

    header: str
    plain: str
    html: bytes
    rtf: bytes
    attached: tuple[Attached, ...] = field(default=())


def read_outlook(octets: bytes) -> OutlookMessage:
    """Reads a .msg. Raises BadCompound for what is none."""
    compound = Compound(octets)
    if "__properties_version1.0" not in [name.lower() for name in compound.names()]:
        raise BadCompound("it is a compound file, but no message")
    return _message(compound, (), 0)


def _message(compound: Compound, path: tuple[str, ...], depth: int) -> OutlookMessage:
    storage = _Storage(compound, path, 32 if not path else 24)
    codepage = storage.number(_CODEPAGE)
    kind, raw = storage.value(HTML)
    html = text_of(kind, raw, storage.number(_INTERNET_CODEPAGE) or codepage) if kind else ""
    _, packed = storage.value(RTF)
    try:
        rtf = unpack_rtf(packed) if packed else b""
    except ValueError:
        rtf = b""
    return OutlookMessage(
        header=_header(storage, codepage),
        plain=storage.text(BODY, codepage),
        html=html.encode("utf-8", "replace"),
        rtf=rtf,
        attached=tuple(_attachments(compound, path, codepage, depth)),
    )


class _Storage:
    """The properties of one storage: long ones are streams, numbers stand in a table (`start` is where its rows do)."""

    def __init__(self, compound: Compound, path: tuple[str, ...], start: int) -> None:
        self._compound = compound
        self._path = path
        self._names = {name.lower(): name for name in compound.names(path)}
        self._rows: dict[int, bytes] = {}
        table = compound.stream(*path, "__properties_version1.0") or b""
        for at in range(start, len(table) - 15, 16):
            tag = struct.unpack_from("<I", table, at)[0]
            self._rows.setdefault(tag >> 16, table[at + 8 : at + 16])

    def value(self, number: int) -> tuple[int, bytes]:
        """Type and octets of a long property; (0, b"") without it."""
        for kind in (UNICODE, TEXT8, BINARY):
            name = f"__substg1.0_{number:04x}{kind:04x}"
            if name in self._names:
                return kind, self._compound.stream(*self._path, self._names[name]) or b""
        return 0, b""

    def text(self, number: int, codepage: int) -> str:
        """A string property."""
        kind, octets = self.value(number)
        return text_of(kind, octets, codepage) if kind in (UNICODE, TEXT8) else ""

    def number(self, number: int) -> int:
        """A number of 32 bits; 0 without it."""
        return int.from_bytes(self._rows.get(number, b"")[:4], "little")

    def time(self, *numbers: int) -> str:
        """The first of these times, as a Date field has it; empty without any."""
        for number in numbers:
            ticks = int.from_bytes(self._rows.get(number, b""), "little")
            try:
                if ticks:
                    return format_datetime(_EPOCH + timedelta(microseconds=ticks // 10))
            except OverflowError:
                continue
        return ""


def _attachments(compound: Compound, path: tuple[str, ...], codepage: int, depth: int) -> Iterator[Attached]:
    names = [name for name in compound.names(path) if name.lower().startswith("__attach_version1.0_")]
    for name in sorted(names)[:MAX_ATTACHMENTS]:
        inside = (*path, name)
        storage = _Storage(compound, inside, 8)
        given = [storage.text(number, codepage) for number in (LONG_NAME, FILE_NAME, DISPLAY_NAME)]
        kept = tuple(dict.fromkeys(each for each in given if each))
        embedded = (*inside, f"__substg1.0_{DATA:04X}{OBJECT:04X}")
        message = None
        if compound.is_storage(embedded) and depth < MAX_DEPTH:
            message = _message(compound, embedded, depth + 1)
        yield Attached(
            name=kept[0] if kept else "",
            names=kept,
            declared_type=storage.text(MIME_TYPE, codepage).lower(),
            content_id=storage.text(CONTENT_ID, codepage).strip("<>"),
            octets=storage.value(DATA)[1],
            message=message,
        )


def _header(storage: _Storage, codepage: int) -> str:
    """The header section that came with the message, or one of what Outlook knows."""
    kept = storage.text(_HEADERS, codepage).replace("\r\n", "\n").replace("\r", "\n")
    fields = [field for field in _fields(kept) if not field.lower().startswith(_DROPPED)]
    if len(fields) >= 2:
        return "\n".join(fields)
    sender = storage.text(_SENDER_SMTP, codepage) or storage.text(_SENDER, codepage)
    rows = (
        ("From", f"{_quoted(storage.text(_SENDER_NAME, codepage))} <{sender}>".strip()),
        ("To", storage.text(_TO, codepage).replace(";", ",")),
        ("Subject", storage.text(SUBJECT, codepage)),
        ("Date", storage.time(_SUBMITTED, _DELIVERED)),
        ("Message-ID", storage.text(_MESSAGE_ID, codepage)),
    )
    return "\n".join(f"{name}: {_one_line(value)}" for name, value in rows if value)


def _fields(text: str) -> list[str]:
    """Unfolded no further than to tell fields apart; what is no field is left out."""
    found: list[str] = []
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and found and line.strip():
            found[-1] += "\n" + line
        elif ":" in line and " " not in line.partition(":")[0]:
            found.append(line)
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "").replace('"', "") + '"' if name else ""


def _one_line(text: str) -> str:
    """No line end of a stranger's gets into a header section that we write."""
    return " ".join(text.replace("\x00", " ").split())[:_LINE]


# --- as MIME


def write_mime(message: OutlookMessage) -> bytes:
    """The message with CRLF: header, texts, attachments."""
    parts = list(_parts(message))
    mark = hashlib.sha256(b"".join(parts)).hexdigest()[:40]
    lines = message.header.replace("\n", "\r\n").encode("utf-8", "replace")
    head = lines + (b"\r\n" if lines else b"") + b"MIME-Version: 1.0\r\n"
    head += f'Content-Type: multipart/mixed; boundary="={mark}"\r\n\r\n'.encode()
    return head + b"".join(f"--={mark}\r\n".encode() + part + b"\r\n" for part in parts) + f"--={mark}--\r\n".encode()


def _parts(message: OutlookMessage) -> Iterator[bytes]:
    if message.plain.strip() or not (message.html or message.rtf):
        yield _part("text/plain; charset=utf-8", message.plain.encode("utf-8", "replace"))
    if message.html:
        yield _part("text/html; charset=utf-8", message.html)
    elif message.rtf and not message.plain.strip():
        yield _part("text/rtf", message.rtf, name="message.rtf")
    for each in message.attached:
        if each.message is not None:
            inner = write_mime(each.message)
            yield b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + inner
        else:
            kind = each.declared_type if _is_type(each.declared_type) else "application/octet-stream"
            yield _part(kind, each.octets, name=each.name or "attachment", content_id=each.content_id)


def _part(kind: str, octets: bytes, *, name: str = "", content_id: str = "") -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    if name:
        encoded = name[:200].encode("utf-8", "replace")
        percent = "".join(chr(o) if o < 128 and chr(o).isalnum() else f"%{o:02X}" for o in encoded)
        head += f"Content-Disposition: attachment;\r\n filename*=utf-8''{percent}\r\n"
    if content_id:
        head += f"Content-ID: <{_one_line(content_id)[:200]}>\r\n"
    return head.encode("utf-8", "replace") + b"\r\n" + base64.encodebytes(octets).replace(b"\n", b"\r\n")


def _is_type(text: str) -> bool:
    main, slash, sub = text.partition("/")
    return bool(slash) and all(part.translate(_NAME_MARKS).isalnum() and part.isascii() for part in (main, sub))
