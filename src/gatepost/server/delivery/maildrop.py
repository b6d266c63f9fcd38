"""Mail into Maildirs, many at a time: one thread, one round of syncs for the whole batch.

In: jobs whose route is `maildir`. Out: their results, by `finish`. The message gets Return-Path on top (RFC 5321 §4.4:
the server that makes final delivery writes it, `<>` for the null reverse-path) and Delivered-To, which finds loops.
Not here: the Maildir itself (`store.maildir`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol

from gatepost.errors import InputError, StoreError
from gatepost.message.fields import write_field
from gatepost.message.header import Header, parse_header
from gatepost.message.trace import write_return_path
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.lane import Finish
from gatepost.server.delivery.loops import DELIVERED_TO, was_delivered
from gatepost.server.delivery.result import Result, bounced, deferred, delivered
from gatepost.store.maildir import Drop
from gatepost.store.spool.spooled import Spooled, SpooledRecipient

WAITING_BATCHES = 20  # batches that may wait in memory for the disk


class Mailboxes(Protocol):
    """Where mail ends (`store.maildir.Mailboxes`)."""

    def deliver(self, drops: Sequence[Drop]) -> Sequence[StoreError | None]:
        """Delivers all durably; for each None, or why it did not go in (the others did). Blocks on the disk."""
        ...


class MaildirLane:
    """Takes jobs for Maildirs and delivers them in batches, one batch at a time."""

    def __init__(
        self,
        mailboxes: Mailboxes,
        *,
        batch: int,
        body: Callable[[str], bytes],
        find_loop: Callable[[Header], str],
        finish: Finish,
        executor: Executor,
    ) -> None:
        self._mailboxes = mailboxes
        self._batch = batch
        self._body = body
        self._find_loop = find_loop
        self._finish = finish
        self._executor = executor
        self._waiting: asyncio.Queue[Job] = asyncio.Queue(batch * WAITING_BATCHES)
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Jobs that were not begun."""
        return self._waiting.qsize()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self._waiting.empty() and (self._worker is None or self._worker.done())

    def put(self, job: Job) -> bool:
        """Takes a job; False when too many wait here already."""
        if self._waiting.full():
            return False
        self._waiting.put_nowait(job)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work())
        return True

    async def stop(self, seconds: float) -> list[Job]:
        """Lets the batch under way finish (it is a thread; it cannot be stopped); returns the jobs not begun."""
        left = []
        while not self._waiting.empty():
            left.append(self._waiting.get_nowait())
        if self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker], timeout=seconds)
        return left

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._waiting.empty():
            jobs = [self._waiting.get_nowait() for _ in range(min(self._batch, self._waiting.qsize()))]
            try:
                results = await loop.run_in_executor(self._executor, self._deliver, jobs)
            except Exception as error:  # a mistake of ours must not keep the messages claimed for ever
                results = [job.all_deferred("4.3.0", f"our mistake: {error!r}", "maildir") for job in jobs]
            for job, found in zip(jobs, results, strict=True):
                self._finish(job, found)

    def _deliver(self, jobs: Sequence[Job]) -> list[list[Result]]:
        """In the thread: reads, checks, delivers. One message's trouble is its own."""
        found: list[list[Result | None]] = []
        drops: list[Drop] = []
        places: list[tuple[int, int]] = []  # of each drop: job and recipient
        for index, job in enumerate(jobs):
            answers, copies = self._copies(job)
            found.append(answers)
            for position, drop in copies:
                drops.append(drop)
                places.append((index, position))
        for (index, position), drop, error in zip(places, drops, self._mailboxes.deliver(drops), strict=True):
            found[index][position] = _judge(drop, error)
        return [[result for result in answers if result is not None] for answers in found]

    def _copies(self, job: Job) -> tuple[list[Result | None], list[tuple[int, Drop]]]:
        """A job's copies to deliver, each with its recipient's place, and the results of those that are not."""
        try:
            raw = self._body(job.spooled.id)
        except StoreError as error:
            return list(job.all_deferred("4.3.0", f"our spool: {error}")), []
        header = parse_header(raw)
        loop = self._find_loop(header)
        if loop:
            return list(job.all_bounced("5.4.6", loop)), []
        answers: list[Result | None] = [None] * len(job.recipients)
        copies = []
        for position, recipient in enumerate(job.recipients):
            if was_delivered(header, recipient.address):
                answers[position] = bounced(
                    recipient.address, "5.4.6", "was in this mailbox before: it goes in circles"
                )
            else:
                copies.append((position, _drop(job.spooled, recipient, raw)))
        return answers, copies


def _drop(spooled: Spooled, recipient: SpooledRecipient, raw: bytes) -> Drop:
    return Drop(
        id=spooled.id,
        position=recipient.position,
        address=recipient.address,
        junk=recipient.junk,
        octets=delivery_fields(spooled.envelope.mail_from, recipient.address) + raw,
    )


def delivery_fields(mail_from: str, address: str) -> bytes:
    """The fields of final delivery. An address that fits into no field goes without Delivered-To, not without mail."""
    try:
        return write_return_path(mail_from) + write_field(DELIVERED_TO, address, utf8=True)
    except InputError:
        return write_return_path(mail_from)


def _judge(drop: Drop, error: StoreError | None) -> Result:
    where = "Junk" if drop.junk else "inbox"
    if error is None:
        return delivered(drop.address, f"delivered to {where}", "maildir")
    return deferred(drop.address, "4.2.0", f"mailbox: {error}", "maildir")


class DiscardLane:
    """Takes jobs and throws them away, as configured."""

    def __init__(self, finish: Finish) -> None:
        self._finish = finish

    waiting = 0
    is_over = True

    def put(self, job: Job) -> bool:
        """Always takes it."""
        self._finish(job, [delivered(r.address, "discarded as configured", "discard") for r in job.recipients])
        return True

    async def stop(self, seconds: float) -> list[Job]:
        """Nothing waits here."""
        return []
