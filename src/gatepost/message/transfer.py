"""Content-Transfer-Encodings: encoded octets to octets, whatever was broken on the way.

In: the octets of a body and the encoding's name. Out: `Decoded`: octets, and defect codes.
Standard: RFC 2045 §6 (quoted-printable §6.7, base64 §6.8). uuencode is POSIX's, and only read.
Not here: which encoding a part claims (`mime`).
"""

from __future__ import annotations

import binascii
import contextlib
import re
from dataclasses import dataclass

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_BLANKS = b" \t\r\n"
_NO_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64)
_BAD_PAIR = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")
IDENTITIES = frozenset(("", "7bit", "8bit", "binary"))
_UU = frozenset(("x-uuencode", "uuencode", "x-uue", "uue"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Octets and what was wrong: "bad-base64" (foreign octets), "base64-cut", "data-after-padding", "bad-uuencode",
    "bad-quoted-printable", "unknown-encoding" (the octets are then as they came)."""

    octets: bytes
    defects: tuple[str, ...] = ()


def decode_transfer(octets: bytes, encoding: str) -> Decoded:
    """`octets` without their transfer encoding (its name in lower case). Total and linear."""
    if encoding in IDENTITIES:
        return Decoded(octets)
    if encoding == "base64":
        return decode_base64(octets)
    if encoding == "quoted-printable":
        return decode_quoted_printable(octets)
    if encoding in _UU:
        return decode_uu(octets)
    return Decoded(octets, ("unknown-encoding",))


def decode_base64(octets: bytes) -> Decoded:
    """RFC 2045 §6.8: octets outside the alphabet are ignored (and noted), padding ends the data."""
    compact = octets.translate(None, _BLANKS)
    if not len(compact) % 4 and not compact.endswith(b"==="):
        with contextlib.suppress(binascii.Error):  # most of it is as it should be: read in one go, without copies
            return Decoded(binascii.a2b_base64(compact, strict_mode=True))
    return _mended(compact)


def _mended(compact: bytes) -> Decoded:
    """What can be read of base64 that is not as it should be."""
    defects: list[str] = []
    if compact.translate(None, _BASE64):
        defects.append("bad-base64")
        compact = compact.translate(None, _NO_BASE64)
    data, padding, rest = compact.partition(b"=")
    if rest.strip(b"="):
        defects.append("data-after-padding")
    if len(data) % 4 == 1:
        data = data[:-1]
        defects.append("base64-cut")
    elif (len(data) % 4 and len(padding + rest[:1]) < 4 - len(data) % 4) or (padding and not len(data) % 4):
        defects.append("base64-cut")
    return Decoded(binascii.a2b_base64(data + b"=" * (-len(data) % 4)), tuple(defects))


def decode_quoted_printable(octets: bytes) -> Decoded:
    """RFC 2045 §6.7: white space at the end of a line goes (rule 3), a "=" that begins no pair stays as it is."""
    if b" \n" in octets or b" \r\n" in octets or b"\t\n" in octets or b"\t\r\n" in octets:
        lines = octets.split(b"\n")
        last = len(lines) - 1
        octets = b"\n".join(line if index == last else _trimmed(line) for index, line in enumerate(lines))
    decoded = binascii.a2b_qp(octets)
    return Decoded(decoded, ("bad-quoted-printable",) if _BAD_PAIR.search(octets) else ())


def _trimmed(line: bytes) -> bytes:
    return line[:-1].rstrip(b" \t") + b"\r" if line.endswith(b"\r") else line.rstrip(b" \t")


def decode_uu(octets: bytes) -> Decoded:
    """The first "begin" … "end" of POSIX uuencode; lines that are none are left out."""
    out: list[bytes] = []
    begun = ended = bad = False
    for line in octets.split(b"\n"):
        line = line.rstrip(b"\r")
        if not begun:
            begun = line.startswith(b"begin ")
        elif line.strip() == b"end":
            ended = True
            break
        else:
            try:
                # more characters than the length octet asks for are cut, as other decoders do
                out.append(binascii.a2b_uu(line[: ((line[0] - 32 & 63) * 4 + 5) // 3 + 1] if line else line))
            except binascii.Error:
                bad = True
    return Decoded(b"".join(out), ("bad-uuencode",) if bad or not (begun and ended) else ())
