"""Properties of messages as Outlook keeps them, in TNEF and in .msg files.

In: property numbers and octets. Out: text, and RTF without its packing. Standard: Microsoft's MS-OXPROPS (numbers),
MS-OXCDATA §2.11.1 (types), MS-OXRTFCP (packed RTF). Not here: where they stand (`outlook`, `readers.tnef`).
"""

from __future__ import annotations

import struct

from gatepost.message.charsets import decode_text

SUBJECT, BODY, RTF, HTML = 0x0037, 0x1000, 0x1009, 0x1013
DATA, FILE_NAME, LONG_NAME, DISPLAY_NAME = 0x3701, 0x3704, 0x3707, 0x3001
MIME_TYPE, CONTENT_ID = 0x370E, 0x3712
TEXT8, UNICODE, BINARY, OBJECT = 0x1E, 0x1F, 0x102, 0x0D
MAX_RTF = 16 << 20  # octets of one packed text, unpacked

_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096


def text_of(kind: int, octets: bytes, codepage: int = 0) -> str:
    """A string property."""
    if kind == UNICODE:
        return octets.decode("utf-16-le", "replace").rstrip("\x00")
    return decode_text(octets.rstrip(b"\x00"), charset_of(codepage))[0]


def charset_of(codepage: int) -> str:
    """The charset of one of Windows' code pages; empty for one not known."""
    return {0: "", 65001: "utf-8", 20127: "us-ascii", 28591: "iso-8859-1", 1200: ""}.get(codepage, f"cp{codepage}")


def unpack_rtf(octets: bytes) -> bytes:
    """RTF from a PidTagRtfCompressed. Damaged ends give what came before. Raises ValueError for what is none."""
    if len(octets) < 16:
        raise ValueError("packed RTF is too short")
    _, size, magic, _ = struct.unpack_from("<IIII", octets)
    if magic == _PLAIN:
        return octets[16 : 16 + min(size, MAX_RTF)]
    if magic != _PACKED:
        raise ValueError("packed RTF by an unknown method")
    return _unpacked(octets, min(size, MAX_RTF))


def _unpacked(octets: bytes, size: int) -> bytes:
    """MS-OXRTFCP §3.1.3: each control octet says of the next eight whether they are literal or (place, length)."""
    window = bytearray(_DICTIONARY.ljust(_WINDOW, b"\x00"))
    place, at = len(_DICTIONARY), 16
    out = bytearray()
    while at < len(octets) and len(out) < size:
        control = octets[at]
        at += 1
        for bit in range(8):
            if control >> bit & 1:
                if at + 2 > len(octets):
                    return bytes(out)
                pair = octets[at] << 8 | octets[at + 1]
                at += 2
                offset, length = pair >> 4, (pair & 0xF) + 2
                if offset == place % _WINDOW:
                    return bytes(out[:size])
                for step in range(length):
                    octet = window[(offset + step) % _WINDOW]
                    out.append(octet)
                    window[place % _WINDOW] = octet
                    place += 1
            else:
                if at >= len(octets):
                    return bytes(out)
                out.append(octets[at])
                window[place % _WINDOW] = octets[at]
                place += 1
                at += 1
    return bytes(out[:size])
