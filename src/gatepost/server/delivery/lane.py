"""A lane to one destination: a bounded queue, connections that are kept for the next message, a pause when it is down.

In: jobs for one route. Out: their results, by `finish`. A destination that hangs holds up its own lane and no other.
Standard: RFC 5321 §4.5.4.1 (keep connections short of hoarding, do not call a dead host again and again).
Not here: the transaction (`relay`); how many connections (`window`, `slots`); mailboxes (`maildrop`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gatepost.errors import StoreError
from gatepost.message.header import Header, parse_header
from gatepost.server.delivery.hop import Connect, Hop, HopFailed, HopRefused, TlsWish, Undeliverable
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.kept import Kept
from gatepost.server.delivery.loops import came_back
from gatepost.server.delivery.relay import relay
from gatepost.server.delivery.requirements import tls_wish
from gatepost.server.delivery.result import Result
from gatepost.server.delivery.routes import Route
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.delivery.slots import Slots
from gatepost.server.delivery.window import Window

LONGEST_PAUSE = 600.0  # seconds; a destination that is back should not wait longer for its mail

Finish = Callable[[Job, Sequence[Result]], None]
ReadBody = Callable[[str], Awaitable[bytes]]
FindLoop = Callable[[Header], str]
Dress = Callable[[Job, bytes], Awaitable[bytes]]


async def undressed(job: Job, raw: bytes) -> bytes:
    """Where nothing is forwarded."""
    return raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What all lanes work with. `body` reads a message's octets; `find_loop` answers why a message must not go on,
    `dress` makes forwarded mail ready to leave; `clock` gives seconds that never go back."""

    settings: DeliverySettings
    connect: Connect
    body: ReadBody
    find_loop: FindLoop
    clock: Callable[[], float]
    slots: Slots
    dress: Dress = undressed


class HopLane:
    """One route's lane."""

    def __init__(self, route: Route, works: Works, finish: Finish) -> None:
        self.route = route
        self._works = works
        self._finish = finish
        self._waiting: deque[Job] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: dict[asyncio.Task[None], asyncio.Future[bool]] = {}
        self._standing = 0  # connections that are open now
        self._window = Window(works.settings.connections_per_hop)
        self._down_until = 0.0
        self._pause = works.settings.hop_pause
        self._down_reason: tuple[str, str] = ("4.4.1", "")
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Jobs that were not begun."""
        return len(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do or to remember here."""
        return not (self._waiting or self._workers) and self._works.clock() >= self._down_until + self._pause

    def put(self, job: Job) -> bool:
        """Takes a job; False when too many wait here already."""
        if self._works.clock() < self._down_until and not job.is_demanded:
            self._finish(job, self._not_tried(job))
            return True
        if len(self._waiting) >= self._works.settings.waiting_per_hop:
            return False
        self._waiting.append(job)
        self._spur()
        return True

    async def stop(self, seconds: float) -> list[Job]:
        """Lets what is under way finish within `seconds`; returns the jobs that were not begun."""
        self._stopping = True
        left = list(self._waiting)
        self._waiting.clear()
        for wake in self._idle.values():
            _wake(wake)
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=seconds)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return left

    def _spur(self) -> None:
        """Sees to it that somebody takes what waits."""
        if not self._waiting:
            return
        idle = next((wake for wake in self._idle.values() if not wake.done()), None)
        if idle is not None:
            _wake(idle)
        elif len(self._workers) < self._window.size and not self._stopping:
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._ended)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        self._spur()

    async def _work(self) -> None:
        """One connection's life: takes jobs until none comes for a while, or others need the connection more."""
        slots, trial = self._works.slots, not self._window.is_proven
        await slots.take(trial=trial)
        kept = Kept(self._works.connect, self.route, self._works.settings.messages_per_connection)
        try:
            while (job := await self._next(kept)) is not None:
                going_on = await self._carry(kept, job)
                if trial and self._window.is_proven:
                    slots.proven()
                    trial = False
                if not going_on or (kept.is_used_up and slots.is_pressed):
                    break
        finally:
            try:
                await self._close(kept)
            finally:
                slots.give(trial=trial)

    async def _next(self, kept: Kept) -> Job | None:
        """The next job; without one, an open connection is kept for a while."""
        task = asyncio.current_task()
        assert task is not None
        end = asyncio.get_running_loop().time() + self._works.settings.connection_idle
        while not self._waiting and not self._stopping and kept.is_open:
            wake = self._idle[task] = asyncio.get_running_loop().create_future()
            self._works.slots.idles(task, partial(_wake, wake, pressed=True))
            try:
                async with asyncio.timeout_at(end):
                    if await wake:
                        return None
            except TimeoutError:
                return None
            finally:
                del self._idle[task]
                self._works.slots.works(task)
        return self._waiting.popleft() if self._waiting else None

    async def _carry(self, kept: Kept, job: Job) -> bool:
        """One job, whatever happens. False when this connection should be the last of its worker."""
        try:
            results = await self._attempt(kept, job)
            self._window.succeeded()
            self._spur()  # there may be one more connection now
        except Undeliverable as error:
            results = job.all_bounced(error.code, error.text)
        except HopRefused as error:
            # What a host says at its door is about us, not about this message: try later, whatever the first digit.
            return self._not_let_in(job, "4.3.2", f"{error.reply_code} {error.text}", error.label)
        except HopFailed as error:
            if not kept.is_open:
                return self._not_let_in(job, error.code, error.text)
            self._window.failed()
            results = job.all_deferred(error.code, error.text, kept.label)
            await self._close(kept)
        except StoreError as error:
            results = job.all_deferred("4.3.0", f"our spool: {error}")
        except Exception as error:  # a mistake of ours must not keep the message claimed for ever
            results = job.all_deferred("4.3.0", f"our mistake: {error!r}", kept.label)
            await self._close(kept)
        self._finish(job, results)
        return True

    async def _attempt(self, kept: Kept, job: Job) -> list[Result]:
        raw = await self._works.body(job.spooled.id)
        header = parse_header(raw)
        loop = self._works.find_loop(header) or came_back(header, job.path.forwarded_by)
        if loop:
            return job.all_bounced("5.4.6", loop)
        wish = tls_wish(job.envelope, header)
        if job.path.forwarded_by:
            raw = await self._works.dress(job, raw)
            header = parse_header(raw)
        hop = await self._open(kept, wish, job)
        try:
            return await relay(hop, self.route, job, raw, header.end)
        except HopFailed as error:
            if error.fresh:
                raise
        await self._close(kept)
        return await relay(await self._open(kept, wish, job), self.route, job, raw, header.end)

    async def _open(self, kept: Kept, wish: TlsWish, job: Job) -> Hop:
        if not kept.serves(wish):
            await self._close(kept)
        new = not kept.is_open
        hop = await kept.open(wish, demanded=job.is_demanded)
        if new:
            self._standing += 1
            self._window.opened()
            self._pause, self._down_until = self._works.settings.hop_pause, 0.0
            self._spur()
        return hop

    async def _close(self, kept: Kept) -> None:
        if kept.is_open:
            self._standing -= 1
            await kept.close()

    def _not_let_in(self, job: Job, code: str, reason: str, label: str = "") -> bool:
        """No connection. Beside others that stand it was one too many; else the destination is down."""
        if self._standing and not self._stopping:
            self._window.refused_beside(self._standing)
            self._waiting.appendleft(job)
            return False
        self._window.died()
        self._down_reason = (code, reason)
        self._down_until = self._works.clock() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._finish(job, job.all_deferred(code, reason, label or str(self.route)))
        while self._waiting:  # what waits is spared the same: nobody calls until the pause is over
            waiting = self._waiting.popleft()
            self._finish(waiting, self._not_tried(waiting))
        return False

    def _not_tried(self, job: Job) -> list[Result]:
        code, reason = self._down_reason
        return job.all_deferred(code, f"not tried, the next hop is down: {reason}", str(self.route))


def _wake(idle: asyncio.Future[bool], *, pressed: bool = False) -> None:
    """Ends a worker's idleness; `pressed`: and its connection."""
    if not idle.done():
        idle.set_result(pressed)
