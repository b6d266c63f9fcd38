"""The world of the delivery tests: a clock that is turned by hand, a next hop that says what it is told to say."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.message.header import Header
from gatepost.names import Envelope, Recipient, Session, Tls
from gatepost.server.delivery.agent import Agent, OpenLane
from gatepost.server.delivery.hop import HopReply, TlsWish
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.lane import HopLane, Works
from gatepost.server.delivery.ledger import Desk, Reports
from gatepost.server.delivery.maildrop import DiscardLane, MaildirLane
from gatepost.server.delivery.result import Result
from gatepost.server.delivery.routes import Carrier, Route, Routes
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.delivery.settle import Settled
from gatepost.server.delivery.slots import Slots
from gatepost.server.logs import Log
from gatepost.server.metrics import MetricsTable
from gatepost.store.journal import Attempt
from gatepost.store.maildir import Drop
from gatepost.store.spool import NewMessage, Spool, Spooled, SpoolShard, Treatment

RAW = b"From: a@example.org\r\nSubject: hello\r\n\r\nHello.\r\n"
FULL = {"8BITMIME": "", "SMTPUTF8": "", "DSN": "", "SIZE": "0", "PIPELINING": ""}
START = 1_800_000_000.0


class Clock:
    """The time of day, turned by hand."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeHop:
    """Answers every transaction with what `answer` returns for it (or raises)."""

    label = "hop.example[127.0.0.1]:25"

    def __init__(
        self,
        answer: Callable[[Envelope], Sequence[HopReply]] | None = None,
        keywords: dict[str, str] | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.keywords = FULL if keywords is None else keywords
        self.tls = tls
        self.demanded_by = "dane" if tls is not None and tls.verified else ""
        self.sent: list[tuple[Envelope, bytes]] = []
        self.closed = False
        self._answer = answer or (
            lambda envelope: [HopReply(reply_code=250, text="2.0.0 ok")] * len(envelope.recipients)
        )

    async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
        await asyncio.sleep(0)
        self.sent.append((envelope, raw))
        return self._answer(envelope)

    async def close(self) -> None:
        self.closed = True


class FakeMailboxes:
    """Keeps drops in memory; an address in `broken` cannot be delivered to."""

    def __init__(self, broken: Sequence[str] = ()) -> None:
        self.drops: list[Drop] = []
        self.broken = set(broken)

    def deliver(self, drops: Sequence[Drop]) -> Sequence[StoreError | None]:
        self.drops += [drop for drop in drops if drop.address not in self.broken]
        return [StoreError("no room") if drop.address in self.broken else None for drop in drops]


class FakeReports:
    """Remembers what was to be told."""

    def __init__(self, *, can: bool = True) -> None:
        self.can = can
        self.told: list[Settled] = []

    def can_report(self, spooled: Spooled) -> bool:
        return self.can

    def compose(self, spooled: Spooled, settled: Sequence[Settled], raw: bytes, now: float) -> list[NewMessage]:
        self.told += [entry for entry in settled if entry.tell is not None]
        return []


class World:
    """A spool in `folder`, an agent over it, and the pieces a test wants to look at or exchange."""

    def __init__(self, folder: Path, domains: dict[str, str], settings: DeliverySettings | None = None) -> None:
        self.clock = Clock()
        self.shard = SpoolShard.open(folder, 0)
        self.spool = Spool.open(folder, now=self.clock.now, exclusive=True)
        self.settings = settings or DeliverySettings(jitter=0.0, connection_idle=0.05)
        self.routes = Routes(domains)
        self.slots = Slots(self.settings.connections)
        self.mailboxes = FakeMailboxes()
        self.reports: Reports = FakeReports()
        self.notes: list[Attempt] = []
        self.hops: dict[str, list[FakeHop | Exception]] = {}
        self.connections: list[str] = []
        self.wishes: list[TlsWish] = []
        self.log_path = folder / "log"
        self._log = self.log_path.open("wb", buffering=0)
        self._disk = ThreadPoolExecutor(1)
        self._files = ThreadPoolExecutor(1)

    def add(
        self, *to: str, raw: bytes = RAW, mail_from: str = "a@example.org", proven: bool = True, **more: object
    ) -> str:
        """Puts a message into the spool; `more` goes into the envelope; `notify` to every recipient."""
        notify = more.pop("notify", ())
        treatments = tuple(Treatment(junk=True) for _ in to) if more.pop("junk", False) else ()
        envelope = Envelope(mail_from=mail_from, recipients=tuple(Recipient(address=a, notify=notify) for a in to))  # type: ignore[arg-type]
        envelope = dataclasses.replace(envelope, **more)  # type: ignore[arg-type]
        message_id = self.shard.next_id(self.clock.now)
        session = Session(client_ip="192.0.2.1", received_at=self.clock.now)
        self.shard.add_many(
            [
                NewMessage(
                    id=message_id, envelope=envelope, session=session, body=raw, treatments=treatments, proven=proven
                )
            ]
        )
        return message_id

    async def connect(self, route: Route, wish: TlsWish = TlsWish.USUAL, *, demanded: bool = False) -> FakeHop:
        """The next prepared hop of the route; the last one serves for ever."""
        self.wishes.append(wish)
        self.connections.append(str(route))
        prepared = self.hops[str(route)]
        hop = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if isinstance(hop, Exception):
            raise hop
        return hop

    def find_loop(self, header: Header) -> str:
        return "loops" if header.first("X-Loop") else ""

    def open_lane(self, route: Route, finish: Callable[[Job, Sequence[Result]], None]) -> object:
        if route.carrier is Carrier.DISCARD:
            return DiscardLane(finish)
        if route.carrier is Carrier.MAILDIR:
            return MaildirLane(
                self.mailboxes,
                batch=10,
                body=self.spool.body,
                find_loop=self.find_loop,
                finish=finish,
                executor=self._files,
            )

        async def body(message_id: str) -> bytes:
            return self.spool.body(message_id)

        works = Works(
            settings=self.settings,
            connect=self.connect,
            body=body,
            find_loop=self.find_loop,
            clock=self.clock,
            slots=self.slots,
        )
        return HopLane(route, works, finish)

    def agent(self, open_lane: OpenLane | None = None) -> Agent:
        desk = Desk(
            settings=self.settings,
            spool=self.spool,
            reports=self.reports,
            add=self.shard.add_many,
            log=Log(fd=self._log.fileno(), stamp=False),
            metrics=MetricsTable(1).column(0),
            clock=self.clock,
            rng=random.Random(1),
            disk=self._disk,
            note=self.notes.append,
        )
        return Agent(desk, self.routes, open_lane or self.open_lane, self.clock)  # type: ignore[arg-type]

    async def run_until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Runs an agent until `condition` holds, then stops it in order."""
        stop, wake = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(self.agent().run(stop, wake, stop_seconds=2.0))
        try:
            async with asyncio.timeout(seconds):
                while not condition() and not task.done():
                    await asyncio.sleep(0.005)
        finally:
            stop.set()
            await task

    def deliver(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """`run_until`, for tests that are not coroutines."""
        asyncio.run(self.run_until(condition, seconds))

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def close(self) -> None:
        self.spool.close()
        self.shard.close()
        self._log.close()
        self._disk.shutdown()
        self._files.shutdown()
