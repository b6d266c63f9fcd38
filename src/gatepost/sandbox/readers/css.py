"""Reads style sheets and style attributes: which styles hide text, and which addresses they load.

In: CSS, any. Out: the declarations that matter here, addresses of `url()` and `@import`.
Standard: CSS Syntax 3 (escapes are read by tinycss2, and only where there are any), CSS Display, CSS Color.
Rules inside `@media` are left out: what a narrow screen hides is shown on a wide one.
Bounded: sheets beyond `MAX_SHEET` are cut. Not here: which element a rule is for (`html_page`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import tinycss2  # type: ignore[import-untyped]

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.charset import read_text
from gatepost.sandbox.readers.colors import read_color, read_number

MAX_SHEET = 65_536  # characters of one style sheet; newsletters have 20,000
MAX_STYLE = 4096  # characters of one style attribute
MAX_RULES = 1000
MAX_ADDRESSES = 200

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BRACES = re.compile(r"([{}])")
_SELECTOR = re.compile(r"[a-zA-Z][a-zA-Z0-9]*|(?:[a-zA-Z][a-zA-Z0-9]*)?[.#][\w-]+")
_URL = re.compile(r"url\(\s{0,20}(?:\"([^\"]{1,2000})\"|'([^']{1,2000})'|([^\s\"')]{1,2000}))", re.IGNORECASE)
_IMPORT = re.compile(r"@import\s{1,20}[\"']([^\"']{1,2000})[\"']", re.IGNORECASE)
_LENGTH = re.compile(r"(-?[0-9]{0,6}\.?[0-9]{0,4})\s*(px|pt|em|rem|%|vw|ex|)")
_PIXELS = {"px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "%": 0.16, "vw": 10.0, "ex": 8.0, "": 1.0}
_READ = frozenset(
    (
        *("display", "visibility", "font-size", "font", "opacity", "color", "background-color", "background"),
        *("max-height", "height", "max-width", "width", "overflow", "text-indent", "left", "top", "position"),
        *("mso-hide", "clip", "clip-path"),
    )
)
_BEFORE = {"at-keyword": "@", "hash": "#"}
_AROUND = {"{} block": ("{", "}"), "[] block": ("[", "]")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a style says of how text shows; None and empty where it says nothing. `hides` tells how it hides what is
    inside, `shows` that it undoes what a sheet hid; colours are six hexadecimal digits."""

    hides: str = ""
    shows: bool = False
    color: str = ""
    background: str = ""
    size: float | None = None  # pixels


PLAIN = Look()


@dataclass(slots=True)
class Sheet:
    """A style sheet: looks by simple selector ("p", ".x", "td.x", "#y"), and the addresses it loads."""

    looks: dict[str, Look] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """A style sheet by itself: what it loads."""
    for address in read_sheet(read_text(content.octets, content.charset)).addresses:
        finds.link(address, source="html-style", item=content.path)
    return ()


def read_sheet(text: str) -> Sheet:
    """The sheet `text`; never raises."""
    sheet = Sheet()
    text = _plain(text[:MAX_SHEET])
    if "url(" in text or "@import" in text or "URL(" in text:
        sheet.addresses = addresses_in(text)
    depth, skipped, prelude, rules = 0, 0, "", 0
    pieces = _BRACES.split(text)
    for before, sign in zip(pieces[::2], pieces[1::2], strict=False):  # the last piece has no brace behind it
        if sign == "{":
            depth += 1
            prelude = before.rpartition(";")[2].strip()
            if prelude.startswith("@"):
                skipped = skipped or depth
            continue
        if not skipped and prelude and rules < MAX_RULES:
            rules += 1
            _add(sheet, prelude, before)
        prelude = ""
        if skipped == depth:
            skipped = 0
        depth = max(0, depth - 1)
    return sheet


def _add(sheet: Sheet, prelude: str, body: str) -> None:
    look = read_style(body)
    if look is PLAIN:
        return
    for selector in prelude.split(",")[:20]:
        name = selector.strip()
        if _SELECTOR.fullmatch(name):
            sheet.looks[name.lower()] = look


def addresses_in(text: str) -> list[str]:
    """The addresses of `url()` and `@import` in `text`, without data: ones."""
    found = [match[1] or match[2] or match[3] for match in _URL.finditer(text)]
    found += [match[1] for match in _IMPORT.finditer(text)]
    kept = dict.fromkeys(address.strip() for address in found if not address.lower().startswith(("data:", "#")))
    return list(kept)[:MAX_ADDRESSES]


@lru_cache(maxsize=2048)
def read_style(style: str) -> Look:
    """What a style attribute, or the body of a rule, says of how text shows; `PLAIN` for most."""
    said: dict[str, str] = {}
    for declaration in _plain(style[:MAX_STYLE]).lower().split(";"):
        name, colon, value = declaration.partition(":")
        name = name.strip()
        if colon and name in _READ:
            said[name] = value.replace("!important", "").strip()
    if not said:
        return PLAIN
    look = Look(
        hides=_hides(said),
        shows=said.get("display", "none") != "none" or said.get("visibility") == "visible",
        color=read_color(said.get("color", "")),
        background=_background(said),
        size=_size(said),
    )
    return PLAIN if look == PLAIN else look


def _plain(text: str) -> str:
    """`text` without comments and escapes, which only who hides something writes."""
    if "/*" in text:
        text = _COMMENT.sub("", text)
    if "\\" not in text:
        return text
    nodes = tinycss2.parse_component_value_list(text)
    return _unescaped(nodes, 0)


def _unescaped(nodes: Iterable[object], depth: int) -> str:
    """The values of tokens put together again, as CSS reads them."""
    out = []
    for node in nodes:
        kind = getattr(node, "type", "")
        if kind in ("ident", "at-keyword", "hash", "literal", "whitespace"):
            sign = _BEFORE.get(kind, "")
            out.append(sign + str(getattr(node, "value", "")))
        elif kind == "string":
            out.append('"' + str(getattr(node, "value", "")).replace('"', "") + '"')
        elif kind == "url":
            out.append('url("' + str(getattr(node, "value", "")).replace('"', "") + '")')
        elif kind in ("function", "() block", "{} block", "[] block") and depth < 20:
            inside = getattr(node, "arguments", None) or getattr(node, "content", None) or ()
            name = str(getattr(node, "name", ""))
            opened, closed = _AROUND.get(kind, ("(", ")"))
            out.append(f"{name}{opened}{_unescaped(inside, depth + 1)}{closed}")
        elif kind in ("number", "percentage", "dimension"):
            unit = "%" if kind == "percentage" else str(getattr(node, "unit", ""))
            out.append(str(getattr(node, "representation", "")) + unit)
    return "".join(out)


def _hides(said: dict[str, str]) -> str:
    """The property that hides what is inside, empty when none does."""
    if said.get("display") == "none":
        return "display"
    if said.get("visibility") in ("hidden", "collapse"):
        return "visibility"
    if said.get("mso-hide") == "all" and len(said) == 1:
        return ""  # Outlook alone hides it
    opacity = said.get("opacity", "")
    if opacity and read_number(opacity) is not None and (read_number(opacity) or 0.0) <= 0.02:
        return "opacity"
    flat = [_pixels(said[name]) for name in ("max-height", "height", "max-width", "width") if name in said]
    if said.get("overflow") == "hidden" and any(pixels is not None and pixels <= 1.0 for pixels in flat):
        return "overflow"
    away = [_pixels(said[name]) for name in ("text-indent", "left", "top") if name in said]
    if any(pixels is not None and pixels <= -500 for pixels in away):
        return "position"
    return ""


def _background(said: dict[str, str]) -> str:
    """The colour behind, "image" where something else than a colour may be there."""
    if "url(" in said.get("background", "") or "gradient" in said.get("background", ""):
        return "image"
    color = read_color(said.get("background-color") or said.get("background", ""))
    return "" if color == "transparent" else color


def _size(said: dict[str, str]) -> float | None:
    if "font-size" in said:
        return _pixels(said["font-size"])
    if "font" in said:  # shorthand: the size is the first length
        found = re.search(r"(?:^|\s)(0|[0-9.]{1,8}(?:px|pt|em|rem|%))(?:/|\s|$)", said["font"])
        return _pixels(found[1]) if found else None
    return None


def _pixels(value: str) -> float | None:
    found = _LENGTH.fullmatch(value[:30].strip())
    if found is None or not found[1].strip("-."):
        return None
    number = read_number(found[1])
    return None if number is None else number * _PIXELS[found[2]]
