"""The reception process: listens, judges, keeps.

In: the plan, a place in the shared tables. Out: returns when it was told to stop and its transactions are finished.
Not here: the parts it puts together (`smtp`, `pipeline`, `store.spool`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.errors import StoreBusy, StoreDamaged, StoreError
from gatepost.inspector.examine import Ports
from gatepost.inspector.links.seen import is_shortened
from gatepost.net.clamd import ClamdScanner
from gatepost.net.fetch import RedirectFetcher
from gatepost.net.geo import GeoLocator
from gatepost.net.resolver import BudgetedResolver, DnsResolver
from gatepost.net.tls import client_context
from gatepost.reputation import Lists
from gatepost.sandbox.pool import Sandbox
from gatepost.server.backup.recipients import PrimaryRecipients
from gatepost.server.callforward import CallForward
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.run import OWN_SHARD, SPARE_SHARDS
from gatepost.server.directory import GateDirectory, watch_accounts
from gatepost.server.door.door import Door
from gatepost.server.door.exposed import Exposures
from gatepost.server.door.parts import make_parts
from gatepost.server.door.teller import Teller
from gatepost.server.entrances import Kind
from gatepost.server.fullness import Fullness
from gatepost.server.lists import ListKeeper, ask_at_door
from gatepost.server.logs import (
    Log,
    content_told,
    directory_told,
    history_told,
    journal_told,
    recipients_told,
    watch_told,
)
from gatepost.server.metrics import Metric
from gatepost.server.pipeline import Gate
from gatepost.server.pipeline.admission import Admission
from gatepost.server.pipeline.hops import NextHops
from gatepost.server.pipeline.keeping import Keeper
from gatepost.server.pipeline.memory import Memory
from gatepost.server.pipeline.record import Recorder
from gatepost.server.plan import Plan
from gatepost.server.settings import GateSettings
from gatepost.server.smtp.listener import Listener
from gatepost.server.submission.opening import Shared, Submission
from gatepost.store.accounts import Accounts
from gatepost.store.batches import BatchWriter
from gatepost.store.history import HistoryWriter, SenderHistory
from gatepost.store.journal import Journal, JournalWriter
from gatepost.store.learned import LearnedStore
from gatepost.store.recipients import KnownRecipients
from gatepost.store.spool import Committer, SpoolShard
from gatepost.store.watch import Watch, WatchWriter

MAX_RETIREMENT = 3600.0  # seconds: a connection that lives longer than this is asked to come again
MAX_SHARDS = OWN_SHARD - SPARE_SHARDS  # those above are the delivery process's own


async def receive(plan: Plan, column: int, log: Log, stop: asyncio.Event, retire: asyncio.Event) -> None:
    """Takes mail until `stop` is set, then finishes what is under way within the settings' time. Once `retire` is set
    no new connection is taken, and it returns when the last one has ended."""
    async with AsyncExitStack() as closing:
        stores = _open_stores(plan, column, log, closing)
        house = _open_house(plan, column, log, stores, closing)
        listener = Listener(
            hostname=plan.settings.hostname,
            gatekeeper=house.gate,
            settings=plan.settings.smtp,
            tls=plan.tls,
            counters=plan.counters.column(column),
        )
        closing.callback(_cancel, [asyncio.create_task(task) for task in house.beside])
        await listener.start([sock.dup() for sock in plan.entrances.of(Kind.SMTP)])
        if house.submission is not None:
            await house.submission.start()
        plan.report_ready(column)
        await _first(stop, retire)
        house.list_keeper.retire()
        serving = (listener, house.submission) if house.submission is not None else (listener,)
        if not stop.is_set():
            await asyncio.gather(*(one.retire(stop, MAX_RETIREMENT) for one in serving))
        await asyncio.gather(*(one.stop(plan.settings.server.stop_timeout) for one in serving))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stores:
    """What is written and remembered, and who writes."""

    keeper: Keeper
    recorder: Recorder
    journal: JournalWriter
    watch: WatchWriter
    memory: Memory | None
    learned: LearnedStore | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _House:
    """What answers clients; `beside` runs for as long as they are answered."""

    gate: Gate
    submission: Submission | None
    list_keeper: ListKeeper
    beside: tuple[Coroutine[Any, Any, None], ...]


def _open_stores(plan: Plan, column: int, log: Log, closing: AsyncExitStack) -> _Stores:
    """Closed in the opposite order: the spool, which answers clients, before what only remembers."""
    settings = plan.settings
    folder = Path(settings.store.folder)
    memory = open_memory(plan, log)
    if memory is not None:
        closing.callback(memory.close)
    watch = WatchWriter(Watch.open_sometime(folder, settings.store.watch), watch_told(log))
    closing.callback(watch.close)
    learned = LearnedStore(folder, settings.store.learned) if settings.store.learned.enabled else None
    if learned is not None:
        closing.callback(learned.close)
    journal = JournalWriter(Journal.open_sometime(folder, settings.store.journal), journal_told(log))
    closing.callback(journal.close)
    committer = Committer(first_free_shard(folder / "spool", plan, log))
    closing.push_async_callback(committer.close)
    recorder = Recorder(log, journal, plan.metrics.column(column), memory, watch.note)
    in_flight = plan.counters.column(column)
    fullness = Fullness(folder / "spool", settings.store.spool, plan.fill, lambda: in_flight.octets)
    return _Stores(
        keeper=Keeper(committer, recorder, plan.wake[1], fullness),
        recorder=recorder,
        journal=journal,
        watch=watch,
        memory=memory,
        learned=learned,
    )


def _open_house(plan: Plan, column: int, log: Log, stores: _Stores, closing: AsyncExitStack) -> _House:
    settings, folder = plan.settings, Path(plan.settings.store.folder)
    resolver = DnsResolver(settings.dns)
    lists = Lists(settings.lists, resolver)
    message_ports = _open_ports(plan, column, log, stores, resolver, lists, closing)
    door = open_door(plan, column, log, lists, stores.watch)
    closing.push_async_callback(door.close)
    directory = open_gate_directory(plan, log)
    closing.push_async_callback(directory.close)
    hops = _next_hops(settings, resolver)
    admission = _open_admission(plan, log, directory, hops, closing)
    exposures = Exposures(log, directory.exists)
    closing.push_async_callback(exposures.close)
    gate = Gate(
        settings, admission=admission, keeper=stores.keeper, recorder=stores.recorder, door=door,
        message_ports=message_ports, exposures=exposures,
    )  # fmt: skip
    submission = None
    if plan.submission_tls is not None:
        shared = Shared(
            directory=directory, admission=admission, keeper=stores.keeper, recorder=stores.recorder,
            journal=stores.journal, memory=stores.memory, door=door, ports=message_ports,
        )  # fmt: skip
        submission = Submission(plan, column, shared)
        closing.push_async_callback(submission.close)
    list_keeper = ListKeeper(lists, settings, folder, log)
    accounts = watch_accounts(folder, plan.recipients, directory_told(log), gate.learn_accounts)
    beside = (list_keeper.run(), hops.watch(), door.keep_up(), accounts)
    return _House(gate=gate, submission=submission, list_keeper=list_keeper, beside=beside)


def _next_hops(settings: GateSettings, resolver: DnsResolver) -> NextHops:
    """Where mail goes on to, as far as that is known before it comes."""
    connector = Connector(settings.hostname, settings.delivery, resolver)
    routes = {domain.route for domain in settings.domains.values()} | {settings.way_out} - {""}
    return NextHops(settings.hostname, routes, connector.addresses, client_context(verified=False))


def _open_admission(
    plan: Plan, log: Log, directory: GateDirectory, hops: NextHops, closing: AsyncExitStack
) -> Admission:
    settings = plan.settings
    relay = settings.relay
    asked = CallForward(hops.ask, relay.call_forward_positive, relay.call_forward_negative, time.monotonic)
    primaries = open_primaries(plan, hops, log)
    if primaries is not None:
        closing.callback(primaries.close)
    return Admission(
        plan.recipients, hops, asked, directory.exists if directory.is_elsewhere else None, primaries=primaries,
        way_out=settings.way_out, bounces_only=settings.forward.bounces_from == "null",
    )  # fmt: skip


def _open_ports(
    plan: Plan, column: int, log: Log, stores: _Stores, resolver: DnsResolver, lists: Lists, closing: AsyncExitStack
) -> Callable[[], Ports]:
    """What each message's examination may ask; look-ups are counted anew for each."""
    settings = plan.settings
    follows = settings.inspector.links.follow_redirects != "never"
    fetcher = RedirectFetcher(resolver, settings.fetch, may_ask=is_shortened) if follows else None
    if fetcher is not None:
        closing.push_async_callback(fetcher.close)
    sandbox = open_sandbox(plan, column, log)
    if sandbox is not None:
        closing.push_async_callback(sandbox.close)
        sandbox.warm()
    scanner = ClamdScanner(settings.scanner) if settings.scanner.address else None
    locator = GeoLocator(settings.geo) if settings.geo.file or settings.geo.network_file else None

    def message_ports() -> Ports:
        return Ports(
            resolver=BudgetedResolver(resolver, settings.dns.lookups_per_message),
            opener=sandbox,
            scanner=scanner,
            fetcher=fetcher,
            history=stores.memory,
            memory=stores.learned,
            lists=lists,
            locator=locator,
        )

    return message_ports


def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def open_memory(plan: Plan, log: Log) -> Memory | None:
    """The memory of senders, None where it is switched off."""
    settings = plan.settings.store
    if not settings.history.enabled:
        return None
    known = SenderHistory(Path(settings.folder), settings.history)
    return Memory(known, HistoryWriter(known, history_told(log)), plan.recipients)


def open_primaries(plan: Plan, hops: NextHops, log: Log) -> PrimaryRecipients | None:
    """Whom the primaries of backup domains know; None where there are none."""
    settings, folder = plan.settings, Path(plan.settings.store.folder)
    if not any(domain.primary for domain in settings.domains.values()):
        return None
    return PrimaryRecipients(
        hops.ask,
        KnownRecipients.open(folder, settings.backup.max_recipients),
        BatchWriter(KnownRecipients.open(folder, settings.backup.max_recipients), recipients_told(log)),
        settings.backup,
        time.time,
        time.monotonic,
    )


def open_gate_directory(plan: Plan, log: Log) -> GateDirectory:
    """Who may log in and who gets mail; recipients that only another directory knows are asked for there."""
    settings = plan.settings
    directory = GateDirectory(
        settings.directory,
        Accounts.open(Path(settings.store.folder)),
        at_once=settings.login.checks_at_once,
        waiting=settings.login.checks_waiting,
        remember=settings.login.remember,
        told=directory_told(log),
    )
    if directory.is_elsewhere:
        plan.recipients.directory = directory.recipients
    return directory


def open_door(plan: Plan, column: int, log: Log, lists: Lists, watch: WatchWriter) -> Door:
    """The door of this process."""
    settings = plan.settings
    parts = make_parts(
        settings,
        rates=plan.rates.column(column),
        resolver=lists.resolver,
        folder=Path(settings.store.folder),
        ask_lists=(lambda ip: ask_at_door(lists, ip)) if lists.asked else None,
        own_entry=lambda ip: lists.local.address(ip, time.time()),
        teller=Teller(log, plan.metrics.column(column), watch.note),
    )
    return Door(parts)


def open_sandbox(plan: Plan, column: int, log: Log) -> Sandbox | None:
    """Where this process has the inside of messages opened."""
    if not plan.settings.content.enabled:
        return None
    metrics = plan.metrics.column(column)
    told = content_told(log, lambda: metrics.add(Metric.CONTENT_CHILDREN_LOST))
    return Sandbox(plan.settings.content, told=told, processors=plan.processors)


def first_free_shard(folder: Path, plan: Plan, log: Log) -> SpoolShard:
    """The first sound shard that no living process holds: after a reload the old generation still has its own."""
    for number in range(MAX_SHARDS):
        try:
            return SpoolShard.open(folder, number, plan.settings.store.spool)
        except StoreBusy:
            continue
        except StoreDamaged as error:  # new mail goes elsewhere; what is in there waits for somebody to mend it
            log.error("shard-damaged", reason=error)
    raise StoreError(f"{folder}: all shards are in use")


async def _first(*events: asyncio.Event) -> None:
    """Returns when one of `events` is set."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
