"""How long mail stays on disk that found its lane full: about as long as the lane needs until it has room.

In: what a lane finished, what it could not take, seconds that never go back. Out: seconds to wait.
Without this a long queue for one destination would be read and put back again and again, or lie there while the
destination idles. Standard: none. Not here: retries of what was tried (`schedule`).
"""

from __future__ import annotations

from collections.abc import Callable

UNKNOWN = 30.0  # seconds, where nobody knows how fast the destination is
SHORTEST, LONGEST = 1.0, 600.0
LOOK_EVERY = 2.0  # seconds between two measurements
AT_ONCE = 1000  # messages behind which the unknown wait begins to grow


class Pace:
    """Of one lane."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._done = 0
        self._marked = clock()
        self._rate = 0.0  # messages a second
        self._behind = 0  # messages that were sent away and not made up for

    def finished(self) -> None:
        """The lane is done with a message."""
        self._done += 1
        self._behind = max(0, self._behind - 1)

    def has_room(self) -> None:
        """The lane has nothing to do: whatever was sent away may come."""
        self._behind = 0

    def seconds(self, waiting: int) -> float:
        """How long the next message that finds the lane full, with `waiting` in it, should stay away."""
        now = self._clock()
        if now - self._marked >= LOOK_EVERY:
            self._rate = self._done / (now - self._marked)
            self._done, self._marked = 0, now
        self._behind += 1
        if self._rate > 0:
            return min(LONGEST, max(SHORTEST, (waiting / 2 + self._behind) / self._rate))
        return min(LONGEST, UNKNOWN * (1 + self._behind // AT_ONCE))
