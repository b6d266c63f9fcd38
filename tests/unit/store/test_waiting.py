"""Waiting mail in bulk: what a selection means, what a change does, beside a delivery that has copies in hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.errors import StoreError
from gatepost.names import Envelope, Recipient, Session
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import NewMessage, Outcome, Spool, SpoolShard, State, quarantine, waiting
from gatepost.store.spool.owner import is_delivering
from gatepost.store.spool.waiting import Selection

NOW = 1_790_000_000.0
SETTINGS = SpoolSettings(reserve=0)
ALL = Selection()


class House:
    """Two shards, a delivery process and an administrator beside it."""

    def __init__(self, folder: Path) -> None:
        self.shards = [SpoolShard.open(folder, number, SETTINGS) for number in range(2)]
        self.delivery = Spool.open(folder, SETTINGS, now=NOW, exclusive=True)
        self.admin = Spool.open(folder, SETTINGS, now=NOW)

    def add(self, *recipients: str, at: float = NOW, mail_from: str = "bob@sender.example", size: int = 1) -> str:
        shard = self.shards[int(at) % 2]
        new = NewMessage(
            id=shard.next_id(at),
            envelope=Envelope(mail_from=mail_from, recipients=tuple(Recipient(address=one) for one in recipients)),
            session=Session(received_at=at),
            body=b"x" * size,
        )
        shard.add_many([new])
        return new.id

    def ids(self, selection: Selection = ALL, order: str = "oldest", limit: int = 1000) -> list[str]:
        return [spooled.id for spooled in waiting.search(self.admin, selection, order, limit)]

    def defer(self, message_id: str, reply: str, next_try: float, now: float = NOW) -> None:
        given = self.delivery.get(message_id)
        assert given is not None
        outcomes = [
            Outcome(id=message_id, position=r.position, state=State.QUEUED, reply=reply, next_try=next_try, relay="hop")
            for r in given.in_state(State.QUEUED)
        ]
        self.delivery.record(outcomes, now)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path)
    yield opened
    for one in (opened.admin, opened.delivery, *opened.shards):
        one.close()


def test_selections(house: House) -> None:
    old = house.add("ann@A.example", "eve@b.example", at=NOW - 7200, size=10)
    new = house.add("cat@b.example", at=NOW - 61, mail_from="shop@other.example", size=30)
    third = house.add("x@sub.b.example", at=NOW - 30, size=20)
    house.defer(new, "4.7.1 451 Greylisted, %_", NOW + 60)
    assert house.ids() == [old, new, third]
    assert house.ids(order="newest") == [third, new, old]
    assert house.ids(order="largest") == [new, third, old]
    assert house.ids(order="next") == [old, third, new]
    assert house.ids(order="newest", limit=2) == [third, new]
    for selection, ids in (
        (Selection(domain="B.example"), [old, new]),
        (Selection(domain="a.example"), [old]),
        (Selection(domain="example"), []),
        (Selection(domain="%.example"), []),
        (Selection(mail_from="SHOP@"), [new]),
        (Selection(rcpt_to="cat"), [new]),
        (Selection(address="EVE@b.example"), [old]),
        (Selection(address="ve@b.example"), []),
        (Selection(reply="greylisted, %_"), [new]),
        (Selection(before=NOW - 3600), [old]),
        (Selection(since=NOW - 3600, domain="b.example"), [new]),
        (Selection(ids=(old, third, "nonsense")), [old, third]),
        (Selection(ids=("nonsense",)), []),
        (Selection(states=(State.HELD,)), []),
    ):
        assert house.ids(selection) == ids, selection


def test_changes_are_for_the_copies_that_were_meant(house: House) -> None:
    first = house.add("ann@a.example", "eve@b.example")
    second = house.add("cat@b.example", at=NOW - 1)
    held = waiting.change(house.admin, Selection(domain="b.example"), waiting.HOLD)
    assert sorted(held) == sorted([(first, "eve@b.example"), (second, "cat@b.example")])
    assert waiting.change(house.admin, Selection(domain="b.example"), waiting.HOLD) == []
    assert waiting.change(house.admin, ALL, waiting.RETRY) == [(first, "ann@a.example")]
    assert waiting.change(house.admin, Selection(ids=(second,)), waiting.UNHOLD) == [(second, "cat@b.example")]
    assert len(waiting.change(house.admin, ALL, waiting.DROP)) == 3
    assert house.ids() == []
    assert house.admin.get(first) is None, "what is finished leaves"


def test_many_are_changed_some_thousand_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_AT_ONCE", 3)
    ids = [house.add(f"r{n}@a.example", at=NOW - n) for n in range(10)]
    assert {one for one, _ in waiting.change(house.admin, ALL, waiting.HOLD)} == set(ids)
    assert len(house.ids(Selection(states=(State.HELD,)))) == 10


def test_another_way_stands_against_what_is_under_way(house: House) -> None:
    message_id = house.add("ann@a.example")
    (under_way,) = house.delivery.due(NOW)
    waiting.change(house.admin, ALL, waiting.reroute("smtp:relay.example:25"))
    assert house.delivery.due(NOW) == [], "it is still in hand"
    house.defer(message_id, "4.4.1 dead", NOW + 600)
    (again,) = house.delivery.due(NOW)
    copy = again.recipients[0]
    assert (copy.route, copy.is_demanded, copy.last_relay) == ("smtp:relay.example:25", True, "hop")
    outcome = Outcome(id=message_id, position=0, state=State.QUEUED, next_try=NOW + 600, route=copy.route)
    house.delivery.record([outcome], NOW)
    assert house.delivery.due(NOW) == [], "tried by the new way: as usual again"
    waiting.change(house.admin, ALL, waiting.reroute(""))
    assert house.delivery.due(NOW)[0].recipients[0].route == ""
    assert under_way.recipients[0].route == ""


def test_a_return_stands_against_what_is_under_way_and_ends_with_a_release(house: House) -> None:
    message_id = house.add("ann@a.example")
    house.delivery.due(NOW)
    waiting.change(house.admin, ALL, waiting.bounce("no longer here"))
    house.defer(message_id, "4.4.1 dead", NOW + 600)
    (given,) = house.delivery.due(NOW)
    assert given.recipients[0].bounce == "no longer here"
    house.delivery.record([Outcome(id=message_id, position=0, state=State.QUARANTINED)], NOW)
    quarantine.release(house.admin, message_id, NOW)
    assert house.delivery.due(NOW)[0].recipients[0].bounce == ""


def test_what_was_delivered_meanwhile_stays_delivered(house: House) -> None:
    message_id = house.add("ann@a.example", "bob@a.example")
    house.delivery.due(NOW)
    waiting.change(house.admin, ALL, waiting.bounce("no"))
    house.delivery.record([Outcome(id=message_id, position=0, state=State.DELIVERED)], NOW)
    assert waiting.change(house.admin, ALL, waiting.HOLD) == [(message_id, "bob@a.example")]


def test_what_waits_in_memory_is_taken_back_before_it_is_sent(house: House) -> None:
    ids = [house.add(f"r{n}@a.example") for n in range(4)]
    house.delivery.due(NOW)
    house.defer(ids[0], "4.2.2 full", NOW - 1)
    house.delivery.due(NOW)
    waiting.change(house.admin, Selection(ids=(ids[0],)), waiting.HOLD)
    waiting.change(house.admin, Selection(ids=(ids[1],)), waiting.DROP)
    waiting.change(house.admin, Selection(ids=(ids[2],)), waiting.bounce("no"))
    for message_id in ids[:3]:
        with pytest.raises(StoreError):
            house.delivery.body_to_send(message_id)
    assert house.delivery.body_to_send(ids[3]) == b"x"
    house.delivery.record([Outcome(id=ids[0], position=0, state=State.QUEUED, reply="4.3.0 taken back")], NOW)
    (held,) = waiting.search(house.admin, Selection(states=(State.HELD,)))
    assert held.recipients[0].last_reply == "4.2.2 full", "what the other side said last is kept"


def test_piles_are_by_destination_and_age(house: House) -> None:
    late = house.add("d@a.example", at=NOW - 90_000, mail_from="")
    house.add("a@a.example", "b@A.example", "c@b.example", at=NOW - 60)
    house.defer(late, "4.2.2 452 full", NOW + 99, NOW - 5)
    waiting.change(house.admin, Selection(address="c@b.example"), waiting.HOLD)
    found = waiting.piles(house.admin, ALL, NOW)
    assert list(found) == ["a.example", "b.example"]
    pile = found["a.example"]
    assert (pile.copies, pile.held, pile.next_try, pile.reply) == (3, 0, 0.0, "4.2.2 452 full")
    assert (pile.ages[0], pile.ages[-1], sum(pile.ages)) == (2, 1, 3)
    assert pile.oldest == pytest.approx(NOW - 90_000, abs=1)
    assert (found["b.example"].held, found["b.example"].next_try) == (1, None)
    assert set(waiting.piles(house.admin, ALL, NOW, "sender")) == {"sender.example", "<>"}
    assert set(waiting.piles(house.admin, ALL, NOW, "reply")) == {"not tried yet", "4.2.2 452 full"}


def test_whether_a_delivery_process_is_at_work(tmp_path: Path) -> None:
    assert is_delivering(tmp_path) is False
    spool = Spool.open(tmp_path, SETTINGS, now=NOW, exclusive=True)
    assert is_delivering(tmp_path) is True
    spool.close()
    assert is_delivering(tmp_path) is False


def test_orders_are_those_that_can_be_asked_for() -> None:
    assert replace(ALL, domain="x").condition()[1][-1] == "@x"
    assert waiting.ORDERS == ("oldest", "newest", "next", "largest")
