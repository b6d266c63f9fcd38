"""TNEF (winmail.dat): what Outlook sends to those it takes for its own kind.

In: `Content` of kind "tnef". Out: `Member`s: attachments, the text as HTML, RTF or plain. Standard: Microsoft's
MS-OXTNEF §2.1.3 (attributes), §2.1.3.3 and §2.1.3.4 (properties). Not here: properties' meaning (`mapi`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from gatepost.sandbox.finds import Finds
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
    TEXT8,
    UNICODE,
    charset_of,
    text_of,
    unpack_rtf,
)
from gatepost.sandbox.reader import Content, Member

MAX_PROPERTIES = 5000
_BODY, _TITLE, _ATTACHED, _PROPERTIES = 0x0002800C, 0x00018010, 0x0006800F, 0x00069003
_RENDER, _ATTACHMENT, _CODEPAGE = 0x00069002, 0x00069005, 0x00069007
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_LONG = (TEXT8, UNICODE, BINARY, OBJECT)
_GUID = 16  # before the octets of an object stands which interface it has

Properties = dict[int, tuple[int, bytes]]


@dataclass(slots=True)
class _Attachment:
    title: str = ""
    data: bytes = b""
    properties: Properties = field(default_factory=dict)


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """Attachments and texts."""
    attachments: list[_Attachment] = []
    message: Properties = {}
    codepage = 0
    body = b""
    for kind, data in _attributes(content.octets):
        if kind == _CODEPAGE and len(data) >= 4:
            codepage = int.from_bytes(data[:4], "little")
        elif kind == _RENDER:
            attachments.append(_Attachment())
        elif kind == _PROPERTIES:
            message.update(_properties(data))
        elif kind == _BODY:
            body = data
        elif kind in (_TITLE, _ATTACHED, _ATTACHMENT):
            if not attachments:
                attachments.append(_Attachment())
            _add(attachments[-1], kind, data, codepage)
    yield from _texts(message, body, codepage, finds, content)
    for attachment in attachments:
        for member in _members(attachment, codepage):
            content.budget.take(len(member.octets))
            yield member


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Level, kind, length, octets, checksum: as far as they reach."""
    at = 6
    while at + 9 <= len(octets) and octets[at] in (1, 2):
        kind, length = struct.unpack_from("<II", octets, at + 1)
        yield kind, octets[at + 9 : at + 9 + length]
        at += 9 + length + 2


def _add(attachment: _Attachment, kind: int, data: bytes, codepage: int) -> None:
    if kind == _TITLE:
        attachment.title = text_of(TEXT8, data, codepage)
    elif kind == _ATTACHED:
        attachment.data = data
    else:
        attachment.properties.update(_properties(data))


def _properties(data: bytes) -> Properties:
    """By number; what is cut off ends the list."""
    found: Properties = {}
    at = 4
    try:
        for _ in range(min(int.from_bytes(data[:4], "little"), MAX_PROPERTIES)):
            kind, number = struct.unpack_from("<HH", data, at)
            at += 4
            if number >= 0x8000:
                at = _skip_name(data, at)
            value, at = _value(data, at, kind)
            found.setdefault(number, (kind & ~0x1000, value))
    except (struct.error, ValueError):
        pass
    return found


def _skip_name(data: bytes, at: int) -> int:
    """Named properties have a set and a number or a name in front."""
    at += 16
    by_name = struct.unpack_from("<I", data, at)[0]
    at += 4
    if not by_name:
        return at + 4
    length: int = struct.unpack_from("<I", data, at)[0]
    return at + 4 + length + -length % 4


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """The first value and where the next property starts; several values are counted in front."""
    several, kind = bool(kind & 0x1000), kind & ~0x1000
    if kind in _FIXED and not several:
        size = _FIXED[kind]
        return data[at : at + size], at + size
    count = struct.unpack_from("<I", data, at)[0]
    at += 4
    if kind in _FIXED:
        size = _FIXED[kind]
        return data[at : at + size], at + size * min(count, len(data))
    if kind not in _LONG:
        raise ValueError("unknown type of property")
    first = b""
    for index in range(min(count, MAX_PROPERTIES)):
        length = struct.unpack_from("<I", data, at)[0]
        if not index:
            first = data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return first, at


def _texts(message: Properties, body: bytes, codepage: int, finds: Finds, content: Content) -> Iterator[Member]:
    kind, html = message.get(HTML, (0, b""))
    if html:
        octets = html.decode("utf-16-le", "replace").encode() if kind == UNICODE else html
        charset = "utf-8" if kind == UNICODE else charset_of(codepage)
        yield Member(name="", octets=octets.rstrip(b"\x00"), declared_type="text/html", charset=charset)
    kind, plain = message.get(BODY, (TEXT8, body))
    if plain.strip(b"\x00\r\n \t"):
        text = text_of(kind, plain, codepage)
        yield Member(name="", octets=text.encode("utf-8", "replace"), declared_type="text/plain", charset="utf-8")
    packed = message.get(RTF, (0, b""))[1]
    if packed:
        try:
            yield Member(name="message.rtf", octets=unpack_rtf(packed), declared_type="text/rtf")
        except ValueError as error:
            finds.trouble("damaged", content.path, str(error))


def _members(attachment: _Attachment, codepage: int) -> Iterator[Member]:
    """The file; where the attribute holds another than the property, both, since readers differ."""
    properties = attachment.properties

    def text(number: int) -> str:
        kind, octets = properties.get(number, (0, b""))
        return text_of(kind, octets, codepage) if kind in (TEXT8, UNICODE) else ""

    kind, data = properties.get(DATA, (0, b""))
    data = data[_GUID:] if kind == OBJECT else data
    names = (text(LONG_NAME), attachment.title, text(FILE_NAME), text(DISPLAY_NAME))
    given = tuple(dict.fromkeys(name for name in names if name))
    for octets in dict.fromkeys((data or attachment.data, attachment.data or data)):
        if given or octets:
            yield Member(
                name=given[0] if given else "",
                octets=octets,
                names=given,
                declared_type=text(MIME_TYPE).lower(),
                disposition="attachment",
                content_id=text(CONTENT_ID).strip("<>"),
            )
