"""Encoded-words: `=?charset?B|Q?text?=` in unstructured text, phrases and comments, to plain text.

In: a field's text (`RawField.text`). Out: the decoded text and defect codes.
Standard: RFC 2047 §2, §6.2 (white space between two words goes), RFC 2231 §5 (language after the charset).
Not here: the charsets (`charsets`); parameters, which have their own encoding (`parameters`).
"""

from __future__ import annotations

import binascii
import re

from gatepost.message.charsets import decode_text

MAX_WORDS = 4000  # a 300 KB subject; past that the rest stays as it is
_MAX_CHARSET = 60

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="  (RFC 2047 §2, RFC 2231 §5)
# Wider than the grammar: blanks in encoded-text and words over 75 characters are read, since real senders make them.
# Every piece stops at the next "?", so no octet is looked at twice.
_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")


def decode_words(text: str) -> str:
    """`text` with its encoded-words decoded. Total: what cannot be decoded stays readable."""
    return text if "=?" not in text else read_words(text)[0]


def read_words(text: str) -> tuple[str, tuple[str, ...]]:
    """The decoded text and defect codes: "unknown-charset", "bad-octets", "bad-base64", "word-too-long",
    "word-not-separated", "too-many-words"."""
    if "=?" not in text:
        return text, ()
    out: list[str] = []
    defects: dict[str, None] = {}
    run = _Run(out, defects)
    position = 0
    for count, match in enumerate(_WORD.finditer(text)):
        if count >= MAX_WORDS:
            defects["too-many-words"] = None
            break
        between = text[position : match.start()]
        if position == 0 or between.strip(" \t\r\n") or not run.open:
            run.flush()
            out.append(between)
        if between and between[-1] not in " \t\r\n(\"'":
            defects["word-not-separated"] = None
        if match.end() - match.start() > 75:
            defects["word-too-long"] = None
        run.add(match[1], _payload(match[2], match[3], defects))
        position = match.end()
    run.flush()
    out.append(text[position:])
    return "".join(out), tuple(defects)


class _Run:
    """Adjacent words of one charset: their octets are joined before decoding, since senders cut words in the middle
    of a character."""

    __slots__ = ("_charset", "_defects", "_octets", "_out", "open")

    def __init__(self, out: list[str], defects: dict[str, None]) -> None:
        self._out = out
        self._defects = defects
        self._charset = ""
        self._octets: list[bytes] = []
        self.open = False

    def add(self, charset: str, octets: bytes) -> None:
        if charset.lower() != self._charset:
            self.flush()
        self._charset = charset.lower()
        self._octets.append(octets)
        self.open = True

    def flush(self) -> None:
        if self._octets:
            text, defect = decode_text(b"".join(self._octets), self._charset)
            if defect:
                self._defects[defect] = None
            self._out.append(text)
        self._octets = []
        self.open = False


def _payload(encoding: str, text: str, defects: dict[str, None]) -> bytes:
    octets = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        # RFC 2047 §4.2: "_" is a space, "=XX" an octet
        return _HEX.sub(lambda match: bytes((int(match[1], 16),)), octets.replace(b"_", b" "))
    compact = octets.rstrip(b"= \t").translate(None, b" \t\r\n")
    try:
        return binascii.a2b_base64(compact[: len(compact) - (len(compact) % 4 == 1)] + b"==")
    except binascii.Error:
        defects["bad-base64"] = None
        return octets
