"""Whom the primary knows: believed, asked again, remembered while it is away, and never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.server.backup.recipients import PrimaryRecipients
from gatepost.server.backup.settings import BackupSettings
from gatepost.server.callforward import Known, Verdict
from gatepost.store.batches import BatchWriter
from gatepost.store.recipients import Answer, KnownRecipients

DAY = 86400.0
ANN = "ann@away.example"
YES, NO, AWAY = Verdict(Known.YES, "250"), Verdict(Known.NO, "550"), Verdict(Known.UNSURE, "dead", reached=False)


class World:
    """A primary that says `says`, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.says, self.questions = folder, 1_790_000_000.0, YES, 0
        self.known = self.opened()

    def opened(self) -> PrimaryRecipients:
        writer = BatchWriter[Answer](KnownRecipients.open(self.folder))
        store = KnownRecipients.open(self.folder)
        return PrimaryRecipients(self.ask, store, writer, BackupSettings(), lambda: self.now, lambda: self.now)

    def restart(self) -> None:
        self.known.close()
        self.known = self.opened()

    async def ask(self, route: str, address: str) -> Verdict:
        self.questions += 1
        await asyncio.sleep(0)
        return self.says

    def check(self, address: str = ANN) -> Known:
        return asyncio.run(self.known.check("smtp:primary", address)).known


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.known.close()


def test_a_yes_outlives_the_primarys_absence_and_a_restart(world: World) -> None:
    assert world.check() is Known.YES
    world.says = AWAY
    world.restart()
    for days, known in ((0.5, Known.YES), (59, Known.YES), (61, Known.UNSURE)):
        world.now = 1_790_000_000.0 + days * DAY
        assert world.check() is known, days


def test_a_no_is_believed_for_an_hour_and_then_unsure_while_the_primary_is_away(world: World) -> None:
    world.says = NO
    assert world.check() is Known.NO
    world.says = AWAY
    world.now += 3599
    assert world.check() is Known.NO
    world.now += 2
    assert world.check() is Known.UNSURE


def test_who_is_known_is_asked_for_again_after_a_day(world: World) -> None:
    world.check()
    world.says, world.now = NO, world.now + DAY - 1
    assert (world.check(), world.questions) == (Known.YES, 1)
    world.now += 2
    assert (world.check(), world.questions) == (Known.NO, 2)


def test_a_primary_that_is_away_is_not_called_for_every_client(world: World) -> None:
    world.says = AWAY
    assert [world.check(f"r{n}@away.example") for n in range(5)] == [Known.UNSURE] * 5
    assert world.questions == 1
    world.says, world.now = YES, world.now + 31
    assert world.check() is Known.YES


def test_a_later_of_one_recipient_is_not_absence(world: World) -> None:
    world.says = Verdict(Known.UNSURE, "450 4.2.1 busy")
    world.check()
    world.check("bob@away.example")
    assert world.questions == 2


def test_a_clock_that_was_put_back_asks_again(world: World) -> None:
    world.check()
    world.now -= DAY
    world.check()
    assert world.questions == 2


def test_many_who_wait_share_one_question(world: World) -> None:
    async def all_at_once() -> list[Verdict]:
        return await asyncio.gather(*(world.known.check("smtp:primary", ANN) for _ in range(20)))

    assert {one.known for one in asyncio.run(all_at_once())} == {Known.YES}
    assert world.questions == 1


def test_rows_are_bounded_and_guesses_push_nobody_out(tmp_path: Path) -> None:
    store = KnownRecipients.open(tmp_path, max_rows=100)
    store.keep([Answer(f"known{n}@x", True, n) for n in range(150)])
    store.keep([Answer(f"guess{n}@x", False, 1000 + n) for n in range(500)])
    assert store.get("known0@x") is None
    assert store.get("known149@x") == Answer("known149@x", True, 149)
    assert store.get("guess489@x") is None
    assert store.get("guess499@x") is not None
    store.close()
