"""Keeps lists fresh in a running process: tests them, reads the house's own entries anew, watches our own standing.

In: `Lists`, the settings, the store's folder, the log. Out: a task that runs until it is cancelled. A store that cannot
be read is told of once and mail goes on with what was known. Standard: RFC 5782 §5 (testing lists).
Not here: the questions and their answers (`reputation`), our own standing (`own_standing`), the door (`server.door`).
"""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

from gatepost.errors import GatepostError
from gatepost.reputation import EntryKind, Lists, LocalEntry, LocalLists, Verdict
from gatepost.reputation.dnslist import DnsList, ListKind
from gatepost.server.logs import Log
from gatepost.server.own_standing import own_round
from gatepost.server.settings import GateSettings
from gatepost.store.lists import ListStore, StoredEntry, StoredHealth
from gatepost.store.settings import WatchSettings
from gatepost.store.watch import Watch

LOOK = 2.0  # seconds between two looks whether entries have changed: one number is read
PRUNE_EVERY = 3600.0
OWN_EVERY = 3600.0  # seconds between two rounds over our own addresses and domains
OWN_RETRY = 60.0  # seconds until the next try while no list could be asked


def local_entry(stored: StoredEntry) -> LocalEntry:
    """The entry that the store keeps as text. Raises ValueError for one of a later version."""
    return LocalEntry(
        verdict=Verdict(stored.verdict),
        kind=EntryKind(stored.kind),
        value=stored.value,
        action=stored.action,
        expires=stored.expires,
        comment=stored.comment,
        added_at=stored.added_at,
        added_by=stored.added_by,
    )


def read_local(store: ListStore) -> LocalLists:
    """The house's entries, ready for matching. Raises StoreError."""
    found = []
    for stored in store.entries():
        try:
            found.append(local_entry(stored))
        except ValueError:
            continue  # what this version does not know cannot be matched
    return LocalLists(found)


async def ask_at_door(lists: Lists, ip: str) -> tuple[str, ...]:
    """The names of the block lists, of those that count, on which a client is; none for one that a list of good
    senders knows."""
    found = (await lists.check_client(ip, time.time())).listed
    if any(one.one.kind is ListKind.ALLOW and one.counts for one in found):
        return ()
    return tuple(dict.fromkeys(one.one.name for one in found if one.counts))


class ListKeeper:
    """For each process that judges: tests lists when they are due, reads own entries anew when they changed. One of the
    processes, whoever has the turn, also keeps in the store how the lists are and where we are listed."""

    def __init__(self, lists: Lists, settings: GateSettings, folder: Path, log: Log) -> None:
        self.lists = lists
        self._settings = settings
        self._folder = folder
        self._log = log
        self._store: ListStore | None = None
        self._seen = -1
        self._failing = False
        self._turn: IO[bytes] | None = None
        self._retired = False
        self._next_round = 0.0
        self._next_prune = 0.0

    async def run(self) -> None:
        """Until it is cancelled; then the turn is another process's."""
        try:
            while True:
                await self._tried("reading own entries", self._read_entries)
                now = time.time()
                if self.lists.health.due(now):
                    await self.lists.probe(now)
                    self._tell_changes()
                if self._turn is None and not self._retired:
                    self._turn = claim_turn(self._folder)
                if self._turn is not None:
                    await self._tried("keeping how lists are", self._keep)
                await asyncio.sleep(LOOK)
        finally:
            if self._store is not None:
                self._store.close()
            if self._turn is not None:
                self._turn.close()

    def retire(self) -> None:
        """This process is of an old generation: another one with new settings has the turn from now on."""
        self._retired = True
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    async def _tried(self, doing: str, step: Callable[[], Awaitable[None]]) -> None:
        """A store that fails is told of once; mail goes on with what was known."""
        try:
            await step()
        except GatepostError as error:
            if not self._failing:
                self._log.error("lists-failed", doing=doing, error=error)
            self._failing = True
        else:
            self._failing = False

    async def _opened(self) -> ListStore:
        if self._store is None:
            self._store = await asyncio.to_thread(ListStore.open, self._folder)
        return self._store

    async def _read_entries(self) -> None:
        store = await self._opened()
        number = store.changed()
        if number != self._seen:
            self.lists.local = await asyncio.to_thread(read_local, store)
            self._seen = number

    def _tell_changes(self) -> None:
        for one, state in self.lists.health.changes():
            if state.reason:
                self._log.warning("list-sick", list=one.name, reason=state.reason, do="left out until it is well")
            else:
                self._log.info("list-well", list=one.name)

    async def _keep(self) -> None:
        store = await self._opened()
        now = time.time()
        states = sorted((_state(self.lists, one) for one in self.lists.asked), key=lambda state: state.name)
        if store.health() != states:
            await asyncio.to_thread(store.keep_health, states)
        if now >= self._next_prune:
            await asyncio.to_thread(store.prune, now)
            await asyncio.to_thread(prune_watch, self._folder, self._settings.store.watch, now)
            self._next_prune = now + PRUNE_EVERY
        if self.lists.asked and self._settings.lists.watch_own and now >= self._next_round:
            done = await own_round(self._settings, self.lists, store, self._log, now)
            self._next_round = now + (OWN_EVERY if done else OWN_RETRY)


def claim_turn(folder: Path) -> IO[bytes] | None:
    """The file whose lock gives one process the turn, None while another has it."""
    try:
        owner = (folder / "lists.owner").open("wb")
    except OSError:
        return None
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner.close()
        return None
    return owner


def prune_watch(folder: Path, settings: WatchSettings, now: float) -> None:
    """Deletes what is too old in the report of lists and door. Raises StoreError."""
    watch = Watch.open(folder, settings)
    try:
        watch.prune(now)
    finally:
        watch.close()


def _state(lists: Lists, one: DnsList) -> StoredHealth:
    health = lists.health.of(one.name)
    return StoredHealth(name=one.name, condition=health.condition.value, since=health.since, reason=health.reason)


def list_gauges(folder: Path) -> dict[str, tuple[str, Callable[[], float]]]:
    """What the monitor shows of lists, read when it is asked."""

    def count(what: Callable[[ListStore], int]) -> float:
        if not (folder / "lists.db").exists():  # opening it would make it
            return 0.0
        store = ListStore.open(folder)
        try:
            return float(what(store))
        finally:
            store.close()

    def sick(store: ListStore) -> int:
        return sum(state.condition == "sick" for state in store.health())

    return {
        "lists_sick": ("lists in use that are left out since they fail their test", lambda: count(sick)),
        "own_listings": (
            "our own addresses and domains on lists in use",
            lambda: count(lambda store: len(store.own())),
        ),
    }
