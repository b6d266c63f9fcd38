"""What the directory said of recipients, believed for a while.

In: addresses; a function that asks. Out: yes or no; None where it would have to be asked. Asked once for all who wait.
Standard: none. Not here: asking (`postgresql`, `ldap`). Passwords are never kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

MAX_KEPT = 100_000  # answers

Ask = Callable[[str], Awaitable[bool]]


class RecipientCache:
    """`ask(address)` raises StoreError when there is no answer, which is not kept. `clock` never goes back."""

    def __init__(self, ask: Ask, positive: float, negative: float, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._seconds = {True: positive, False: negative}
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[bool]] = {}

    def known(self, address: str, *, stale: bool = False) -> bool | None:
        """The answer that is still believed, else None. `stale`: the last answer, however old; for a message whose
        recipients were checked when they were named."""
        until, answer = self._kept.get(address, (0.0, None))
        return answer if stale or until > self._clock() else None

    async def exists(self, address: str) -> bool:
        """Whether there is such a recipient. Raises StoreError."""
        known = self.known(address)
        if known is not None:
            return known
        if address not in self._waiting:
            self._waiting[address] = asyncio.ensure_future(self._learn(address))
        return await asyncio.shield(self._waiting[address])

    async def _learn(self, address: str) -> bool:
        try:
            answer = await self._ask(address)
        finally:
            del self._waiting[address]
        self._kept[address] = (self._clock() + self._seconds[answer], answer)
        self._kept.move_to_end(address)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return answer
