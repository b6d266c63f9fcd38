"""Policies: when one is fetched, when a kept one holds, what a failure leaves; RFC 8461 §3.3 and §5.1 step by step."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes import DictResolver
from gatepost.msgauth.sts import StsMode
from gatepost.ports.pages import Page
from gatepost.server.delivery.sts import FAILED_FOR, REFRESH, Sts, StsPolicies
from gatepost.server.logs import Log
from gatepost.store.sts import KeptPolicy, StsStore

DOMAIN = "example.org"
URL = "https://mta-sts.example.org/.well-known/mta-sts.txt"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmax_age: 604800\r\n"
WEEK = 604_800.0
GOOD = Page(url=URL, status=200, content_type="text/plain", body=POLICY)


class World:
    """A domain, a web server, a clock; `fetched` are the addresses that were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_800_000_000.0
        self.page = GOOD
        self.fetched: list[str] = []
        self.resolver = DictResolver({f"_mta-sts.{DOMAIN}": {"TXT": b"v=STSv1; id=1"}})
        self.store = StsStore.open(folder)
        self.log = folder / "log"
        self._log = os.open(self.log, os.O_CREAT | os.O_WRONLY)
        self.policies = self.fresh()

    def fresh(self) -> StsPolicies:
        """As after a restart."""
        return StsPolicies(self.resolver, self, self.store, Log("info", fd=self._log), lambda: self.now)

    def record(self, *texts: bytes, broken: bool = False) -> None:
        name = f"_mta-sts.{DOMAIN}"
        self.resolver = DictResolver({name: {"TXT": texts}} if texts else {}, tempfail=[name] if broken else [])
        self.policies = self.fresh()

    async def fetch(self, url: str, *, deadline: float, max_octets: int) -> Page:
        assert (deadline, max_octets) == (60.0, 65536)
        await asyncio.sleep(0)
        self.fetched.append(url)
        return self.page

    def find(self) -> Sts:
        return asyncio.run(self.policies.find(DOMAIN))

    def later(self, seconds: float) -> Sts:
        self.now += seconds
        return self.find()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_policy_is_fetched_once_and_kept_over_a_restart(world: World) -> None:
    found = world.find()
    assert found.policy is not None
    assert (found.policy.mode, found.policy.mx, found.failure) == (StsMode.ENFORCE, ("*.example.org",), "")
    world.find()
    world.store.close()
    world.store = StsStore.open(world.folder)
    world.policies = world.fresh()
    assert world.find().policy is not None
    assert world.fetched == [URL]


def test_all_who_ask_at_once_share_one_fetch(world: World) -> None:
    async def main() -> list[Sts]:
        return await asyncio.gather(*(world.policies.find(DOMAIN) for _ in range(20)))

    assert all(one.policy for one in asyncio.run(main()))
    assert len(world.fetched) == 1


def test_a_new_id_and_a_new_day_fetch_again(world: World) -> None:
    world.find()
    world.later(REFRESH - 1)
    assert len(world.fetched) == 1
    world.later(2)
    assert len(world.fetched) == 2
    world.record(b"v=STSv1; id=2")
    world.find()
    assert len(world.fetched) == 3


@pytest.mark.parametrize(
    "without",
    [
        lambda world: world.record(),
        lambda world: world.record(broken=True),
        lambda world: world.record(b"v=STSv1; id=1", b"v=STSv1; id=2"),
        lambda world: world.record(b"v=STSv1; id=not valid"),
        lambda world: setattr(world, "page", Page(url=URL, status=404, reason="the server answers 404")),
    ],
)
def test_what_is_kept_holds_until_it_is_over_whoever_blocks_the_rest(
    world: World, without: Callable[[World], None]
) -> None:
    world.find()
    without(world)
    assert world.later(WEEK - 1).policy is not None
    assert world.later(2).policy is None


def test_a_failed_fetch_is_remembered_for_five_minutes(world: World) -> None:
    world.page = Page(url=URL, reason="no connection")
    assert world.find() == Sts(failure=f"sts-policy-fetch-error: {URL}: no connection")
    world.page = GOOD
    assert world.later(FAILED_FOR - 1).policy is None
    assert world.later(2).policy is not None
    assert len(world.fetched) == 2


@pytest.mark.parametrize(
    ("page", "failure"),
    [
        (Page(url=URL, reason="its certificate does not do: self-signed"), "sts-webpki-invalid"),
        (Page(url=URL, status=301, location="https://a/", reason="points elsewhere"), "sts-policy-fetch-error"),
        (Page(url=URL, status=204, content_type="text/plain"), "sts-policy-fetch-error"),
        (Page(url=URL, status=200, content_type="text/html", body=POLICY), "sts-policy-invalid"),
        (Page(url=URL, status=200, content_type="text/plain", body=b"x"), "sts-policy-invalid"),
        (Page(url=URL, status=200, content_type="text/plain", body=b"\xff"), "sts-policy-invalid"),
        (Page(url=URL, status=200, content_type="text/plain", body=POLICY + b"mx: *.*.org\n"), "sts-policy-invalid"),
    ],
)
def test_what_is_no_policy_is_told(world: World, page: Page, failure: str) -> None:
    world.page = page
    found = world.find()
    assert found.policy is None
    assert found.failure.startswith(failure)
    assert failure in world.log.read_text()


def test_a_failed_renewal_is_told_and_keeps_the_policy(world: World) -> None:
    world.find()
    world.page = Page(url=URL, reason="no connection")
    found = world.later(REFRESH + 1)
    assert found.policy is not None
    assert found.failure.startswith("sts-policy-fetch-error")


def test_mode_none_takes_back(world: World) -> None:
    world.find()
    world.page = Page(url=URL, status=200, content_type="text/plain", body=b"version: STSv1\nmode: none\nmax_age: 60")
    world.record(b"v=STSv1; id=2")
    found = world.find()
    assert found.policy is not None
    assert found.policy.mode is StsMode.NONE


def test_no_record_asks_nobody(world: World) -> None:
    world.record()
    assert world.find() == Sts()
    assert world.fetched == []


def test_the_store_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.store.sts.MAX_DOMAINS", 10)
    monkeypatch.setattr("gatepost.store.sts._PRUNE_EVERY", 2)
    store = StsStore.open(tmp_path)
    for number in range(51):
        store.keep(f"d{number}.example", KeptPolicy(id="1", body=b"x", fetched=1, expires=1e6), float(number))
    assert store.find("d50.example").body == b"x"
    assert store.find("d1.example") == KeptPolicy()
    store.keep("late.example", KeptPolicy(expires=1.0), 2e6)
    store.keep("later.example", KeptPolicy(expires=3e6), 2e6)
    assert store.find("d50.example") == KeptPolicy()
