"""Header fields that we write: nothing that goes into them can begin another field.

In: a name and a value. Out: the octets of one field, folded, with CRLF; `InputError` for what cannot be in a field.
Standard: RFC 5322 §2.1.1 (line lengths), §2.2.3 (folding), §3.4 (mailbox); RFC 2047 §5 (encoded-words); RFC 6532.
Not here: fields with a grammar of their own (`trace`, `dsn`).
"""

from __future__ import annotations

import base64
import re

from gatepost.errors import InputError
from gatepost.message.addr_spec import Strictness, parse_addr_spec

WIDTH = 78  # RFC 5322 §2.1.1: SHOULD; 998 is MUST
MAX_LINE = 998
_MAX_WORD = 64  # RFC 2047 §2 allows 75; this leaves room for the field name on the first line
_FORBIDDEN = re.compile(r"[\0-\x08\n-\x1f\x7f]")  # some readers end lines at VT, FF and FS too
_NAME = re.compile(r"[!-9;-~]{1,76}")  # ftext (RFC 5322 §3.6.8)
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def write_field(name: str, value: str, *, utf8: bool = False) -> bytes:
    """The field `name: value` as octets with CRLF, folded at its blanks to 78 characters where it has any.

    Non-ASCII is encoded (RFC 2047) unless `utf8`; ASCII goes as it is. Raises InputError for control characters (CR,
    LF, NUL …), for a name that is none, and for a line that would exceed 998 octets.
    """
    if not _NAME.fullmatch(name):
        raise InputError("field name", name, "use printable ASCII without a colon")
    if _FORBIDDEN.search(value):
        raise InputError(name, value, "a header field holds no control characters")
    if not value.isascii() and not utf8:
        value = encode_words(value)
    octets = b"\r\n".join(line.encode("utf-8", "replace") for line in _fold(f"{name}: {value}"))
    if any(len(line) > MAX_LINE for line in octets.split(b"\r\n")):
        raise InputError(name, value, f"no line of a header exceeds {MAX_LINE} octets")
    return octets + b"\r\n"


def _fold(text: str) -> list[str]:
    """Lines of at most `WIDTH` where blanks allow; the blank that is folded at starts the next line."""
    if len(text) <= WIDTH:
        return [text]
    lines: list[str] = []
    line = ""
    for index, word in enumerate(text.split(" ")):
        if not index:
            line = word
        elif line.strip() and len(line) + 1 + len(word) > WIDTH and index > 1 and word:
            lines.append(line)
            line = " " + word
        else:
            line += " " + word
    return [*lines, line]


def encode_words(text: str) -> str:
    """`text` with every run of words that holds non-ASCII as encoded-words in UTF-8, each within 64 characters."""
    if text.isascii() and "=?" not in text:
        return text
    out: list[str] = []
    run: list[str] = []
    for word in text.split(" "):
        if word.isascii() and "=?" not in word and (word or not run):
            if run:
                out.append(_encoded(" ".join(run)))
                run = []
            out.append(word)
        else:
            run.append(word)
    if run:
        out.append(_encoded(" ".join(run)))
    return " ".join(out)


def _encoded(text: str) -> str:
    """One or more B words; a character is never cut in two (RFC 2047 §5)."""
    words: list[str] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > (_MAX_WORD - 12) // 4 * 3:
            words.append(_word(chunk))
            chunk = b""
        chunk += octets
    return " ".join([*words, _word(chunk)] if chunk else words)


def _word(octets: bytes) -> str:
    return f"=?utf-8?B?{base64.b64encode(octets).decode('ascii')}?="


def write_mailbox(display_name: str, address: str, *, utf8: bool = False) -> str:
    """`display_name <address>` (RFC 5322 §3.4), the name quoted or encoded as it needs.

    Raises InputError for an address that SMTP would not take, and for control characters in the name.
    """
    if _FORBIDDEN.search(display_name):
        raise InputError("display name", display_name, "a name holds no control characters")
    if parse_addr_spec(address, smtputf8=True).strictness > Strictness.SMTP:
        raise InputError("address", address, "write it as local-part@domain")
    if not display_name:
        return address
    if not display_name.isascii() and not utf8:
        name = _encoded(display_name)
    elif _ATOMS.fullmatch(display_name) and "=?" not in display_name:
        name = display_name
    elif "=?" in display_name:
        name = _encoded(display_name)
    else:
        name = '"' + display_name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"
