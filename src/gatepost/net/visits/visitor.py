"""Pays visits politely: few at a time, so many connections a second, each within its time.

In: `Call`s and `VisitLimits`. Out: `Visit`s. Standard: none. Not here: a visit itself (`play`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gatepost.net.visits.connection import Connection
from gatepost.net.visits.play import Play
from gatepost.ports.visitor import Call, Outcome, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLimits:
    """How visits are paid."""

    at_once: int = 4
    """Connections at the same time, but for visits that are paid together."""
    rate: float = 10.0
    """New connections a second."""
    connect: float = 10.0
    """Seconds for a connection."""
    patience: float = 30.0
    """Seconds for one reply."""
    quiet: float = 1.0
    """Seconds, at least, that are listened for a reply which must not come."""
    octets: int = 1 << 20
    """Octets that a server may send in one visit."""


class SocketVisitor:
    """`ports.Visitor` over sockets."""

    def __init__(self, limits: VisitLimits | None = None) -> None:
        self.limits = limits or VisitLimits()
        self._places = asyncio.Semaphore(self.limits.at_once)
        self._next = 0.0
        self.connections = 0  # made so far

    async def visit(self, call: Call) -> Visit:
        """See `ports.Visitor`."""
        async with self._places:
            return await self._one(call, _nobody)

    async def visit_together(self, calls: Sequence[Call]) -> tuple[Visit, ...]:
        """See `ports.Visitor`. Those that end early are not waited for."""
        barrier = _Gathering(len(calls))

        async def one(call: Call) -> Visit:
            try:
                return await self._one(call, barrier.wait, at_once=True)
            finally:
                barrier.leave()

        async with self._places:
            return tuple(await asyncio.gather(*(one(call) for call in calls)))

    async def _one(self, call: Call, wait: Callable[[], Awaitable[None]], *, at_once: bool = False) -> Visit:
        if not at_once:
            await self._turn()
        self.connections += 1
        target = call.target
        try:
            connection = await Connection.open(
                target.address,
                target.port,
                source=call.source,
                seconds=min(self.limits.connect, call.seconds),
                max_octets=self.limits.octets,
            )
        except TimeoutError:
            return _unreached("no connection: no answer in time")
        except OSError as error:
            return _unreached(f"no connection: {os.strerror(error.errno) if error.errno else error}")
        play = Play(call, connection, patience=self.limits.patience, quiet=self.limits.quiet)
        try:
            async with asyncio.timeout(call.seconds):
                await play.run(wait)
        except TimeoutError:
            play.ran_out(call.seconds)
        return play.visit()

    async def _turn(self) -> None:
        """Waits until the next connection may be made."""
        loop = asyncio.get_running_loop()
        turn = max(self._next, loop.time())
        self._next = turn + 1 / self.limits.rate
        await asyncio.sleep(turn - loop.time())


def _unreached(reason: str) -> Visit:
    return Visit(outcome=Outcome.CLOSED, reason=reason, asked=False, reached=False)


async def _nobody() -> None:
    """Nobody to wait for."""


class _Gathering:
    """Lets everybody go once all have come, or left."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._all = asyncio.Event()

    async def wait(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._all.set()
        await self._all.wait()
        self._missing += 1  # `leave` counts everybody once more

    def leave(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._all.set()
