"""The connections that all lanes share: how many there may be, who is next.

In: lanes that want one. Out: one each, first come first served. Destinations that have not answered yet get at most
half of them, so that a thousand dead ones leave room for those that live. Where somebody waits, idle ones are ended.
Standard: none; Postfix' default_process_limit is the same idea. Not here: how many one destination may have (`lane`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

Idle = Callable[[], None]


class Slots:
    """`total` connections at the same time."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._on_trial_total = max(1, total // 2)
        self.taken = 0
        self.on_trial = 0
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}
        self._idle: OrderedDict[object, Idle] = OrderedDict()

    async def take(self, *, trial: bool) -> None:
        """Waits for a connection; `trial`: for a destination of which nobody knows whether it lives."""
        if self._free(trial) and not self._waiting[trial]:
            self._count(trial, 1)
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[trial].append(waiter)
        self._press()
        try:
            await waiter  # whoever wakes us has counted us
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.give(trial=trial)
            else:
                self._waiting[trial].remove(waiter)
            raise

    def give(self, *, trial: bool) -> None:
        """One is free again."""
        self._count(trial, -1)
        self._wake()

    def proven(self) -> None:
        """One that was on trial is not any more: its destination lives."""
        self.on_trial -= 1
        self._wake()

    @property
    def is_pressed(self) -> bool:
        """Whether somebody waits for a connection."""
        return any(self._waiting.values())

    def idles(self, key: object, end: Idle) -> None:
        """`key` has nothing to do: `end` is called when somebody else needs its connection."""
        self._idle[key] = end
        if self.is_pressed:
            self._press()

    def works(self, key: object) -> None:
        """`key` has something to do again, or is gone."""
        self._idle.pop(key, None)

    def _free(self, trial: bool) -> bool:
        return self.taken < self._total and not (trial and self.on_trial >= self._on_trial_total)

    def _count(self, trial: bool, change: int) -> None:
        self.taken += change
        if trial:
            self.on_trial += change

    def _wake(self) -> None:
        # Those that live first: they are done sooner, and trials have their half.
        for trial in (False, True):
            queue = self._waiting[trial]
            while queue and self._free(trial):
                waiter = queue.popleft()
                if not waiter.done():
                    self._count(trial, 1)
                    waiter.set_result(None)
        if self.is_pressed:
            self._press()

    def _press(self) -> None:
        """Ends the connection that has been idle longest, if the lack of one is what keeps somebody waiting."""
        if self._idle and self.taken >= self._total:
            _, end = self._idle.popitem(last=False)
            end()
