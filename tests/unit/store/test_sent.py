"""Counts of what accounts send: hours that slide, days, several processes, a clock that goes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store.sent import HOUR, Amount, Over, SentCounts

NOW = 500_000 * HOUR + 1800.0  # half past
ONE = Amount(messages=1, recipients=2, new_recipients=1)


@pytest.fixture
def counts(tmp_path: Path) -> SentCounts:
    return SentCounts.open(tmp_path)


def test_what_goes_over_is_not_counted(counts: SentCounts) -> None:
    limits = {"recipients_per_hour": 4}
    assert [counts.count("a", ONE, limits, NOW) for _ in range(3)] == [None, None, Over("recipients_per_hour", 4, 6)]
    assert counts.today("a", NOW) == Amount(messages=2, recipients=4, new_recipients=2)
    assert counts.count("b", ONE, limits, NOW) is None


def test_an_hour_slides_and_a_day_ends(counts: SentCounts) -> None:
    for _ in range(4):
        counts.count("a", ONE, {}, NOW)
    hourly, daily = {"messages_per_hour": 4}, {"messages_per_day": 4}
    assert counts.count("a", ONE, hourly, NOW + HOUR / 2 + 60) is not None  # nearly all of them are within reach
    assert counts.count("a", ONE, hourly, NOW + HOUR) is None  # half of them are
    assert counts.count("a", ONE, daily, NOW + 23 * HOUR) is not None
    assert counts.count("a", ONE, daily, NOW + 49 * HOUR) is None


def test_processes_share_the_counts_and_a_restart_keeps_them(counts: SentCounts, tmp_path: Path) -> None:
    other = SentCounts.open(tmp_path)
    limits = {"new_recipients_per_day": 2}
    assert counts.count("a", ONE, limits, NOW) is None
    assert other.count("a", ONE, limits, NOW) is None
    assert counts.count("a", ONE, limits, NOW) is not None
    counts.close()
    again = SentCounts.open(tmp_path)
    assert again.count("a", ONE, limits, NOW) is not None
    again.forget("a")
    assert other.count("a", ONE, limits, NOW) is None


def test_a_clock_that_goes_back_gives_nothing_away(counts: SentCounts) -> None:
    counts.count("a", ONE, {}, NOW)
    assert counts.count("a", ONE, {"messages_per_day": 1}, NOW - 100 * HOUR) is not None


def test_bad_messages(counts: SentCounts) -> None:
    assert counts.note_bad("a", 2, NOW) is None
    assert counts.note_bad("a", 2, NOW + HOUR) == Over("bad_messages_per_day", 2, 2)
    assert counts.note_bad("a", 0, NOW) is None
    assert counts.note_bad("a", 2, NOW + 30 * HOUR) is None
