"""The text of a part that a person reads, in the charset that its reader would take.

In: octets and the charset of the Content-Type. Out: text of at most `MAX_TEXT` characters: pictures written into it are
dropped first, then its middle, since what hides something puts it behind a long beginning. Never raises.
Standard: the order of the HTML Standard §13.2.3.2: a byte order mark, then what the transport says, then a `meta`.
Not here: charsets themselves (`message.charsets`).
"""

from __future__ import annotations

import codecs
import re

from gatepost.message.charsets import charset_codec, decode_text

MAX_TEXT = 1_000_000  # characters that are read of one part; people do not get through a tenth
MAX_OCTETS = 16 * MAX_TEXT
TAIL = MAX_TEXT // 4  # of them at the end of a longer text
_PICTURES = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{2000}[A-Za-z0-9+/=]*+")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(rb"<meta[^>]{0,300}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_LOOKED_AT = 1024  # octets in which a meta counts


def read_text(octets: bytes, charset: str, *, markup: bool = False) -> str:
    """The text of `octets`; `markup` lets a `meta` name the charset where nothing else does."""
    head = octets[:MAX_OCTETS]
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return _fitting(head[len(mark) :].decode(codec, "replace"))
    if markup and (not charset or charset_codec(charset) is None):
        found = _META.search(head[:_LOOKED_AT])
        named = found[1].decode("ascii", "replace") if found else ""
        if named and not named.lower().startswith("utf-16"):  # what was found as ASCII is none
            charset = named
    return _fitting(decode_text(head, charset)[0])


def is_cut(octets: bytes, text: str) -> bool:
    """Whether `text`, as `read_text` gave it, lacks something of `octets` that is no picture."""
    return len(text) >= MAX_TEXT or len(octets) > MAX_OCTETS


def _fitting(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    text = _PICTURES.sub(lambda found: found[0][:2000], text)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - TAIL - 1]}\n{text[-TAIL:]}"
