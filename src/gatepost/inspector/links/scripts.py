"""Which scripts a name is written in, and whether that is done to deceive.

In: a label, as its letters show. Out: scripts, yes or no. Standard: UTS 39 §5 (mixed scripts, restriction levels).
A letter's script is the first word of its Unicode name, which is all that the standard library knows of it.
Not here: which name is imitated (`lookalike`).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from gatepost.inspector.links.lookalike import skeleton

_TOGETHER = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"))


@lru_cache(maxsize=4096)
def scripts_of(label: str) -> frozenset[str]:
    """The scripts of the letters in `label`, by the first word of their Unicode names ("LATIN", "CYRILLIC"); those of
    East Asia are one, as UTS 39 §5.2 lets them stand together and with Latin."""
    if label.isascii():
        return frozenset(("LATIN",)) if any(c.isalpha() for c in label) else frozenset()
    found = {unicodedata.name(c, "UNKNOWN").partition(" ")[0] for c in label if c.isalpha()}
    return frozenset("CJK" if script in _TOGETHER else script for script in found)


def mixes_scripts(label: str) -> bool:
    """Whether letters of scripts that nobody writes in one word stand together (UTS 39 §5.2, highly restrictive)."""
    scripts = scripts_of(label)
    return len(scripts) > 1 and scripts != {"LATIN", "CJK"}


def passes_for_latin(label: str) -> bool:
    """Whether a label without one Latin letter reads like Latin all through ("аррӏе" in Cyrillic)."""
    if label.isascii() or scripts_of(label) & {"LATIN", "CJK"}:
        return False
    return skeleton(label).isascii()
