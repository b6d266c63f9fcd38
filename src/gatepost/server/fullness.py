"""Whether there is room for more mail, asked at the door: before a message comes, not after it was sent in vain.

In: how full the spool is, as the delivery process measures it every second for all workers; the free disk; a message's
declared size. Out: why there is none. Standard: RFC 5321 §4.2.2 (452, 421), RFC 1870 §6.1 (SIZE), RFC 3463 §3.4.
Not here: measuring (`store.spool.fill`); the replies (`pipeline.replies`); the last word, which is the disk's
(`store.spool.shard`).
"""

from __future__ import annotations

import asyncio
import mmap
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.server.logs import Log
from gatepost.store.database import free_space
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Spool
from gatepost.store.spool.fill import Fill, measure

EVERY = 1.0  # seconds between two measurements: what comes in between may go over the limits
BELIEVED = 0.2  # seconds for which the free disk is not asked for again, nor anything while there is plenty of all
PLENTY_COPIES, PLENTY_OCTETS = 10_000, 1 << 30  # below each limit; so much does not come in the time
QUIET = 60.0  # seconds between two log lines


class FillTable:
    """Shared memory: one writes, all read."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, 3 * 8)).cast("q")

    def set(self, fill: Fill) -> None:
        """For the one who measures."""
        self._cells[0], self._cells[1], self._cells[2] = fill.copies, fill.octets, fill.reusable

    def get(self) -> Fill:
        """As it was measured last; nothing before the first time."""
        return Fill(copies=self._cells[0], octets=self._cells[1], reusable=self._cells[2])


class Fullness:
    """One for a process. `in_flight` says how many octets of messages are on their way in, in all workers."""

    def __init__(
        self,
        folder: Path,
        settings: SpoolSettings,
        table: FillTable,
        in_flight: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._table = table
        self._in_flight = in_flight
        self._clock = clock
        self._free = 0
        self._believed_until = float("-inf")
        self._plenty_until = float("-inf")
        self._told = float("-inf")

    def reason(self, size: int = 0) -> str:
        """Why a message of `size` octets cannot be taken; empty when it can. 0: any message at all."""
        if size < PLENTY_OCTETS // 4 and self._clock() < self._plenty_until:
            return ""
        settings, fill = self._settings, self._table.get()
        if settings.max_queued and fill.copies >= settings.max_queued:
            return f"{fill.copies} copies wait, store.spool.max_queued is {settings.max_queued}"
        coming = size + self._in_flight() if size else 0
        if settings.max_octets and fill.octets + coming >= settings.max_octets:
            used = f"the spool takes {fill.octets} octets{f' and {coming} are coming' if coming else ''}"
            return f"{used}, store.spool.max_octets is {settings.max_octets}"
        # Room in the databases counts once the disk is low: without it a spool that once filled the disk would refuse
        # mail for ever.
        free = self._free_now()
        if free < settings.reserve + coming and free + fill.reusable < settings.reserve + coming:
            return f"{free} octets are free on the disk, store.spool.reserve is {settings.reserve}"
        if self._is_plenty(fill, free, coming):
            self._plenty_until = self._believed_until
        return ""

    def _is_plenty(self, fill: Fill, free: int, coming: int) -> bool:
        settings = self._settings
        copies = settings.max_queued - fill.copies if settings.max_queued else PLENTY_COPIES
        octets = settings.max_octets - fill.octets - coming if settings.max_octets else PLENTY_OCTETS
        return copies >= PLENTY_COPIES and min(octets, free - settings.reserve - coming) >= PLENTY_OCTETS

    def should_tell(self) -> bool:
        """Whether the log may hear of it again: once a minute is enough."""
        now = self._clock()
        if now - self._told < QUIET:
            return False
        self._told = now
        return True

    def _free_now(self) -> int:
        now = self._clock()
        if now >= self._believed_until:
            self._free, self._believed_until = free_space(self._folder), now + BELIEVED
        return self._free


async def watch_fill(folder: Path, settings: SpoolSettings, table: FillTable, log: Log) -> None:
    """Measures for all workers until it is cancelled; in the delivery process, on connections of its own."""
    failing = False
    while True:
        try:
            table.set(await asyncio.to_thread(_measured, folder, settings))
            failing = False
        except StoreError as error:
            if not failing:
                log.error("spool-failed", doing="measure", error=error)
            failing = True
        await asyncio.sleep(EVERY)


def _measured(folder: Path, settings: SpoolSettings) -> Fill:
    spool = Spool.open(folder, settings, now=time.time(), on_damage=lambda error: None)
    try:
        return measure(spool)
    finally:
        spool.close()
