"""A lane to one next hop: a bounded queue, a few connections kept for the next message, a pause when it is down.

In: jobs for one route. Out: their results, by `finish`. A hop that hangs holds up its own lane and no other.
Standard: RFC 5321 §4.5.4.1 (keep connections short of hoarding, do not call a dead host again and again).
Not here: the transaction (`relay`); mailboxes (`maildrop`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gatepost.errors import StoreError
from gatepost.message.header import Header, parse_header
from gatepost.server.delivery.hop import Connect, Hop, HopFailed, HopRefused
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.relay import relay
from gatepost.server.delivery.result import Result
from gatepost.server.delivery.routes import Route
from gatepost.server.delivery.settings import DeliverySettings

LONGEST_PAUSE = 600.0  # seconds; a hop that is back should not wait longer for its mail

Finish = Callable[[Job, Sequence[Result]], None]
ReadBody = Callable[[str], Awaitable[bytes]]
FindLoop = Callable[[Header], str]


class HopLane:
    """One route's lane. `body` reads a message's octets; `find_loop` answers why a message must not go on; `clock`
    gives seconds that never go back."""

    def __init__(
        self,
        route: Route,
        settings: DeliverySettings,
        *,
        connect: Connect,
        body: ReadBody,
        find_loop: FindLoop,
        finish: Finish,
        clock: Callable[[], float],
    ) -> None:
        self.route = route
        self._settings = settings
        self._connect = connect
        self._body = body
        self._find_loop = find_loop
        self._finish = finish
        self._clock = clock
        self._waiting: asyncio.Queue[Job] = asyncio.Queue(settings.waiting_per_hop)
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self._down_until = 0.0
        self._pause = settings.hop_pause
        self._down_reason: tuple[str, str] = ("4.4.1", "")
        self._stopping = False

    def put(self, job: Job) -> bool:
        """Takes a job; False when too many wait here already."""
        if self._clock() < self._down_until and not any(recipient.is_demanded for recipient in job.recipients):
            code, reason = self._down_reason
            self._finish(job, job.all_deferred(code, f"not tried, the next hop is down: {reason}", str(self.route)))
            return True
        if self._waiting.full():
            return False
        self._waiting.put_nowait(job)
        if len(self._idle) < self._waiting.qsize() and len(self._workers) < self._settings.connections_per_hop:
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return True

    async def stop(self, seconds: float) -> list[Job]:
        """Lets what is under way finish within `seconds`; returns the jobs that were not begun."""
        self._stopping = True
        left = []
        while not self._waiting.empty():
            left.append(self._waiting.get_nowait())
        for worker in self._idle:
            worker.cancel()
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=seconds)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return left

    async def _work(self) -> None:
        """One connection's life: takes jobs until none comes for a while."""
        kept = _Kept(self._connect, self.route, self._settings.messages_per_connection)
        try:
            while not self._stopping and (job := await self._next()) is not None:
                await self._carry(kept, job)
        finally:
            await kept.close()

    async def _next(self) -> Job | None:
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)
        try:
            async with asyncio.timeout(self._settings.connection_idle):
                return await self._waiting.get()
        except TimeoutError:
            return None
        finally:
            self._idle.discard(task)

    async def _carry(self, kept: _Kept, job: Job) -> None:
        try:
            results = await self._attempt(kept, job)
            self._pause, self._down_until = self._settings.hop_pause, 0.0
        except HopRefused as error:
            # What a host says at its door is about us, not about this message: try later, whatever the first digit.
            self._went_down("4.3.2", f"{error.reply_code} {error.text}")
            results = job.all_deferred("4.3.2", f"{error.reply_code} {error.text}", str(self.route))
        except HopFailed as error:
            if not kept.is_open:
                self._went_down(error.code, error.text)
            results = job.all_deferred(error.code, error.text, kept.label or str(self.route))
            await kept.close()
        except StoreError as error:
            results = job.all_deferred("4.3.0", f"our spool: {error}")
        except Exception as error:  # a mistake of ours must not keep the message claimed for ever
            results = job.all_deferred("4.3.0", f"our mistake: {error!r}", kept.label)
            await kept.close()
        self._finish(job, results)

    async def _attempt(self, kept: _Kept, job: Job) -> list[Result]:
        raw = await self._body(job.spooled.id)
        header = parse_header(raw)
        loop = self._find_loop(header)
        if loop:
            return job.all_bounced("5.4.6", loop)
        hop = await kept.open()
        try:
            return await relay(hop, self.route, job, raw, header.end)
        except HopFailed as error:
            if error.fresh:
                raise
        await kept.close()
        return await relay(await kept.open(), self.route, job, raw, header.end)

    def _went_down(self, code: str, reason: str) -> None:
        """Spares a dead hop: what waits is deferred at once, and nobody calls it until the pause is over."""
        self._down_reason = (code, reason)
        self._down_until = self._clock() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        while not self._waiting.empty():
            job = self._waiting.get_nowait()
            self._finish(job, job.all_deferred(code, f"not tried, the next hop is down: {reason}", str(self.route)))


class _Kept:
    """A connection kept open from message to message, and opened anew after its share of them."""

    def __init__(self, connect: Connect, route: Route, limit: int) -> None:
        self._connect, self._route, self._limit = connect, route, limit
        self._hop: Hop | None = None
        self._used = 0

    @property
    def is_open(self) -> bool:
        return self._hop is not None

    @property
    def label(self) -> str:
        return self._hop.label if self._hop is not None else ""

    async def open(self) -> Hop:
        if self._hop is not None and self._used >= self._limit:
            await self.close()
        if self._hop is None:
            self._hop = await self._connect(self._route)
            self._used = 0
        self._used += 1
        return self._hop

    async def close(self) -> None:
        hop, self._hop = self._hop, None
        if hop is not None:
            await hop.close()
