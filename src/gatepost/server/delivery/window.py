"""How many connections a destination gets at the same time: more while they succeed, fewer when they do not.

In: successes and failures. Out: a number from 1 to the limit. Nobody knows a destination that has not answered: until
it has, one connection goes ahead. Standard: none; the feedback is that of Postfix' scheduler (1/n up, 1 down).
Not here: the connections (`lane`), those of all destinations together (`slots`).
"""

from __future__ import annotations

FIRST = 5.0  # connections to begin with, as in Postfix


class Window:
    """`limit` is the most there may ever be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = min(FIRST, float(limit))
        self.is_proven = False  # whether it has taken a connection lately

    @property
    def size(self) -> int:
        """Connections that there may be now."""
        return int(self._size) if self.is_proven else 1

    def opened(self) -> None:
        """A connection stands."""
        self.is_proven = True

    def succeeded(self) -> None:
        """A message got an answer: after as many of them as there are connections there may be one more."""
        self._size = min(self._limit, self._size + 1 / self._size)

    def failed(self) -> None:
        """A connection broke off."""
        self._size = max(1.0, self._size - 1)

    def refused_beside(self, others: int) -> None:
        """A further connection was refused while `others` stood: so many are enough for now."""
        self._size = float(max(1, min(others, self._limit)))

    def died(self) -> None:
        """It takes no connection at all."""
        self.is_proven = False
        self._size = min(FIRST, float(self._limit))
