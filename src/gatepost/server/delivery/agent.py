"""The delivery agent: claims what is due, hands it to lanes, until told to stop.

In: the spool, routes, a maker of lanes. Out: delivered mail; outcomes go through the `ledger`.
Standard: RFC 5321 §4.5.4 (retrying). Not here: carrying (`lane`, `maildrop`), writing down (`ledger`), putting it all
together (`run`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gatepost.errors import StoreError
from gatepost.server.delivery.away import Away
from gatepost.server.delivery.job import Job, PathOf, as_it_came, split_jobs
from gatepost.server.delivery.ledger import AFTER_ERROR, Desk, Ledger
from gatepost.server.delivery.pace import Pace
from gatepost.server.delivery.result import Result, bounced, deferred
from gatepost.server.delivery.routes import Route, Routes
from gatepost.store.spool.queue import Rest, nobody
from gatepost.store.spool.spooled import Outcome, Spooled, SpooledRecipient, State

CLAIM = 200  # messages taken from the spool at once
LINGER = 0.1  # seconds between two claims while mail comes in: each locks out the reception's commits for a moment
POLL = 0.2  # seconds between two looks for new mail when nobody wakes us
SWEEP = 5.0  # seconds between two looks for lanes that are done
ORDERED = CLAIM  # messages that a lane holds whose mail keeps its order
FEW = 300  # messages in a lane, below which those that found it full are fetched
LEAST_SHARE = 5  # messages that each lane may hold, however many others there are

Claimed = list[tuple[Spooled, tuple[SpooledRecipient, ...]]]


class Lane(Protocol):
    """One destination's queue: `HopLane`, `MaildirLane`, `DiscardLane`."""

    @property
    def waiting(self) -> int:
        """Jobs that were not begun."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do or to remember: the lane may be forgotten."""
        ...

    def put(self, job: Job) -> bool:
        """Takes a job; False when too many wait here already."""
        ...

    async def stop(self, seconds: float) -> list[Job]:
        """Finishes what is under way; returns the jobs that were not begun."""
        ...


OpenLane = Callable[[Route, Callable[[Job, Sequence[Result]], None]], Lane]


@dataclass(frozen=True, slots=True)
class _Open:
    """A lane that is in use."""

    lane: Lane
    pace: Pace


class Agent:
    """Runs on one event loop. `open_lane(route, finish)` makes the lane of a route on first use; it is forgotten when
    nothing is left in it. `path` says under whose name a copy travels."""

    def __init__(
        self,
        desk: Desk,
        routes: Routes,
        open_lane: OpenLane,
        monotonic: Callable[[], float] = time.monotonic,
        path: PathOf = as_it_came,
        in_order: Callable[[Route], bool] = lambda route: False,
    ) -> None:
        self._desk = desk
        self._routes = routes
        self._open_lane = open_lane
        self._path = path
        self._in_order = in_order
        self._monotonic = monotonic
        self._ledger = Ledger(desk)
        self._lanes: dict[Route, _Open] = {}
        self._away = Away()
        self._in_memory = 0  # jobs that lanes have and are not done with
        self._room = asyncio.Event()
        self._swept = monotonic()

    async def run(self, stop: asyncio.Event, wake: asyncio.Event, stop_seconds: float = 30.0) -> None:
        """Delivers until `stop` is set, then finishes what is under way within `stop_seconds`. `wake` says that there
        may be new mail; without it the shards are looked at five times a second."""
        ledger = asyncio.create_task(self._ledger.run())
        ledger.add_done_callback(lambda _: stop.set())  # it ends early only by a mistake of ours, raised below
        try:
            await self._claim_until(stop, wake)
            left = await asyncio.gather(*(entry.lane.stop(stop_seconds) for entry in self._lanes.values()))
            ids = [job.spooled.id for jobs in left for job in jobs]
            await self._on_disk(lambda: self._desk.spool.give_back(ids))
        finally:
            self._ledger.close()
            await ledger

    async def _claim_until(self, stop: asyncio.Event, wake: asyncio.Event) -> None:
        while not stop.is_set():
            wake.clear()
            self._sweep()
            try:
                if self._in_memory >= self._desk.settings.waiting:
                    self._room.clear()
                    await _first(stop.wait(), self._room.wait())
                    continue
                claimed = await self._on_disk(self._claim)
                for spooled, due in claimed:
                    self._dispatch(spooled, due)
                await self._put_off()
                if len(claimed) < CLAIM:
                    await _first(stop.wait(), self._until_more(wake))
            except StoreError as error:
                self._desk.log.error("spool-failed", doing="claim", error=error)
                await _first(stop.wait(), asyncio.sleep(AFTER_ERROR))

    def _claim(self) -> Claimed:
        now = self._desk.clock()
        self._desk.spool.refresh()
        return [(spooled, spooled.pending(now)) for spooled in self._desk.spool.due(now, CLAIM, self._rests())]

    async def _until_more(self, wake: asyncio.Event) -> None:
        """Returns when something may be due: somebody woke us, a shard changed, a retry's time has come."""
        await asyncio.sleep(LINGER)
        while not (wake.is_set() or await self._fetched() or await self._on_disk(self._may_be_due)):
            await _first(wake.wait(), asyncio.sleep(POLL))

    def _may_be_due(self) -> bool:
        if self._desk.spool.changed():
            return True
        due = self._desk.spool.next_due(self._rests())
        return due is not None and due <= self._desk.clock()

    def _dispatch(self, spooled: Spooled, due: tuple[SpooledRecipient, ...]) -> None:
        returned = tuple(recipient for recipient in due if recipient.bounce)
        if returned:
            self._return(spooled, returned)
            due = tuple(recipient for recipient in due if not recipient.bounce)
        routes = {recipient.address: self._route(recipient) for recipient in due}
        for job in split_jobs(spooled, due, routes, self._path):
            if job.route is None:
                # Deferred, not bounced: somebody may have taken a domain out of the configuration by mistake.
                reason = "no route for this domain is configured"
                self._ledger.finish(job, [deferred(r.address, "4.4.4", reason) for r in job.recipients])
            else:
                self._hand_over(job, job.route)

    def _route(self, recipient: SpooledRecipient) -> Route | None:
        """Where the administrator sends it, else where the configuration does."""
        return self._routes.of(recipient.address, recipient.route)

    def _return(self, spooled: Spooled, recipients: tuple[SpooledRecipient, ...]) -> None:
        """The administrator wants them returned: they fail now, as by expiry."""
        job = Job(spooled, recipients, None)
        # RFC 3463 §3.8: 5.7.0 is a security or policy matter; nothing more precise fits a person's decision
        self._ledger.finish(job, [bounced(r.address, "5.7.0", r.bounce, "returned") for r in recipients])

    def _rests(self) -> Rest:
        """Which copies stay in the spool for now: those that must keep their order, while their lane is full."""
        full = {
            route
            for route, entry in list(self._lanes.items())
            if self._in_order(route) and entry.lane.waiting * 2 >= ORDERED
        }
        if not full:
            return nobody
        return lambda address, route: self._routes.of(address, route) in full

    def _hand_over(self, job: Job, route: Route) -> None:
        """To its lane, if that has room: each may hold half of what is free, so that a few slow destinations leave room
        for all others (as switches share their buffers)."""
        entry = self._lane(route)
        if not entry.lane.waiting:
            entry.pace.has_room()
        if self._in_order(route):
            self._hand_over_in_order(job, entry)
            return
        share = max(LEAST_SHARE, (self._desk.settings.waiting - self._in_memory) // 2)
        self._in_memory += 1
        if entry.lane.waiting >= share or not entry.lane.put(job):
            self._in_memory -= 1
            self._postpone(job, route, entry)

    def _hand_over_in_order(self, job: Job, entry: _Open) -> None:
        """What has no room goes back as it came, not to a later time: it must not be overtaken."""
        self._in_memory += 1
        if entry.lane.waiting >= ORDERED or not entry.lane.put(job):
            self._in_memory -= 1
            self._desk.spool.put_back(job.spooled.id, [recipient.position for recipient in job.recipients])

    def _lane(self, route: Route) -> _Open:
        entry = self._lanes.get(route)
        if entry is None:
            pace = Pace(self._monotonic)
            entry = self._lanes[route] = _Open(self._open_lane(route, partial(self._finished, pace)), pace)
        return entry

    def _finished(self, pace: Pace, job: Job, results: Sequence[Result]) -> None:
        pace.finished()
        self._in_memory -= 1
        self._room.set()
        self._ledger.finish(job, results)

    def _sweep(self) -> None:
        """Forgets lanes that are done: mail goes to more domains than should be remembered."""
        now = self._monotonic()
        if now - self._swept >= SWEEP:
            self._swept = now
            for route in [route for route, entry in self._lanes.items() if entry.lane.is_over]:
                del self._lanes[route]

    async def _put_off(self) -> None:
        """Writes down what found no room, all of it at once: it is claimed until then."""
        fresh = self._away.take_fresh()
        if fresh:
            try:
                await self._on_disk(lambda: self._desk.spool.record(fresh, self._desk.clock()))
            except StoreError:
                self._away.give_back(fresh)
                raise

    async def _fetched(self) -> bool:
        """Whether mail that had found no room is due again, since there is some now."""
        found = self._away.fetch(self._has_room)
        if found:
            await self._on_disk(lambda: self._desk.spool.bring_forward(found, self._desk.clock()))
        return bool(found)

    def _has_room(self, route: Route) -> bool:
        return route not in self._lanes or self._lanes[route].lane.waiting < FEW

    def _postpone(self, job: Job, route: Route, entry: _Open) -> None:
        """Leaves a job on disk for a while, without counting an attempt."""
        now = self._desk.clock()
        again = now + entry.pace.seconds(entry.lane.waiting) * (1 + self._desk.rng.random() / 4)
        self._away.put(route, [_untried(job.spooled.id, recipient, again) for recipient in job.recipients])

    async def _on_disk(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._desk.disk, call)


def _untried(message_id: str, recipient: SpooledRecipient, next_try: float) -> Outcome:
    return Outcome(
        id=message_id,
        position=recipient.position,
        state=State.QUEUED,
        reply=recipient.last_reply,
        next_try=next_try,
        tried=False,
        route=recipient.route,
    )


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Returns when the first of `waits` has, and ends the others; an error of that first one is raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]
