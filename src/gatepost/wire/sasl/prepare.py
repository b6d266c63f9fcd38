"""Names and passwords in their one form, so that what looks the same to a reader is the same to us.

In: text as a client sent it. Out: the prepared text, or `Unfit` with the reason.
Standard: RFC 8265 §3.3 (UsernameCaseMapped), §4.2 (OpaqueString); RFC 8264 §8 (which characters), RFC 5893 §2 (right to
left). Not here: what letters of other scripts look like: they stay other letters, so "а" (Cyrillic) never logs "a" in.
Deviations, on the safe side: a name holds no blank, no joiner and none of the characters that RFC 5892 App. A allows
only beside certain others, but the digits of Arabic; accounts are mail addresses, and none of theirs has one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from gatepost.errors import GatepostError

MAX_NAME = 255  # octets in UTF-8; RFC 4616 §2 asks for 255 at least
MAX_PASSWORD = 1024  # octets in UTF-8; RFC 4616 §2 asks for 255 at least


_Step = Callable[[str], str]


class Unfit(GatepostError):
    """A name or password that nobody can have; `str()` says why, and quotes nothing."""


def prepare_name(name: str) -> str:
    """The one form of `name`: no full-width letters, lower case, NFC (RFC 8265 §3.3.3). Unfit for what is no name."""
    if name.isascii():
        _check_length(name, MAX_NAME, "name")
        if not all("!" <= c <= "~" for c in name):
            raise Unfit("a name holds a blank or a control character")
        return name.lower()
    return _settled(name, _prepare_name)


def prepare_password(password: str) -> str:
    """`password` as it is compared: NFC, every blank U+0020 (RFC 8265 §4.2.2), otherwise untouched. Unfit for one that
    is empty, too long, or holds what no keyboard gives."""
    if password.isascii():
        _check_length(password, MAX_PASSWORD, "password")
        if not password.isprintable():
            raise Unfit("a password holds a control character")
        return password
    return _settled(password, _prepare_password)


def _check_length(text: str, most: int, what: str) -> None:
    if not text:
        raise Unfit(f"an empty {what}")
    if len(text) > most or len(text.encode("utf-8", "surrogatepass")) > most:
        raise Unfit(f"a {what} of more than {most} octets")


def _settled(text: str, once: _Step) -> str:
    """RFC 8264 §7: the rules are applied again until nothing changes, four times at most."""
    for _ in range(4):
        prepared = once(text)
        if prepared == text:
            return text
        text = prepared
    raise Unfit("it has no settled form")


def _prepare_name(name: str) -> str:
    _check_length(name, MAX_NAME, "name")
    name = unicodedata.normalize("NFC", "".join(map(_narrow, name)).lower())
    _check_length(name, MAX_NAME, "name")  # lower case and NFC may make it longer
    for char in name:
        if not _in_identifier(char):
            raise Unfit("a name holds a character that names cannot have")
    if any(c in _ARABIC for c in name) and any(c in _EXTENDED_ARABIC for c in name):
        raise Unfit("a name mixes two sets of digits")  # RFC 5892 App. A.8, A.9
    if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in name) and not _reads_one_way(name):
        raise Unfit("a name mixes directions of writing")
    return name


def _prepare_password(password: str) -> str:
    _check_length(password, MAX_PASSWORD, "password")
    blanks = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    password = unicodedata.normalize("NFC", blanks)
    _check_length(password, MAX_PASSWORD, "password")
    for char in password:
        if not _in_freeform(char):
            raise Unfit("a password holds a character that passwords cannot have")
    return password


def _narrow(char: str) -> str:
    """Full-width and half-width forms mean the ordinary character (RFC 8265 §3.3.2)."""
    kind, _, mapped = unicodedata.decomposition(char).partition(" ")
    return "".join(chr(int(code, 16)) for code in mapped.split()) if kind in ("<wide>", "<narrow>") else char


# RFC 8264 §9.6 by RFC 5892 §2.6, the part that is always valid; U+30FB and the like depend on their neighbours.
_ALWAYS = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")
_NEVER = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
_IN_CONTEXT = frozenset("\u00b7\u0375\u05f3\u05f4\u30fb")  # RFC 5892 App. A.3 to A.7
_ARABIC = frozenset(map(chr, range(0x660, 0x66A)))
_EXTENDED_ARABIC = frozenset(map(chr, range(0x6F0, 0x6FA)))
_LETTER_DIGITS = frozenset({"Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"})  # RFC 8264 §9.1
_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))  # RFC 8264 §9.9
# RFC 8264 §9.13: Default_Ignorable_Code_Point beyond category Cf, which has most of them; and the noncharacters.
_IGNORABLE = ((0x34F, 0x34F), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
              (0xFFA0, 0xFFA0), (0xFDD0, 0xFDEF), (0xE0000, 0xE0FFF))  # fmt: skip
_UNWANTED = frozenset({"Cc", "Cf", "Cn", "Cs", "Co", "Zl", "Zp"})


def _in_identifier(char: str) -> bool:
    """RFC 8264 §8 for the IdentifierClass."""
    if char.isascii():
        return "!" <= char <= "~"
    if char in _ALWAYS:
        return True
    if char in _NEVER or char in _IN_CONTEXT or _is_ignored(char):
        return False
    if unicodedata.normalize("NFKC", char) != char:  # RFC 8264 §9.17: it only looks like something else
        return False
    return unicodedata.category(char) in _LETTER_DIGITS


def _in_freeform(char: str) -> bool:
    """RFC 8264 §8 for the FreeformClass: anything visible. Joiners are let in where emoji have them."""
    return char == "\u200d" or (unicodedata.category(char) not in _UNWANTED and not _is_hidden(char))


def _is_ignored(char: str) -> bool:
    return _within(char, _JAMO) or _within(char, _IGNORABLE)


def _is_hidden(char: str) -> bool:
    return _within(char, _JAMO) or (_within(char, _IGNORABLE) and char != "\ufe0f")  # U+FE0F makes a sign an emoji


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(char)
    return any(low <= code <= high for low, high in ranges)


_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_AFTER_RTL = frozenset({"R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"})
_AFTER_LTR = frozenset({"L", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"})


def _reads_one_way(text: str) -> bool:
    """RFC 5893 §2, the Bidi Rule."""
    kinds = [unicodedata.bidirectional(c) for c in text]
    ending = [kind for kind in kinds if kind != "NSM"][-1:]
    if kinds[0] in ("R", "AL"):
        return set(kinds) <= _AFTER_RTL and ending[0] in ("R", "AL", "EN", "AN") and not {"EN", "AN"} <= set(kinds)
    return kinds[0] == "L" and set(kinds) <= _AFTER_LTR and ending[0] in ("L", "EN")
