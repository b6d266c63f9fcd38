"""Counts within a time, over all worker processes: shared memory, no lock.

In: what happened (a kind and a name), the time. Out: how often it happened within the last minute or hour, in all
workers together. One table, made before the workers fork; each writes its own column only. A count is two numbers, of
this window and of the one before, which still counts with the part of it that lies within reach (a sliding window); so
nothing needs clearing, and what a dead worker counted still holds until it is over. Names are hashed with a key into
two rows of cells, and the smaller sum holds (a count-min sketch, as in `smtp.counters`): memory is bounded, nobody can
choose a name that collides with another's, and a count is never too low.
Standard: none. Not here: limits (`limits`).
"""

from __future__ import annotations

import hashlib
import mmap
import secrets

MINUTE, HOUR = 60, 3600  # the windows
_WIDTH = 8192  # cells in a row
_NUMBERS = 3  # a cell: number of the window, count in it, count in the one before


class RateTable:
    """Shared memory for `columns` workers; it takes no room before it is used. With fewer than `width` names within a
    window, most counts are exact."""

    def __init__(self, columns: int, width: int = _WIDTH) -> None:
        self.columns = columns
        self._width = width
        self._key = secrets.token_bytes(16)
        self._numbers = memoryview(mmap.mmap(-1, columns * _column(width) * 8)).cast("q")

    def column(self, index: int) -> Rates:
        """What worker `index` counts with."""
        if not 0 <= index < self.columns:
            raise IndexError(index)
        return Rates(self._numbers, index, self._key, self._width)


def _column(width: int) -> int:
    """Numbers in a column: two rows for each of the two windows."""
    return 2 * 2 * width * _NUMBERS


class Rates:
    """One worker's column, and the sums over all. `now` is monotonic seconds, the same in all processes."""

    __slots__ = ("_column", "_key", "_numbers", "_start", "_width")

    def __init__(self, numbers: memoryview[int], index: int, key: bytes, width: int) -> None:
        self._numbers = numbers
        self._width = width
        self._column = _column(width)
        self._start = index * self._column
        self._key = key

    def _cells_of(self, window: int, kind: str, name: str) -> tuple[int, int]:
        digest = hashlib.blake2b(f"{kind} {name}".encode("utf-8", "replace"), key=self._key, digest_size=8).digest()
        first, second = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big")
        width = self._width
        base = 0 if window == MINUTE else 2 * width
        return (base + first % width) * _NUMBERS, (base + width + second % width) * _NUMBERS

    def add(self, window: int, kind: str, name: str, now: float) -> None:
        """It happened once more."""
        number, numbers = int(now // window), self._numbers
        for cell in self._cells_of(window, kind, name):
            at = self._start + cell
            before = number - numbers[at]
            if before == 0:
                numbers[at + 1] += 1
            else:
                numbers[at + 2] = numbers[at + 1] if before == 1 else 0
                numbers[at + 1] = 1
                numbers[at] = number

    def count(self, window: int, kind: str, name: str, now: float) -> float:
        """How often it happened within the last `window` seconds, about."""
        number, within = divmod(now, window)
        left = 1.0 - within / window  # the part of the window before that is still within reach
        return min(self._sum(cell, int(number), left) for cell in self._cells_of(window, kind, name))

    def _sum(self, cell: int, number: int, left: float) -> float:
        numbers, total = self._numbers, 0.0
        for at in range(cell, len(numbers), self._column):
            before = number - numbers[at]
            if before == 0:
                total += numbers[at + 1] + numbers[at + 2] * left
            elif before == 1:
                total += numbers[at + 1] * left
        return total
