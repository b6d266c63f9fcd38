"""What became of each attempt, written down: in the spool, in reports to senders, in the log.

In: results from the lanes. Out: durable outcomes, many in one transaction; one log line a recipient and attempt.
Standard: RFC 5321 §6.1 (responsibility): a report is durable before the failure it tells of.
Not here: judging a result (`settle`), the report's text (`notices`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from gatepost.errors import InputError, StoreError
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.result import Result, Status
from gatepost.server.delivery.routes import Carrier, Route
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.delivery.settle import Settled, settle
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric, Metrics
from gatepost.store.journal import Attempt
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.spooled import NewMessage, Spooled, State

# Seconds between two transactions while results come in: each locks out the reception's commits, so they take at most
# half of the time. What was answered 250 in these moments is sent twice if the process is killed: they are short.
LINGER = 0.01
LOCAL_LINGER = 0.05  # while only copies for our own mailboxes came in: fewer commits leave more to the reception
AFTER_ERROR = 5.0  # seconds to wait when the spool itself fails

_COUNTED = {
    Status.SENT: Metric.DELIVERED,
    Status.DEFERRED: Metric.DELIVERY_DEFERRED,
    Status.BOUNCED: Metric.DELIVERY_FAILED,
}

AT_HOME = frozenset((Carrier.MAILDIR, Carrier.DISCARD))

Finished = tuple[Job, Sequence[Result]]


class Reports(Protocol):
    """Who is told, and how (`notices.Notices`)."""

    def can_report(self, spooled: Spooled) -> bool:
        """True when there is a way to send a report to this message's sender."""
        ...

    def compose(self, spooled: Spooled, settled: Sequence[Settled], raw: bytes, now: float) -> list[NewMessage]:
        """The reports that `settled` asks for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What writing down needs: `add` puts our own reports into the spool durably, `note` tells the journal, `clock` is
    the time of day in seconds since the epoch, `disk` the one thread that talks to the spool."""

    settings: DeliverySettings
    spool: Spool
    reports: Reports
    add: Callable[[Sequence[NewMessage]], None]
    log: Log
    metrics: Metrics
    clock: Callable[[], float]
    rng: random.Random
    disk: Executor
    note: Callable[[Attempt], None] = lambda attempt: None
    patience: Callable[[DeliverySettings, Route | None], DeliverySettings] = lambda settings, route: settings


class Ledger:
    """Collects results and writes them down, all that came in since the last time together."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._finished: list[Finished] = []
        self._arrived = asyncio.Event()
        self._closed = asyncio.Event()
        self._urgent = asyncio.Event()  # something that went to somebody else's server came in, or it is the end

    def finish(self, job: Job, results: Sequence[Result]) -> None:
        """Takes the results of `job`, parallel to its recipients. Lanes call it on the event loop."""
        self._finished.append((job, results))
        if job.route is None or job.route.carrier not in AT_HOME:
            self._urgent.set()
        self._arrived.set()

    async def run(self) -> None:
        """Writes down until `close`, and then the rest."""
        while not self._closed.is_set() or self._finished:
            await self._arrived.wait()
            self._arrived.clear()
            finished, self._finished = self._finished, []
            if not self._closed.is_set():
                self._urgent.clear()
            if finished:
                began = time.monotonic()
                await self._write_down(finished)
                await _until(self._closed, max(LINGER, time.monotonic() - began))
                await _until(self._urgent, LOCAL_LINGER - LINGER)

    def close(self) -> None:
        """No more results will come."""
        self._closed.set()
        self._urgent.set()
        self._arrived.set()

    async def _write_down(self, finished: list[Finished]) -> None:
        """Again and again until the disk takes it: what was delivered must not be delivered twice."""
        desk, now = self._desk, self._desk.clock()
        while True:
            try:
                settled = await asyncio.get_running_loop().run_in_executor(desk.disk, self._record, finished, now)
                break
            except StoreError as error:
                desk.log.error("spool-failed", doing="record", messages=len(finished), error=error)
                if self._closed.is_set():
                    return  # the claims die with this process; the mail is tried again
                await asyncio.sleep(AFTER_ERROR)
        for job, entries in settled:
            for entry in entries:
                self._say(job, entry, now)

    def _record(self, finished: list[Finished], now: float) -> list[tuple[Job, list[Settled]]]:
        """In the thread: judges, makes reports durable, and only then the outcomes."""
        settled = [(job, self._settled(job, results, now)) for job, results in finished]
        reports: list[NewMessage] = []
        for job, entries in settled:
            if any(entry.tell is not None for entry in entries):
                reports += self._reports(job, entries, now)
        if reports:
            self._desk.add(reports)
        self._desk.spool.record([entry.outcome for _, entries in settled for entry in entries], now)
        return settled

    def _settled(self, job: Job, results: Sequence[Result], now: float) -> list[Settled]:
        desk = self._desk
        can_report = desk.reports.can_report(job.spooled)
        settings = desk.patience(desk.settings, job.route)
        return [
            settle(job.spooled, recipient, result, now=now, settings=settings, rng=desk.rng, can_report=can_report)
            for recipient, result in zip(job.recipients, results, strict=True)
        ]

    def _reports(self, job: Job, entries: list[Settled], now: float) -> list[NewMessage]:
        """What cannot be written (an address that fits into no field) must not keep other outcomes from the disk."""
        try:
            return self._desk.reports.compose(job.spooled, entries, self._octets(job), now)
        except InputError as error:
            self._desk.log.error("report-not-written", id=job.spooled.id, error=error)
            return []

    def _octets(self, job: Job) -> bytes:
        """The message, for a report's third part; nothing where the spool cannot read it any more."""
        try:
            return self._desk.spool.body(job.spooled.id)
        except StoreError:
            return b""

    def _say(self, job: Job, entry: Settled, now: float) -> None:
        result, spooled = entry.result, job.spooled
        self._desk.metrics.add(_COUNTED[result.status])
        relay, delay = result.relay or str(job.route or "none"), max(0.0, now - spooled.received_at)
        self._desk.note(
            Attempt(
                id=spooled.id,
                at=now,
                rcpt_to=result.recipient,
                status=result.status.value,
                relay=relay,
                code=result.code,
                text=result.text,
                delay=delay,
            )
        )
        facts: dict[str, object] = {"id": spooled.id, "from": f"<{spooled.envelope.mail_from}>"}
        facts |= {
            "to": f"<{result.recipient}>",
            "via": f"<{job.path.forwarded_by}>" if job.path.forwarded_by else None,
            "as": f"<{job.path.mail_from}>" if job.path.mail_from is not None else None,
            "relay": relay,
            "delay": delay,
            "tls": result.tls or None,
            "by": result.tls_by or None,
            "dsn": result.code,
            "status": result.status.value,
            "kept": "quarantine" if entry.outcome.state is State.QUARANTINED else None,
            "told": entry.tell.value if entry.tell else None,
            "said": result.text,
        }
        self._desk.log.info("delivery", **facts)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Waits for `event`, but no longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
