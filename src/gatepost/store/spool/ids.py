"""Spool ids: 12 characters that sort by time, never repeat, and may stand in a log or a Received field.

In: the time, the shard's number, the last id given. Out: the next id. Form: 42 bits of milliseconds since 2020, 8 bits
of shard, 10 bits of counter, written in Crockford's base 32 (no i, l, o, u), lower case.
Standard: RFC 5321 §4.4 (the ID clause takes an atom). Not here: where the last one is remembered (`shard`).
"""

from __future__ import annotations

import re

EPOCH = 1_577_836_800  # 2020-01-01: 42 bits of milliseconds reach to the year 2159
MAX_SHARD = 255
_COUNTER_BITS = 10
_SHARD_BITS = 8
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TO_PYTHON = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # int() reads base 32 in C
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{12}")


def write_id(number: int) -> str:
    """The 60-bit number as 12 characters in the same order."""
    p = _PAIRS
    return (
        p[number >> 50]
        + p[number >> 40 & 1023]
        + p[number >> 30 & 1023]
        + p[number >> 20 & 1023]
        + p[number >> 10 & 1023]
        + p[number & 1023]
    )


def parse_id(text: str) -> int | None:
    """The number behind an id in any case; None if it is no id."""
    text = text.lower()
    if not _ID.fullmatch(text):
        return None
    return int(text.translate(_TO_PYTHON), 32)


def shard_of(number: int) -> int:
    """The shard that an id was made in."""
    return number >> _COUNTER_BITS & MAX_SHARD


def time_of(number: int) -> float:
    """When the id was made, in seconds since the epoch; later than that when the clock had jumped back."""
    return EPOCH + (number >> (_COUNTER_BITS + _SHARD_BITS)) / 1000


class IdSource:
    """Gives ids of one shard, each greater than the one before, whatever the clock does."""

    __slots__ = ("_last", "_shard")

    def __init__(self, shard: int, last: int = 0) -> None:
        if not 0 <= shard <= MAX_SHARD:
            raise ValueError(f"a shard's number is 0 to {MAX_SHARD}, not {shard}")
        self._shard = shard << _COUNTER_BITS
        self._last = last

    def next(self, now: float) -> int:
        """The next id. When more than 1,024 are taken in a millisecond, or the clock jumps back, time is borrowed."""
        number = max(int((now - EPOCH) * 1000), 0) << (_COUNTER_BITS + _SHARD_BITS) | self._shard
        if number <= self._last:
            number = self._last + 1
            if not number & 1023:  # the counter ran over into the shard's bits
                number = ((self._last >> 18) + 1) << 18 | self._shard
        self._last = number
        return number
