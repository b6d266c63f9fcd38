"""Macro strings: `%{ir}.%{v}._spf.%{d2}` read into parts, and expanded.

In: text of a record or an explanation; later the values of the letters. Out: `MacroString`; text.
Standard: RFC 7208 §7 (macros), §7.1 (grammar), §7.3 (transformers, escaping, the 253 octets).
Not here: where the values come from (`check`), the terms around the strings (`record`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gatepost.msgauth.spf.name import is_askable

MAX_NAME = 253  # RFC 7208 §7.3: what DNS can ask for, without the trailing dot
_MAX_PARTS = 128  # RFC 7208 §7.3: at least 128 labels are to be supported; no name has more

# RFC 7208 §7.1: macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
_INSIDE = re.compile(r"([slodiphcrtv])([0-9]*)(r?)([.\-+,/_=]*)", re.IGNORECASE | re.ASCII)
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
_ONLY_IN_EXPLANATIONS = frozenset("crt")

# RFC 7208 §7.1: toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
_TOP_LABEL = re.compile(r"(?![0-9]+$)[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Macro:
    """One `%{…}`: the letter in lower case, how many right-hand parts stay (0: all), reversed or not, the delimiters
    (default "."), and whether the outcome is escaped as in a URL (an upper-case letter asks for it)."""

    letter: str
    keep: int
    backwards: bool
    delimiters: str
    escaped: bool


@dataclass(frozen=True, slots=True)
class MacroString:
    """`parts` in order. `literal` is the whole text when it has no macro, else None; `name` is the same as a name to
    ask DNS for, empty when that cannot be. `letters` is what it needs."""

    parts: tuple[str | Macro, ...]
    literal: str | None
    letters: frozenset[str]
    ends_in_macro: bool
    name: str | None


def parse_macro_string(text: str, *, explanation: bool = False) -> MacroString | str:
    """Reads `text`, or says in words what is wrong. The letters c, r and t are for explanations only (§7.2)."""
    parts: list[str | Macro] = []
    position, ends_in_macro = 0, False
    while (start := text.find("%", position)) >= 0:
        if start > position:
            parts.append(text[position:start])
        following = text[start + 1 : start + 2]
        if following == "{":
            end = text.find("}", start + 2)
            macro = _parse_macro(text[start + 2 : end]) if end >= 0 else None
            if macro is None or (macro.letter in _ONLY_IN_EXPLANATIONS and not explanation):
                return f"the macro {text[start : end + 1 if end >= 0 else start + 20]} is not allowed"
            parts.append(macro)
            position = end + 1
        elif following in _ESCAPES and following:
            parts.append(_ESCAPES[following])
            position = start + 2
        else:
            return "a % that starts no macro"
        ends_in_macro = position == len(text)
    if position < len(text):
        parts.append(text[position:])
    letters = frozenset(part.letter for part in parts if isinstance(part, Macro))
    literal = None if letters else "".join(part for part in parts if isinstance(part, str))
    name = None if literal is None else to_name(literal)
    return MacroString(tuple(parts), literal, letters, ends_in_macro, name)


def _parse_macro(inside: str) -> Macro | None:
    match = _INSIDE.fullmatch(inside)
    if match is None:
        return None
    letter, digits, backwards, delimiters = match.groups()
    keep = 0
    if digits:
        keep = min(int(digits[-4:]), _MAX_PARTS) if len(digits.lstrip("0")) <= 4 else _MAX_PARTS
        if keep == 0:
            return None  # RFC 7208 §7.1: the DIGIT, if it is there, is nonzero
    return Macro(letter.lower(), keep, bool(backwards), delimiters, letter.isupper())


def parse_domain_spec(text: str) -> MacroString | str:
    """Reads a domain-spec (RFC 7208 §7.1): a macro string that ends in a top label or in a macro."""
    spec = parse_macro_string(text)
    if isinstance(spec, str):
        return spec
    if not spec.ends_in_macro:
        last = spec.parts[-1] if spec.parts else ""
        before, dot, label = str(last).removesuffix(".").rpartition(".")
        if not dot or _TOP_LABEL.fullmatch(label) is None or (not before and len(spec.parts) == 1):
            return f"{text[:80]} is no domain name"
    return spec


def expand(spec: MacroString, values: Mapping[str, str]) -> str:
    """The text with `values` (by lower-case letter) in place of the macros."""
    if spec.literal is not None:
        return spec.literal
    return "".join(part if isinstance(part, str) else _expand_one(part, values[part.letter]) for part in spec.parts)


def _expand_one(macro: Macro, value: str) -> str:
    if macro.keep or macro.backwards or macro.delimiters:
        delimiters = macro.delimiters or "."
        first = delimiters[0]
        for other in delimiters[1:]:
            value = value.replace(other, first)
        parts = value.split(first)
        if macro.backwards:
            parts.reverse()
        value = ".".join(parts[-macro.keep :] if macro.keep else parts)
    return quote(value, safe="") if macro.escaped else value


def to_name(text: str) -> str:
    """What came of a domain-spec, as a name to ask DNS for; the empty string if it is none (RFC 7208 §4.8)."""
    name = shorten(text.removesuffix(".")).lower()
    return name if is_askable(name) else ""


def shorten(name: str) -> str:
    """RFC 7208 §7.3: a name over 253 octets loses labels on the left until it fits."""
    if len(name) <= MAX_NAME:
        return name
    cut = name.find(".", len(name) - MAX_NAME - 1)
    return name[cut + 1 :] if cut >= 0 else ""
