"""Call-forward: does the next hop know this recipient? Asked at RCPT, so that nothing is accepted that bounces later.

In: an address and its route; a function that asks the next hop (MAIL FROM:<>, RCPT TO, RSET). Out: yes, no or unsure.
Answers are cached, bounded, and asked once for all who wait. Same idea as Postfix's address verification.
Not here: the SMTP client (`smtp.client`); what RCPT is answered (`pipeline`).
"""

from __future__ import annotations

import asyncio
import enum
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

MAX_CACHED = 50_000  # one entry an address; the largest site this is made for


class Known(enum.StrEnum):
    """What the next hop says of a recipient."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"  # it could not be asked, or asks to try later


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is the next hop's reply or why it could not be asked, for the log; `reached`: whether it was there."""

    known: Known
    reason: str
    reached: bool = True


Ask = Callable[[str, str], Awaitable[Verdict]]


class CallForward:
    """`ask(route, address)` asks; `clock` gives seconds that never go back. Unsure answers are not kept."""

    def __init__(self, ask: Ask, positive: float, negative: float, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._keep = {Known.YES: positive, Known.NO: negative}
        self._clock = clock
        self._cache: OrderedDict[tuple[str, str], tuple[float, Verdict]] = OrderedDict()
        self._waiting: dict[tuple[str, str], asyncio.Future[Verdict]] = {}

    def cached(self, route: str, address: str) -> Verdict | None:
        """The answer that is still believed, or None."""
        held = self._cache.get((route, address))
        return held[1] if held is not None and held[0] > self._clock() else None

    async def check(self, route: str, address: str) -> Verdict:
        """Whether the next hop at `route` takes mail for `address`. Never raises: what goes wrong is UNSURE."""
        known = self.cached(route, address)
        if known is not None:
            return known
        key = (route, address)
        if key not in self._waiting:
            self._waiting[key] = asyncio.ensure_future(self._learn(key))
        return await asyncio.shield(self._waiting[key])

    async def _learn(self, key: tuple[str, str]) -> Verdict:
        try:
            verdict = await self._ask(*key)
        except Exception as error:  # whatever a next hop does must not end the session that asked
            verdict = Verdict(Known.UNSURE, str(error) or type(error).__name__)
        finally:
            del self._waiting[key]
        seconds = self._keep.get(verdict.known)
        if seconds is not None:
            self._cache[key] = (self._clock() + seconds, verdict)
            self._cache.move_to_end(key)
            while len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        return verdict
