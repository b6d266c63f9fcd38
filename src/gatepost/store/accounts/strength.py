"""Passwords that are tried first, and so are refused when they are set.

In: a prepared password, the account's address. Out: nothing, or InputError that says why and never shows it.
Standard: NIST SP 800-63B §3.1.1.2 (length, a list of common ones, names of the service; no rules on kinds of
characters). The list (`data/common-passwords.txt`) is our own, made by `tools/make_passwords.py`, likeliest first.
Not here: trying it on accounts that exist (`audit`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from gatepost.errors import InputError

MIN_PASSWORD = 12  # characters
MIN_UNFORESEEN = 8  # characters that are left when a word, a name, a year, a row of keys counts as one each
MIN_WORD = 5  # letters of a common word that is looked for inside a password
MIN_NAME = 3  # letters of the address's own parts
MIN_ROW = 4  # keys that lie side by side

_ROWS = (
    *("1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm", "yxcvbnm"),
    *("abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp"),
    *("1q2w3e4r5t6y7u8i9o0p", "!@#$%^&*()", '!"§$%&/()=', "a1b2c3d4e5f6g7h8i9"),
)
_ALL_ROWS = (*_ROWS, *(row[::-1] for row in _ROWS))
_YEAR = re.compile(r"(?:19|20)\d\d")
_REPEATED = re.compile(r"(.{1,16}?)\1+", re.DOTALL)
_LOOKS_LIKE = str.maketrans("@4310$5!7", "aaeiossit")  # what people write for letters
_WORD = re.compile(rf"[a-z]{{{MIN_WORD},}}")

_BETTER = "take four words that have nothing to do with each other, or let one be drawn"


@cache
def common_passwords() -> tuple[str, ...]:
    """The list, likeliest first."""
    text = (files("gatepost.store.accounts") / "data" / "common-passwords.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("# "))


def check_strength(password: str, address: str) -> None:
    """Raises InputError for a password that is short, common, or made of what anybody would try first."""
    if len(password) < MIN_PASSWORD:
        raise InputError("password", "(not shown)", f"take at least {MIN_PASSWORD} characters")
    if password.lower() in _known():
        raise InputError("password", "(not shown)", f"is one of the most common; {_BETTER}")
    if unforeseen(password, address) < MIN_UNFORESEEN:
        what = "is made of names, common words, years, rows of keys or repetitions"
        raise InputError("password", "(not shown)", f"{what}; {_BETTER}")


def unforeseen(password: str, address: str) -> int:
    """How many characters a guesser has to find, where each thing that he would try whole counts as one."""
    text = password.lower()
    covered, pieces = [False] * len(text), 0
    for start, end in _foreseen(text, address):
        if not all(covered[start:end]):
            covered[start:end] = [True] * (end - start)
            pieces += 1
    return pieces + covered.count(False)


def names_in(address: str) -> list[str]:
    """The parts of an address that are words in themselves, the longest first."""
    local, _, domain = address.lower().rpartition("@")
    parts = {local, domain, *re.split(r"[^\w]+|_", local), *domain.split(".")[:-1]}
    return sorted((part for part in parts if len(part) >= MIN_NAME), key=lambda part: (-len(part), part))


def _foreseen(text: str, address: str) -> Iterator[tuple[int, int]]:
    """Start and end of everything in `text` that a guesser would try."""
    for name in names_in(address):
        yield from _places(text, name)
    yield from _words(text)
    yield from (match.span() for match in _YEAR.finditer(text))
    yield from _runs(text)
    for match in _REPEATED.finditer(text):
        yield match.start() + len(match[1]), match.end()


def _words(text: str) -> Iterator[tuple[int, int]]:
    read = text.translate(_LOOKS_LIKE)  # character for character: places stay what they are
    for start in range(len(read) - MIN_WORD + 1):
        for end in range(min(len(read), start + _longest()), start + MIN_WORD - 1, -1):
            if read[start:end] in _base_words():
                yield start, end
                break


def _runs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = start + MIN_ROW
        while end <= len(text) and any(text[start:end] in row for row in _ALL_ROWS):
            end += 1
        if end - 1 >= start + MIN_ROW:
            yield start, end - 1
            start = end - 1
        else:
            start += 1


def _places(text: str, part: str) -> Iterator[tuple[int, int]]:
    start = text.find(part)
    while start >= 0:
        yield start, start + len(part)
        start = text.find(part, start + len(part))


@cache
def _known() -> frozenset[str]:
    return frozenset(common_passwords())


@cache
def _base_words() -> frozenset[str]:
    """The list's entries that are nothing but letters."""
    return frozenset(entry for entry in common_passwords() if _WORD.fullmatch(entry))


@cache
def _longest() -> int:
    return max(map(len, _base_words()))
