"""What a text shows at a glance: its letters and capitals, and whether it names money.

In: a text. Out: counts, and yes or no. Linear, and each with as few looks at a character as there can be: it is asked
of every message. Standard: none. Not here: the features made of it (`tokens`).
"""

from __future__ import annotations

import re

_SUM = re.compile(r"[$€£](?:\s?\d|(?<=\d.)|(?<=\d\s.))")
_ASCII_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ASCII_CAPITALS = _ASCII_LETTERS[:26]
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def count_letters(text: str) -> tuple[int, int]:
    """How many letters and how many capitals there are."""
    plain = text.encode("ascii", "ignore")
    letters = len(plain) - len(plain.translate(None, _ASCII_LETTERS))
    capitals = len(plain) - len(plain.translate(None, _ASCII_CAPITALS))
    if len(plain) < len(text):
        rest = "".join(_BEYOND_ASCII.findall(text))
        letters, capitals = letters + sum(map(str.isalpha, rest)), capitals + sum(map(str.isupper, rest))
    return letters, capitals


def names_money(text: str) -> bool:
    """Whether a sum stands in `text`, or the name of a currency."""
    if ("$" in text or "€" in text or "£" in text) and _SUM.search(text):
        return True
    lower = text.lower()
    return any(_stands_alone(lower, name) for name in ("usd", "eur", "gbp"))


def _stands_alone(text: str, word: str) -> bool:
    """Whether `word` stands in `text` as a word."""
    at = text.find(word)
    while at >= 0:
        around = text[max(at - 1, 0) : at], text[at + len(word) : at + len(word) + 1]
        if not any(one.isalnum() or one == "_" for one in around):
            return True
        at = text.find(word, at + 1)
    return False
