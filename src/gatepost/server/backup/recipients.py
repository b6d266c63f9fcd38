"""Does the primary know this recipient? Asked at RCPT; while the primary is away, what it said before holds.

In: an address, its domain's way to the primary. Out: yes, no or unsure. A yes is believed for a day and remembered for
months, a no is believed for an hour (TRAPS: never accept and bounce later, never read silence as "no such recipient").
Not here: the database (`store.recipients`), the SMTP dialogue (`pipeline.hops`), what RCPT is answered (`admission`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gatepost.errors import StoreError
from gatepost.server.backup.settings import BackupSettings
from gatepost.server.callforward import Ask, Known, Verdict
from gatepost.store.batches import BatchWriter
from gatepost.store.recipients import Answer, KnownRecipients

MAX_REMEMBERED = 10_000  # answers in memory; the rest is a question to the database
_AWAY = Verdict(Known.UNSURE, "the primary is away", reached=False)


class PrimaryRecipients:
    """Runs on one event loop. `ask(route, address)` asks the primary; `clock` is the time of day, `monotonic` never
    goes back. Owns the database."""

    def __init__(
        self,
        ask: Ask,
        store: KnownRecipients,
        writer: BatchWriter[Answer],
        settings: BackupSettings,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._ask = ask
        self._store = store
        self._writer = writer
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._memory: OrderedDict[str, Answer] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[Verdict]] = {}
        self._away_until: dict[str, float] = {}  # by domain: asked again after a while, not by every client
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="recipients")

    def close(self) -> None:
        """Writes what waits."""
        self._disk.shutdown(wait=True)
        self._store.close()
        self._writer.close()

    def cached(self, route: str, address: str) -> Verdict | None:
        """What is known without asking anybody."""
        held = self._memory.get(address)
        return self._fresh(held) if held is not None else None

    async def check(self, route: str, address: str) -> Verdict:
        """Whether the primary takes mail for `address`; unsure where it never said and cannot be asked now. Never
        raises."""
        before = await self._remembered(address)
        if before is not None and (fresh := self._fresh(before)) is not None:
            return fresh
        verdict = await self._asked(route, address)
        if verdict.known is not Known.UNSURE or before is None:
            return verdict
        age = self._clock() - before.at
        if before.known and age < self._settings.known_for:
            return Verdict(Known.YES, f"known {age / 3600:.0f} hours ago; now: {verdict.reason}")
        return verdict

    def _fresh(self, answer: Answer) -> Verdict | None:
        """The answer while nobody needs to ask again. A clock that was put back makes it old, not young for ever."""
        believed = self._settings.ask_again if answer.known else self._settings.unknown_for
        if not 0 <= self._clock() - answer.at < believed:
            return None
        return Verdict(Known.YES if answer.known else Known.NO, "known from before")

    async def _remembered(self, address: str) -> Answer | None:
        held = self._memory.get(address)
        if held is not None:
            return held
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._disk, self._store.get, address)
        except StoreError:
            return None  # then the primary is asked
        held = self._memory.get(address)  # learnt while the database was read
        if held is not None:
            return held
        if found is not None:
            self._remember(found)
        return found

    def _remember(self, answer: Answer) -> None:
        self._memory[answer.address] = answer
        self._memory.move_to_end(answer.address)
        while len(self._memory) > MAX_REMEMBERED:
            self._memory.popitem(last=False)

    async def _asked(self, route: str, address: str) -> Verdict:
        domain = address.rpartition("@")[2]
        if self._monotonic() < self._away_until.get(domain, 0.0):
            return _AWAY
        if address not in self._waiting:
            self._waiting[address] = asyncio.ensure_future(self._learn(route, address, domain))
        return await asyncio.shield(self._waiting[address])

    async def _learn(self, route: str, address: str, domain: str) -> Verdict:
        try:
            async with asyncio.timeout(self._settings.ask_seconds):
                verdict = await self._ask(route, address)
        except Exception as error:  # whatever a primary does must not end the session that asked
            verdict = Verdict(Known.UNSURE, str(error) or type(error).__name__, reached=False)
        finally:
            del self._waiting[address]
        if verdict.known is not Known.UNSURE:
            answer = Answer(address, verdict.known is Known.YES, self._clock())
            self._remember(answer)
            self._writer.note(answer)
            self._away_until.pop(domain, None)
        elif not verdict.reached:
            self._away_until[domain] = self._monotonic() + self._settings.probe
        return verdict
