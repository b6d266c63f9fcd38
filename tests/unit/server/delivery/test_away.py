"""Copies that found their lane full: written down together, fetched in order, bounded."""

from __future__ import annotations

import pytest

from gatepost.server.delivery import away
from gatepost.server.delivery.away import Away
from gatepost.server.delivery.routes import parse_route
from gatepost.store.spool.spooled import Outcome, State

HERE, THERE = parse_route("smtp:here.example:25"), parse_route("smtp:there.example:25")


def outcome(number: int) -> Outcome:
    return Outcome(id=f"{number:012}", position=0, state=State.QUEUED, next_try=1000.0 + number, tried=False)


def test_what_was_put_off_is_written_once_and_again_where_that_failed() -> None:
    book = Away()
    book.put(HERE, [outcome(1)])
    book.put(THERE, [outcome(2)])
    fresh = book.take_fresh()
    assert [one.next_try for one in fresh] == [1001.0, 1002.0]
    assert book.take_fresh() == []
    book.give_back(fresh)
    book.put(HERE, [outcome(3)])
    assert [one.next_try for one in book.take_fresh()] == [1001.0, 1002.0, 1003.0]


def test_a_lane_with_room_gets_its_own_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "AT_ONCE", 2)
    book = Away()
    for number in range(3):
        book.put(HERE, [outcome(number)])
    book.put(THERE, [outcome(9)])
    found = book.fetch(lambda route: route == HERE)
    assert [(one.id, one.next_try) for one in found] == [("0" * 12, 0.0), ("0" * 11 + "1", 0.0)]
    assert [one.id for one in book.fetch(lambda route: True)] == ["0" * 11 + "2", "0" * 11 + "9"]
    assert book.fetch(lambda route: True) == []


def test_memory_is_bounded_and_what_is_beyond_comes_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "REMEMBERED", 5)
    book = Away()
    for number in range(9):
        book.put(HERE, [outcome(number)])
    assert len(book.take_fresh()) == 9, "all is written down"
    assert len(book.fetch(lambda route: True)) == 5
    book.put(HERE, [outcome(10)])
    assert len(book.fetch(lambda route: True)) == 1
