"""A message in seven bits and short lines, so that no server on its way has a reason to change it.

In: a message. Out: `SevenBit`: the octets with the parts that needed it in base64 or quoted-printable, their fields to
match, and what had to be left. A change on the way would break the signatures made here; a change below a signature
of the author's own (multipart/signed) or inside an attached message would break those, so these are left as they are.
Standard: RFC 2045 §6 (encodings), RFC 5321 §4.5.3.1.6 (lines of 1000 octets), RFC 6376 §5.3 (encode, then sign),
RFC 6152 §3 (servers without 8BITMIME), RFC 1428 §3 (the charset nobody named).
Not here: header fields (`server.submission`).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from gatepost.message.header import Header
from gatepost.message.message import Message
from gatepost.message.part import Part
from gatepost.message.transfer import IDENTITIES, decode_quoted_printable

MAX_LINE = 998  # octets without CRLF (RFC 5322 §2.1.1)
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_OPAQUE = frozenset(("multipart/signed", "multipart/encrypted"))
_KNOWN = IDENTITIES | {"base64", "quoted-printable"}
_LEGIBLE = 1 << 20  # octets of text that somebody may want to read in the source; more is quicker in base64
_BASE64_LINE = 57  # octets that give a line of 76 characters (RFC 2045 §6.8)

Edit = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SevenBit:
    """`raw` is the same object where nothing had to change. `is_clean`: the body has seven bits and short lines now."""

    raw: bytes
    is_clean: bool


def to_seven_bit(message: Message) -> SevenBit:
    """Encodes what needs it. Total: any octets give a SevenBit."""
    raw, start = message.raw, message.header.end
    if is_short_seven_bit(raw[start:]):
        return SevenBit(raw=raw, is_clean=True)
    edits: list[Edit] = []
    left = _collect(message.tree, raw, edits, is_root=True)
    if edits and not left:
        edits += _relabelled(message.tree, raw)
    result = _edited(raw, edits)
    end = Message(result).header.end if edits else start
    return SevenBit(raw=result, is_clean=is_short_seven_bit(result[end:]))


def is_short_seven_bit(octets: bytes) -> bool:
    """Whether `octets` may go through any server unchanged: ASCII without NUL, lines of at most 998 octets that end in
    CRLF."""
    if not octets.isascii() or b"\0" in octets or _has_bare_newline(octets):
        return False
    return not has_long_line(octets)


def _has_bare_newline(octets: bytes) -> bool:
    pairs = octets.count(b"\r\n")
    return octets.count(b"\n") != pairs or octets.count(b"\r") != pairs


def has_long_line(octets: bytes) -> bool:
    """Whether a line has more than 998 octets beside its CRLF. Goes from line end to line end in steps of a thousand
    octets: to cut millions of lines apart would take memory for each."""
    start, longest = 0, MAX_LINE + 2
    while len(octets) - start > MAX_LINE:
        end = octets.rfind(b"\n", start, start + longest)
        if end < 0:
            return True
        start = end + 1
    return False


def _collect(root: Part, raw: bytes, edits: list[Edit], *, is_root: bool) -> bool:
    """Adds the edits of every leaf that needs one; True when something had to be left as it is."""
    left = False
    todo = [root]
    while todo:
        part = todo.pop()
        if part.source is not raw or part.content_type.value in _OPAQUE or part.content_type.maintype == "message":
            left = left or not is_short_seven_bit(part.body)
        elif part.children:
            todo.extend(part.children)
        elif not is_short_seven_bit(part.body):
            if part.content_type.maintype == "multipart" or part.encoding not in _KNOWN:
                left = True
            else:
                edits += _encoded(part, is_root=is_root and part is root)
    return left


def _encoded(part: Part, *, is_root: bool) -> list[Edit]:
    """The edits that give one leaf another encoding."""
    octets = part.decoded.octets
    encoding, body = encode_body(octets, is_text=part.content_type.maintype == "text")
    fields = b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    if is_root:
        fields = _mime_fields(part.header, octets) + fields
    return [*_replaced(part, fields), (part.body_start, part.body_end, body)]


def encode_body(octets: bytes, *, is_text: bool) -> tuple[bytes, bytes]:
    """The encoding's name and the octets in it: quoted-printable for text where that is shorter and says the same."""
    lines = [octets[at : at + _BASE64_LINE] for at in range(0, len(octets), _BASE64_LINE)]
    encoded = b"".join(base64.b64encode(line) + b"\r\n" for line in lines)
    if is_text and len(octets) <= _LEGIBLE and not _has_bare_newline(octets):
        # Python writes its own line breaks as the text has them, and as LF where it has none.
        printable = _BARE.sub(b"\r\n", binascii.b2a_qp(octets, quotetabs=False, istext=True))
        fits = len(printable) <= len(encoded) and is_short_seven_bit(printable)
        if fits and decode_quoted_printable(printable).octets == octets:
            return b"quoted-printable", printable
    return b"base64", encoded


def _mime_fields(header: Header, octets: bytes) -> bytes:
    """What a message needs before its encoding means anything (RFC 2045 §4 and §5.2)."""
    fields = b"" if header.first("mime-version") else b"MIME-Version: 1.0\r\n"
    if header.first("content-type") is None:
        fields += b"Content-Type: text/plain; charset=" + _charset(octets) + b"\r\n"
    return fields


def _charset(octets: bytes) -> bytes:
    if octets.isascii():
        return b"us-ascii"
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return b"unknown-8bit"  # RFC 1428 §3
    return b"utf-8"


def _replaced(part: Part, fields: bytes) -> list[Edit]:
    """Takes the part's Content-Transfer-Encoding out and puts `fields` at the end of its header section."""
    edits: list[Edit] = []
    base = part.start if not part.header.fields else part.header.fields[0].offset
    for field in part.header.all("content-transfer-encoding"):
        edits.append((field.offset, field.offset + len(field.raw), b""))
    if not part.header.fields:
        # A part may begin with the empty line that ends its (empty) header section, or have none at all.
        blank = b"" if part.source[base : part.body_start].endswith(b"\n") else b"\r\n"
        return [(base, base, fields + blank)]
    last = part.header.fields[-1]
    end = last.offset + len(last.raw)
    return [*edits, (end, end, fields if last.raw.endswith(b"\n") else b"\r\n" + fields)]


def _relabelled(root: Part, raw: bytes) -> list[Edit]:
    """A multipart that said "8bit" of what is now in seven bits says "7bit" (RFC 2045 §6.4)."""
    edits: list[Edit] = []
    for part in root.walk():
        if part.source is raw and part.is_multipart and part.encoding in ("8bit", "binary"):
            edits += _replaced(part, b"Content-Transfer-Encoding: 7bit\r\n")
    return edits


def _edited(raw: bytes, edits: list[Edit]) -> bytes:
    """`raw` with all edits done, which do not overlap."""
    pieces, position = [], 0
    for start, end, octets in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [raw[position:start], octets]
        position = end
    pieces.append(raw[position:])
    return b"".join(pieces)
