"""Octets in a named charset to text: never fails, never picks a codec that costs more than linear time.

In: octets and the charset a sender named (any text). Out: text, and a defect code where the name or octets were wrong.
Standard: RFC 2045 §5.2 and RFC 2046 §4.1.2 (charset names, us-ascii by default), RFC 6532 (UTF-8).
Not here: where the charset was named (`words`, `parameters`, `mime`).
"""

from __future__ import annotations

import codecs
from functools import lru_cache

# Names mail carries that Python does not know, or where the superset is what senders mean (WHATWG Encoding).
_ALIASES = {
    "ansi_x3.110-1983": "latin-1",
    "cp-850": "cp850",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "windows-949": "cp949",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac_roman",
    "x-sjis": "shift_jis",
    "shift_jis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
}
# Codecs that are no charsets, or (punycode, idna) whose cost grows with the square of the input.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_MAX_NAME = 40  # IANA's limit


@lru_cache(maxsize=512)
def charset_codec(name: str) -> str | None:
    """The Python codec for a charset name, or None for what is no charset we know. Cached, since an unknown name
    costs a search of the import path."""
    key = name.strip().strip("\"'").lower()
    if (
        not key
        or len(key) > _MAX_NAME
        or not key.isascii()
        or not key.replace("-", "a").replace("_", "a").isprintable()
    ):
        return None
    key = _ALIASES.get(key, key)
    try:
        codec = codecs.lookup(key).name
        if codec.replace("-", "_") in _NO_CHARSETS:
            return None
        b"a".decode(codec, "ignore")  # raises LookupError for bytes-to-bytes codecs (hex, zlib …)
    except (LookupError, ValueError, UnicodeError):
        return None
    return codec


def decode_text(octets: bytes, charset: str = "") -> tuple[str, str]:
    """The text of `octets` in `charset` and a defect code: "" if all was well, "unknown-charset" or "bad-octets".

    Without a charset, and for what is declared us-ascii and is not: UTF-8 if it is UTF-8, else Windows-1252.
    """
    codec = charset_codec(charset) if charset else "ascii"
    if codec is not None and codec != "ascii":
        try:
            return octets.decode(codec), ""
        except (UnicodeError, ValueError):
            return _replaced(octets, codec), "bad-octets"
    defect = "unknown-charset" if codec is None else "bad-octets"
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace"), defect
    return text, "" if codec is not None and (not charset or octets.isascii()) else defect


def _replaced(octets: bytes, codec: str) -> str:
    """What can be read, with U+FFFD for the rest."""
    try:
        return octets.decode(codec, "replace")
    except (UnicodeError, ValueError):
        return octets.decode("latin-1")


def decode_field(octets: bytes) -> str:
    """The text of a field's octets: UTF-8 (RFC 6532 §3.2), else Latin-1, which loses nothing."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
