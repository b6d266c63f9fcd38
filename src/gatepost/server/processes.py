"""What each kind of process does: reception, delivery, monitor, web, certificates.

In: the plan, a place in the shared tables, the lifeline. Out: a process that serves until told to stop.
Not here: starting and stopping them (`supervisor`).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import logging
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.net.resolver import DnsResolver
from gatepost.net.tls import ServerContext
from gatepost.server.backup.ways import open_backup
from gatepost.server.certificates.folder import CertificateFolder
from gatepost.server.certificates.upkeep import Upkeep
from gatepost.server.children import RETIRE
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.run import Delivery, open_own_shard, run_delivery
from gatepost.server.directory import watch_accounts
from gatepost.server.entrances import Kind
from gatepost.server.folders import watch_folders
from gatepost.server.forward.forwarding import Forwarding
from gatepost.server.fullness import Fullness, watch_fill
from gatepost.server.https.run import WebServer, challenge_reader, serve_web
from gatepost.server.https.site import Site
from gatepost.server.lists import list_gauges
from gatepost.server.logs import Forward, Log, directory_told, journal_told
from gatepost.server.monitor import application, serve_until_end
from gatepost.server.outwards import listening_ports
from gatepost.server.plan import Plan
from gatepost.server.privileges import become
from gatepost.server.reception import receive
from gatepost.server.settings import GateSettings
from gatepost.server.signing.fresh import keep_fresh
from gatepost.server.signing.signer import Signer
from gatepost.server.signing.upkeep import watch_keys
from gatepost.server.transport import Transport, ended
from gatepost.store.history import SenderHistory
from gatepost.store.journal import Journal, JournalWriter
from gatepost.store.maildir import Mailboxes
from gatepost.store.reports import prune_reports
from gatepost.store.spool import Spool, State
from gatepost.store.upkeep import EVERY, keep_up

# A message makes some 2,000 objects that die with it, hardly a cycle among them: the default of 700 would look through
# the young ones three times for each message and find nothing.
GC_THRESHOLD = (50_000, 20, 50)
WAKE_READ = 4096  # octets of "there is new mail" taken at once


def roles_beside(plan: Plan) -> tuple[str, ...]:
    """The kinds of process that there is one of each."""
    wanted = {
        "delivery": True,
        "monitor": plan.monitor_socket is not None,
        "web": plan.entrances.has_web,
        "certificates": bool(plan.settings.acme.names),
    }
    return tuple(role for role, there in wanted.items() if there)


def run_process(plan: Plan, role: str, column: int, lifeline: int, processor: int | None = None) -> None:
    """Runs `role` in this process, on `processor` alone if one is named, until SIGTERM or the supervisor's end."""
    become(plan.user)
    if processor is not None:
        with contextlib.suppress(OSError):  # it was taken away meanwhile
            os.sched_setaffinity(0, {processor})
    gc.set_threshold(*GC_THRESHOLD)
    log = Log(plan.settings.server.log_level)
    logging.basicConfig(handlers=[Forward(log)], level=logging.WARNING, force=True)
    if role == "monitor":
        run_monitor(plan, lifeline)
    elif role == "web":
        run_loop(lambda stop, _retire: serve(plan, log, stop), lifeline)
    elif role == "certificates":
        run_loop(lambda stop, _retire: look_after_certificates(plan, log, stop), lifeline)
    elif role == "delivery":
        run_loop(lambda stop, _retire: deliver(plan, column, log, stop), lifeline)
    else:
        run_loop(lambda stop, retire: receive(plan, column, log, stop, retire), lifeline)


def run_loop(main: Callable[[asyncio.Event, asyncio.Event], Awaitable[None]], lifeline: int) -> None:
    """Runs `main(stop, retire)` on uvloop where there is one; `stop` is set by SIGTERM and by the end of the lifeline,
    `retire` by RETIRE."""

    async def guarded() -> None:
        stop, retire = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(lifeline)
            stop.set()

        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(RETIRE, retire.set)
        loop.add_reader(lifeline, end)
        await main(stop, retire)

    try:
        import uvloop
    except ImportError:
        asyncio.run(guarded())
    else:
        uvloop.run(guarded())


async def deliver(plan: Plan, column: int, log: Log, stop: asyncio.Event) -> None:
    """The delivery process."""
    settings = plan.settings
    folder = Path(settings.store.folder)
    wake = asyncio.Event()
    asyncio.get_running_loop().add_reader(plan.wake[0], _drain, plan.wake[0], wake)
    spool = Spool.open(
        folder / "spool",
        settings.store.spool,
        now=time.time(),
        exclusive=True,
        on_damage=lambda error: log.error("shard-damaged", reason=error, mail="in it is not delivered"),
    )
    shard = open_own_shard(folder / "spool", settings.store.spool)
    journal = Journal.open_sometime(folder, settings.store.journal)
    notes = JournalWriter(journal, journal_told(log))
    resolver = DnsResolver(settings.dns)
    history = SenderHistory(folder, settings.store.history)
    old_reports = partial(prune_reports, folder, settings.store.reports)
    signer = Signer(settings.signing, plan.ring)
    transport = Transport(settings, resolver, signer, log)
    beside = [
        asyncio.create_task(_keep_up(spool, journal, history, old_reports, log)),
        asyncio.create_task(watch_folders(settings, journal, log)),
        asyncio.create_task(watch_accounts(folder, plan.recipients, directory_told(log))),
        asyncio.create_task(watch_keys(settings, resolver, log)),
        asyncio.create_task(watch_fill(folder / "spool", settings.store.spool, plan.fill, log)),
        asyncio.create_task(keep_fresh(signer, settings, log)),
        *map(asyncio.create_task, transport.tasks()),
    ]
    try:
        parts = Delivery(
            settings=dataclasses.replace(settings.delivery, relay=settings.way_out),
            hostname=settings.hostname,
            postmaster=settings.postmaster,
            routes={name: domain.route for name, domain in settings.domains.items()},
            max_received=settings.relay.max_received,
            spool=spool,
            shard=shard,
            mailboxes=Mailboxes(folder / "mail", settings.hostname),
            connect=_connector(settings, resolver, transport),
            resolve=lambda address: plan.recipients.resolve(address).addresses,
            forwarding=_forwarding(plan, signer),
            log=log,
            metrics=plan.metrics.column(column),
            clock=time.time,
            monotonic=time.monotonic,
            rng=random.Random(),  # noqa: S311 - spreads retries, hides nothing
            sign=lambda octets, now: signer.sign(octets, settings.hostname, now).raw,
            note=notes.note,
            backup=open_backup(settings),
        )
        await run_delivery(parts, stop, wake, settings.server.stop_timeout)
    finally:
        await ended(beside)
        transport.close()
        history.close()
        notes.close()
        shard.close()
        spool.close()


def _connector(settings: GateSettings, resolver: DnsResolver, transport: Transport) -> Connector:
    """Who calls next hops: with the TLS that they demand, and never ourselves."""
    own = Own(settings.hostname, settings.delivery, listening_ports(settings))
    return Connector(settings.hostname, settings.delivery, resolver, protection=transport.demands, own=own)


def _forwarding(plan: Plan, signer: Signer) -> Forwarding:
    """How mail that is sent on leaves; its seals are made with the keys as they are then."""
    return Forwarding(
        plan.settings.forward,
        hostname=plan.settings.hostname,
        recipients=plan.recipients,
        srs=plan.srs,
        ring=lambda: signer.ring,
        clock=time.time,
    )


async def serve(plan: Plan, log: Log, stop: asyncio.Event) -> None:
    """The process that serves HTTP and HTTPS."""
    site = Site(plan.settings, challenge_reader(CertificateFolder(plan.settings.store.folder).challenges))
    server = WebServer(plan.settings.https, site.answer, log)
    contexts = {Kind.HTTPS: plan.tls, Kind.HTTP: None}
    sockets = [(sock, context) for kind, context in contexts.items() for sock in plan.entrances.of(kind)]
    await serve_web(server, sockets, stop)


async def look_after_certificates(plan: Plan, log: Log, stop: asyncio.Event) -> None:
    """The process that gets and renews our certificate."""
    shown = plan.tls.end_point if isinstance(plan.tls, ServerContext) else b""
    await Upkeep(plan.settings, DnsResolver(plan.settings.dns), log, shown).run(stop)


async def _keep_up(
    spool: Spool, journal: Journal, history: SenderHistory, reports: Callable[[float], int], log: Log
) -> None:
    """Deletes what is older than the settings keep, now and every hour."""
    while True:
        try:
            went = await asyncio.to_thread(keep_up, spool, journal, history, time.time(), reports)
        except StoreError as error:
            log.error("spool-failed", doing="upkeep", error=error)
        else:
            if went.expired or went.forgotten or went.unremembered or went.reports:
                log.info(
                    "upkeep",
                    expired=went.expired,
                    forgotten=went.forgotten,
                    unremembered=went.unremembered or None,
                    reports=went.reports or None,
                )
        await asyncio.sleep(EVERY)


def _drain(pipe: int, wake: asyncio.Event) -> None:
    try:
        os.read(pipe, WAKE_READ)
    except BlockingIOError:
        pass
    wake.set()


def run_monitor(plan: Plan, lifeline: int) -> None:
    """Health and metrics."""
    if plan.monitor_socket is None:
        return
    ends = plan.certificate_ends
    gauges: dict[str, tuple[str, Callable[[], float]]] = {
        "connections": ("connections now", lambda: plan.counters.column(0).connections),
        **{
            f"spool_{state.value}": (f"recipients {state.value} in the spool", _counter(plan, state)) for state in State
        },
    }
    gauges["spool_octets"] = ("octets that the spool takes on disk", lambda: plan.fill.get().octets)
    gauges |= list_gauges(Path(plan.settings.store.folder))
    if ends is not None:
        gauges["certificate_ends_seconds"] = ("when the certificate ends, in seconds since 1970", lambda: ends)
    serve_until_end(plan.monitor_socket, application(plan.metrics, gauges, lambda: troubles(plan)), lifeline)


def troubles(plan: Plan) -> list[str]:
    """Why mail would not be taken now, in plain words; empty when all is well."""
    found = []
    try:
        _counts(plan)
    except StoreError as error:
        found.append(f"the spool cannot be read: {error}")
    folder, settings = Path(plan.settings.store.folder), plan.settings.store.spool
    full = Fullness(folder / "spool", settings, plan.fill, lambda: 0).reason()
    return [*found, f"no room for mail, it is answered 421: {full}"] if full else found


def _counter(plan: Plan, state: State) -> Callable[[], int]:
    return lambda: _counts(plan).get(state, 0)


def _counts(plan: Plan) -> dict[State, int]:
    """Recipients by state, read anew: a monitor asks every few seconds, not every message."""
    folder = Path(plan.settings.store.folder) / "spool"
    if not folder.is_dir():  # opening it would make it
        raise StoreError(f"{folder} is not there")
    spool = Spool.open(folder, plan.settings.store.spool, now=time.time())
    try:
        return spool.counts()
    finally:
        spool.close()
