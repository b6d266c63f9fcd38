"""Copies that found their lane full: they go back to disk for a while, and are fetched as soon as there is room.

In: what was put off, by lane. Out: what is to be written down, many in one transaction; what is due again. Memory is
bounded: what is beyond it comes back when its time has come. Standard: none.
Not here: for how long (`pace`), which lane is full (`agent`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from gatepost.server.delivery.routes import Route
from gatepost.store.spool.spooled import Outcome

REMEMBERED = 50_000  # copies, some 300 octets each
AT_ONCE = 500  # copies of a lane that are fetched at once


class Away:
    """Belongs to the agent."""

    def __init__(self) -> None:
        self._fresh: list[Outcome] = []
        self._lanes: dict[Route, deque[Outcome]] = {}
        self._count = 0

    def put(self, route: Route, outcomes: list[Outcome]) -> None:
        """Copies for the lane of `route` are put off, as `outcomes` say."""
        self._fresh += outcomes
        if self._count < REMEMBERED:
            self._lanes.setdefault(route, deque()).extend(outcomes)
            self._count += len(outcomes)

    def take_fresh(self) -> list[Outcome]:
        """What was put off since the last call, to be written down."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def give_back(self, fresh: list[Outcome]) -> None:
        """It could not be written down."""
        self._fresh = fresh + self._fresh

    def fetch(self, has_room: Callable[[Route], bool]) -> list[Outcome]:
        """What may come again, oldest first, due at once."""
        found: list[Outcome] = []
        for route in [route for route in self._lanes if has_room(route)]:
            waiting = self._lanes[route]
            some = [waiting.popleft() for _ in range(min(AT_ONCE, len(waiting)))]
            self._count -= len(some)
            found += [replace(outcome, next_try=0.0) for outcome in some]
            if not waiting:
                del self._lanes[route]
        return found
