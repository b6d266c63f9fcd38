"""The delivery agent: claims what is due, hands it to lanes, until told to stop.

In: the spool, routes, a maker of lanes. Out: delivered mail; outcomes go through the `ledger`.
Standard: RFC 5321 §4.5.4 (retrying). Not here: carrying (`lane`, `maildrop`), writing down (`ledger`), putting it all
together (`run`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from gatepost.errors import StoreError
from gatepost.server.delivery.job import Job, split_jobs
from gatepost.server.delivery.ledger import AFTER_ERROR, Desk, Ledger
from gatepost.server.delivery.result import Result, deferred
from gatepost.server.delivery.routes import Route, Routes
from gatepost.store.spool.spooled import Outcome, Spooled, SpooledRecipient, State

CLAIM = 200  # messages taken from the spool at once
LINGER = 0.1  # seconds between two claims while mail comes in: each locks out the reception's commits for a moment
POLL = 0.2  # seconds between two looks for new mail when nobody wakes us
POSTPONED = 30.0  # seconds until mail is looked at again whose lane was full

Claimed = list[tuple[Spooled, tuple[SpooledRecipient, ...]]]


class Lane(Protocol):
    """One destination's queue: `HopLane`, `MaildirLane`, `DiscardLane`."""

    def put(self, job: Job) -> bool:
        """Takes a job; False when too many wait here already."""
        ...

    async def stop(self, seconds: float) -> list[Job]:
        """Finishes what is under way; returns the jobs that were not begun."""
        ...


OpenLane = Callable[[Route, Callable[[Job, Sequence[Result]], None]], Lane]


class Agent:
    """Runs on one event loop. `open_lane(route, finish)` makes the lane of a route on first use."""

    def __init__(self, desk: Desk, routes: Routes, open_lane: OpenLane) -> None:
        self._desk = desk
        self._routes = routes
        self._open_lane = open_lane
        self._ledger = Ledger(desk)
        self._lanes: dict[Route, Lane] = {}

    async def run(self, stop: asyncio.Event, wake: asyncio.Event, stop_seconds: float = 30.0) -> None:
        """Delivers until `stop` is set, then finishes what is under way within `stop_seconds`. `wake` says that there
        may be new mail; without it the shards are looked at five times a second."""
        ledger = asyncio.create_task(self._ledger.run())
        ledger.add_done_callback(lambda _: stop.set())  # it ends early only by a mistake of ours, raised below
        try:
            await self._claim_until(stop, wake)
            left = await asyncio.gather(*(lane.stop(stop_seconds) for lane in self._lanes.values()))
            ids = [job.spooled.id for jobs in left for job in jobs]
            await self._on_disk(lambda: self._desk.spool.give_back(ids))
        finally:
            self._ledger.close()
            await ledger

    async def _claim_until(self, stop: asyncio.Event, wake: asyncio.Event) -> None:
        while not stop.is_set():
            wake.clear()
            try:
                claimed = await self._on_disk(self._claim)
                for spooled, due in claimed:
                    self._dispatch(spooled, due)
                if len(claimed) < CLAIM:
                    await _first(stop.wait(), self._until_more(wake))
            except StoreError as error:
                self._desk.log.error("spool-failed", doing="claim", error=error)
                await _first(stop.wait(), asyncio.sleep(AFTER_ERROR))

    def _claim(self) -> Claimed:
        now = self._desk.clock()
        self._desk.spool.refresh()
        return [(spooled, spooled.pending(now)) for spooled in self._desk.spool.due(now, CLAIM)]

    async def _until_more(self, wake: asyncio.Event) -> None:
        """Returns when something may be due: somebody woke us, a shard changed, a retry's time has come."""
        await asyncio.sleep(LINGER)
        while not wake.is_set() and not await self._on_disk(self._may_be_due):
            await _first(wake.wait(), asyncio.sleep(POLL))

    def _may_be_due(self) -> bool:
        if self._desk.spool.changed():
            return True
        due = self._desk.spool.next_due()
        return due is not None and due <= self._desk.clock()

    def _dispatch(self, spooled: Spooled, due: tuple[SpooledRecipient, ...]) -> None:
        routes = {recipient.address: self._routes.find(recipient.address) for recipient in due}
        for job in split_jobs(spooled, due, routes):
            if job.route is None:
                # Deferred, not bounced: somebody may have taken a domain out of the configuration by mistake.
                reason = "no route for this domain is configured"
                self._ledger.finish(job, [deferred(r.address, "4.4.4", reason) for r in job.recipients])
            elif not self._lane(job.route).put(job):
                self._postpone(job)

    def _lane(self, route: Route) -> Lane:
        lane = self._lanes.get(route)
        if lane is None:
            lane = self._lanes[route] = self._open_lane(route, self._ledger.finish)
        return lane

    def _postpone(self, job: Job) -> None:
        """Leaves a job on disk for a while, without counting an attempt."""
        now = self._desk.clock()
        again = now + POSTPONED * (1 + self._desk.rng.random())
        outcomes = [_untried(job.spooled.id, recipient, again) for recipient in job.recipients]
        self._desk.disk.submit(self._desk.spool.record, outcomes, now)

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
