"""A running process keeps its lists fresh: entries within seconds, tests when due; one process tells the store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fakes import DictResolver
from gatepost.config import Settings
from gatepost.reputation import Lists, ListsSettings
from gatepost.server import lists as module
from gatepost.server.lists import ListKeeper, ask_at_door, claim_turn, list_gauges
from gatepost.server.logs import Log
from gatepost.server.own_standing import own_subjects
from gatepost.server.settings import DomainSettings
from gatepost.store.lists import ListStore, StoredEntry
from gatepost.store.settings import StoreSettings

ZONE = {
    "2.0.0.127.zen.spamhaus.org": {"A": "127.0.0.2"},
    "2.0.0.127.list.dnswl.org": {"A": "127.0.10.0"},
    "surbl-org-permanent-test-point.com.multi.surbl.org": {"A": "127.0.0.8"},
    "1.2.0.192.zen.spamhaus.org": {"A": "127.0.0.3"},
    "7.2.0.192.zen.spamhaus.org": {"A": "127.0.0.4"},
    "8.2.0.192.zen.spamhaus.org": {"A": "127.0.0.4"},
    "8.2.0.192.list.dnswl.org": {"A": "127.0.10.2"},
    "example.org.multi.surbl.org": {"A": "127.0.0.64"},
    "mail.example.org": {"A": "192.0.2.1", "AAAA": "2001:db8::1"},
}
USE = ("zen", "dnswl", "surbl")


def settings_for(folder: Path, **lists: object) -> Settings:
    return Settings(
        hostname="mail.example.org",
        domains={"example.org": DomainSettings()},
        lists=ListsSettings(**{"use": USE, **lists}),  # type: ignore[arg-type]
        store=StoreSettings(folder=str(folder)),
    )


class Running:
    """A keeper that runs, and what it logged."""

    def __init__(self, folder: Path, resolver: DictResolver, **lists: object) -> None:
        self.folder = folder
        self.settings = settings_for(folder, **lists)
        self.lists = Lists(self.settings.lists, resolver)
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self.keeper = ListKeeper(self.lists, self.settings, folder, Log(fd=writing, stamp=False))
        self.said = ""

    def log(self) -> str:
        try:
            self.said += os.read(self._reading, 1 << 16).decode()
        except BlockingIOError:
            pass
        return self.said


def run(running: Running, until: Callable[[], bool], then: Callable[[], Awaitable[None]] | None = None) -> None:
    async def main() -> None:
        task = asyncio.create_task(running.keeper.run())
        async with asyncio.timeout(20):
            while not until():
                await asyncio.sleep(0.01)
            if then is not None:
                await then()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.02)


def test_own_standing_is_kept_and_told_and_taken_back(tmp_path: Path) -> None:
    resolver = DictResolver(ZONE)
    running = Running(tmp_path, resolver)
    run(running, lambda: running.log().count("own-listed") == 2)
    assert "list=zen subject=192.0.2.1" in running.log()
    assert "list=surbl subject=example.org" in running.log()
    gauges = list_gauges(tmp_path)
    assert (gauges["own_listings"][1](), gauges["lists_sick"][1]()) == (2, 0)
    del resolver.zone["1.2.0.192.zen.spamhaus.org"]
    running = Running(tmp_path, resolver)
    run(running, lambda: "own-delisted" in running.log())
    assert gauges["own_listings"][1]() == 1


def test_a_sick_list_is_told_and_kept(tmp_path: Path) -> None:
    running = Running(tmp_path, DictResolver(ZONE | {"1.0.0.127.zen.spamhaus.org": {"A": "127.0.0.2"}}))
    gauges = list_gauges(tmp_path)
    assert gauges["lists_sick"][1]() == 0
    run(running, lambda: gauges["lists_sick"][1]() == 1)
    assert 'list-sick list=zen reason="lists 127.0.0.1' in running.log()


def test_entries_are_in_force_without_a_restart(tmp_path: Path) -> None:
    running = Running(tmp_path, DictResolver({}), use=())
    store = ListStore.open(tmp_path)

    async def add() -> None:
        store.add(StoredEntry(kind="domain", value="evil.example", verdict="block"))
        store.add(StoredEntry(kind="of-later", value="x", verdict="block"))  # written by a later version
        while running.lists.local.domain("evil.example", 0) is None:
            await asyncio.sleep(0.01)
        store.remove("domain", "evil.example")
        while running.lists.local:
            await asyncio.sleep(0.01)

    run(running, lambda: True, add)
    store.close()


def test_one_process_has_the_turn_and_gives_it_up(tmp_path: Path) -> None:
    first, second = Running(tmp_path, DictResolver(ZONE)), Running(tmp_path, DictResolver(ZONE))
    held = claim_turn(tmp_path)
    assert held is not None

    async def rounds() -> None:
        await asyncio.sleep(0.2)  # ten more looks: one that had the turn would have used it

    run(first, lambda: first.lists.health.is_well("zen"), rounds)
    assert "own-listed" not in first.log()
    held.close()
    second.keeper.retire()
    run(second, lambda: second.lists.health.is_well("zen"), rounds)
    assert "own-listed" not in second.log()


def test_a_store_that_cannot_be_read_is_told_once_and_lists_go_on(tmp_path: Path) -> None:
    (tmp_path / "lists.db").write_bytes(b"no database" * 1000)
    running = Running(tmp_path, DictResolver(ZONE))
    run(running, lambda: running.lists.health.is_well("zen"))
    assert running.log().count("lists-failed") == 1


def test_the_door_asks_only_what_counts(tmp_path: Path) -> None:
    running = Running(tmp_path, DictResolver(ZONE))
    asyncio.run(running.lists.probe(1.0))
    assert asyncio.run(ask_at_door(running.lists, "192.0.2.7")) == ("zen",)
    assert asyncio.run(ask_at_door(running.lists, "192.0.2.8")) == ()  # a list of good senders knows it
    assert asyncio.run(ask_at_door(running.lists, "192.0.2.99")) == ()
    watched = Running(tmp_path, DictResolver(ZONE), mode="watch")
    asyncio.run(watched.lists.probe(1.0))
    assert asyncio.run(ask_at_door(watched.lists, "192.0.2.7")) == ()


def test_own_addresses_may_be_named(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, own_addresses=("198.51.100.1",))
    found = asyncio.run(own_subjects(settings, DictResolver(ZONE)))
    assert [subject.value for subject in found] == ["198.51.100.1", "example.org", "mail.example.org"]
    found = asyncio.run(own_subjects(settings_for(tmp_path), DictResolver({}, tempfail=["mail.example.org"])))
    assert [subject.value for subject in found] == ["example.org", "mail.example.org"]
