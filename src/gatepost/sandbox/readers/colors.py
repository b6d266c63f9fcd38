"""Colours of CSS and HTML, as far as it matters whether text shows on what is behind it.

In: the value of a property or attribute. Out: six hexadecimal digits, "transparent", or empty for no plain colour.
Standard: CSS Color 4 §4, §6. Not here: which property says what (`css`).
"""

from __future__ import annotations

import re
from functools import lru_cache

_RGB = re.compile(r"rgba?\(\s*([0-9.]{1,8})[\s,]+([0-9.]{1,8})[\s,]+([0-9.]{1,8})(?:[\s,/]+([0-9.]{1,8}))?")
_NAMED = {
    "white": "ffffff",
    "black": "000000",
    "red": "ff0000",
    "yellow": "ffff00",
    "silver": "c0c0c0",
    "snow": "fffafa",
}
NEAR = 6  # steps of 255 by which two colours may differ and still be one to the eye


def read_number(text: str) -> float | None:
    """A number of CSS; 50% is 0.5."""
    try:
        return float(text.rstrip("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        return None


def read_color(value: str) -> str:
    """Six hexadecimal digits, or empty for what is no plain colour. Transparent text is "transparent"."""
    value = value.strip().lower()
    if not value:
        return ""
    first = value.split(None, 1)[0] if not value.startswith("rgb") else value
    if first in _NAMED:
        return _NAMED[first]
    digits = first.lstrip("#")
    if len(digits) in (3, 6) and all(c in "0123456789abcdef" for c in digits):
        return digits if len(digits) == 6 else "".join(c + c for c in digits)
    found = _RGB.match(value)
    if found is not None:
        if found[4] is not None and (read_number(found[4]) or 0.0) <= 0.02:
            return "transparent"
        return "".join(f"{min(255, int(read_number(found[at]) or 0)):02x}" for at in (1, 2, 3))
    return "transparent" if first == "transparent" else ""


@lru_cache(maxsize=4096)
def same_to_the_eye(one: str, other: str) -> bool:
    """Whether text in `one` on `other` does not show."""
    if one == "transparent":
        return True
    if len(one) != 6 or len(other) != 6:
        return False
    return all(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) <= NEAR for at in (0, 2, 4))
