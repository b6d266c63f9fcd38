"""Delivery put together: what the supervisor's delivery process runs.

In: settings, the spool, mailboxes, a resolver, events to stop and to wake. Out: returns when it was told to stop.
Not here: the process, its user and its signals (`server.supervisor`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.errors import StoreDamaged, StoreError
from gatepost.message.header import Header
from gatepost.server.backup.primaries import Backup, Primaries
from gatepost.server.backup.settings import BackupSettings
from gatepost.server.delivery.agent import Agent, Lane
from gatepost.server.delivery.hop import Connect
from gatepost.server.delivery.job import Forwarding, Job, as_it_came
from gatepost.server.delivery.lane import HopLane, Works
from gatepost.server.delivery.ledger import Desk
from gatepost.server.delivery.loops import find_loop
from gatepost.server.delivery.maildrop import DiscardLane, Mailboxes, MaildirLane
from gatepost.server.delivery.notices import Notices, Resolve, Sign
from gatepost.server.delivery.result import Result
from gatepost.server.delivery.routes import Carrier, Route, Routes
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.delivery.slots import Slots
from gatepost.server.logs import Log
from gatepost.server.metrics import Metrics
from gatepost.store.journal import Attempt
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.shard import SpoolShard

OWN_SHARD = 255  # the shard of reports and notices: reception workers count from 0
NO_BACKUP = Backup(settings=BackupSettings(), ways={})
SPARE_SHARDS = 5  # that are tried instead where it is damaged; a backup needs them above those of reception


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What delivery works with.

    `spool` was opened exclusively; `shard` is where our own reports go (number OWN_SHARD). `routes` maps served domains
    to route texts. `resolve` expands an address of a served domain to its final addresses (none: unknown). `forwarding`
    knows how mail for people elsewhere leaves (None: as it came); `backup` which domains are only held for their
    primaries. `clock` is the time of day, `monotonic` never goes
    back.
    """

    settings: DeliverySettings
    hostname: str
    postmaster: str
    routes: Mapping[str, str]
    max_received: int
    spool: Spool
    shard: SpoolShard
    mailboxes: Mailboxes
    connect: Connect
    resolve: Resolve
    log: Log
    metrics: Metrics
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    sign: Sign = lambda octets, now: octets  # what we write ourselves
    note: Callable[[Attempt], None] = lambda attempt: None  # tells the journal
    rng: random.Random = field(default_factory=random.Random)
    forwarding: Forwarding | None = None
    backup: Backup = NO_BACKUP


def open_own_shard(folder: Path, settings: SpoolSettings) -> SpoolShard:
    """The shard for our own reports: the highest that is sound. That one is damaged is told by who reads them all."""
    for number in range(OWN_SHARD, OWN_SHARD - SPARE_SHARDS, -1):
        try:
            return SpoolShard.open(folder, number, settings)
        except StoreDamaged:
            continue
    raise StoreError(f"{folder}: the last {SPARE_SHARDS} shards are all damaged")


async def run_delivery(parts: Delivery, stop: asyncio.Event, wake: asyncio.Event, stop_seconds: float = 30.0) -> None:
    """Delivers until `stop` is set; then finishes what is under way within `stop_seconds`. Raises ConfigError for a
    route that is none."""
    routes = Routes(parts.routes, parts.settings.relay, parts.settings.destinations)
    with (
        ThreadPoolExecutor(1, thread_name_prefix="delivery-spool") as disk,
        ThreadPoolExecutor(1, thread_name_prefix="delivery-maildir") as files,
    ):
        desk = Desk(
            settings=parts.settings,
            spool=parts.spool,
            reports=_notices(parts, routes),
            add=parts.shard.add_many,
            log=parts.log,
            metrics=parts.metrics,
            clock=parts.clock,
            rng=parts.rng,
            disk=disk,
            note=parts.note,
            patience=parts.backup.patience,
        )
        primaries = Primaries(parts.backup, parts.connect, parts.spool, disk, parts.log)
        slots = Slots(parts.settings.connections)
        path = parts.forwarding.path if parts.forwarding is not None else as_it_came
        lanes = _LaneMaker(parts, disk, files, slots, primaries)
        agent = Agent(desk, routes, lanes.open, parts.monotonic, path, parts.backup.is_primary)
        calling = asyncio.create_task(primaries.run())
        try:
            await agent.run(stop, wake, stop_seconds)
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)


def _notices(parts: Delivery, routes: Routes) -> Notices:
    def resolve(address: str) -> tuple[str, ...]:
        if routes.serves(address):
            return parts.resolve(address)
        return (address,) if routes.find(address) is not None else ()

    return Notices(
        hostname=parts.hostname,
        postmaster=parts.postmaster,
        settings=parts.settings,
        resolve=resolve,
        next_id=parts.shard.next_id,
        sign=parts.sign,
    )


@dataclass(frozen=True, slots=True)
class _LaneMaker:
    parts: Delivery
    disk: ThreadPoolExecutor
    files: ThreadPoolExecutor
    slots: Slots
    primaries: Primaries

    def open(self, route: Route, finish: Callable[[Job, Sequence[Result]], None]) -> Lane:
        """The lane of `route`."""
        parts = self.parts
        if route.carrier is Carrier.DISCARD:
            return DiscardLane(finish)
        if route.carrier is Carrier.MAILDIR:
            return MaildirLane(
                parts.mailboxes,
                batch=parts.settings.maildir_batch,
                body=parts.spool.body,
                find_loop=self._loop,
                finish=finish,
                executor=self.files,
            )
        if parts.backup.is_primary(route):
            finish = self.primaries.watched(route, finish)
        works = Works(
            settings=parts.backup.patience(parts.settings, route),
            connect=parts.connect,
            body=self._body,
            find_loop=self._loop,
            dress=self._dress,
            clock=parts.monotonic,
            slots=self.slots,
        )
        return HopLane(route, works, finish)

    async def _body(self, message_id: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self.disk, self.parts.spool.body_to_send, message_id)

    async def _dress(self, job: Job, raw: bytes) -> bytes:
        """In a thread of its own: a seal on a large message takes its time."""
        forwarding = self.parts.forwarding
        return await asyncio.to_thread(forwarding.dress, job, raw) if forwarding is not None else raw

    def _loop(self, header: Header) -> str:
        parts = self.parts
        return find_loop(
            header, parts.hostname, max_received=parts.max_received, max_own_hops=parts.settings.max_own_hops
        )
