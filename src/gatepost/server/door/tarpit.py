"""The tarpit: who makes mistakes is answered more slowly each time, within bounds.

In: how many mistakes a connection has made, the reply. Out: the reply, or something that gives it later. Waiting is a
timer, nothing else: no thread, no lock; the number of connections that wait is bounded. Standard: none.
Not here: what is a mistake (`door`), the end of a connection with too many (`smtp.conversation`).
"""

from __future__ import annotations

import asyncio

from gatepost.server.door.settings import TarpitSettings
from gatepost.wire.smtp.replies import Reply


class Tarpit:
    """One worker's."""

    def __init__(self, settings: TarpitSettings) -> None:
        self._settings = settings
        self.held = 0
        """Connections that wait now."""

    def delay(self, errors: int) -> float:
        """Seconds that the answer to the mistake number `errors` waits."""
        over = errors - self._settings.after
        return min(over * self._settings.step, self._settings.max_delay) if over > 0 else 0.0

    @property
    def full(self) -> bool:
        """Whether enough connections wait."""
        return self.held >= self._settings.max_held

    async def hold(self, reply: Reply, seconds: float) -> Reply:
        """`reply`, later."""
        self.held += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self.held -= 1
        return reply
