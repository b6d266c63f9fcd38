"""What is remembered of addresses; how connections and waits are shared out."""

from __future__ import annotations

import asyncio

import pytest
from world import Clock

from gatepost.server.delivery.pace import Pace
from gatepost.server.delivery.slots import Slots
from gatepost.server.delivery.standing import MAX_REMEMBERED, Standing
from gatepost.server.delivery.window import Window

A, B = ("192.0.2.1", 25), ("192.0.2.2", 25)


def test_a_dead_address_is_left_alone_and_longer_each_time() -> None:
    clock = Clock(0.0)
    standing = Standing(30.0, clock)
    pauses = []
    for _ in range(6):
        standing.died(A, "refused")
        start = clock.now
        while standing.why_not(A):
            clock.now += 1
        pauses.append(clock.now - start)
    assert pauses == [30, 60, 120, 240, 480, 600]
    standing.lives(A)
    assert len(standing) == 0


def test_one_finds_out_for_all_whether_it_is_back() -> None:
    clock = Clock(0.0)
    standing = Standing(30.0, clock)
    standing.died(A, "refused")
    clock.now = 31
    assert standing.why_not(A) == ""
    assert standing.why_not(A) == "refused"
    standing.lives(A)
    assert standing.why_not(A) == ""


def test_who_broke_off_comes_last_for_a_while() -> None:
    clock = Clock(0.0)
    standing = Standing(30.0, clock)
    standing.wavered(A)
    standing.lives(A)
    assert standing.in_order([A, B]) == [B, A]
    assert standing.why_not(A) == ""
    clock.now = 400
    assert standing.in_order([A, B]) == [A, B]


def test_memory_is_bounded() -> None:
    standing = Standing(30.0, Clock(0.0))
    for number in range(MAX_REMEMBERED + 10):
        standing.died((f"a{number}", 25), "refused")
    assert len(standing) == MAX_REMEMBERED


def test_a_window_opens_with_success_and_closes_with_failure() -> None:
    window = Window(10)
    assert window.size == 1  # nobody knows it yet
    window.opened()
    assert window.size == 5
    for _ in range(100):
        window.succeeded()
    assert window.size == 10
    window.failed()
    assert window.size == 9
    window.refused_beside(3)
    assert window.size == 3
    for _ in range(20):
        window.failed()
    assert window.size == 1
    window.died()
    assert window.size == 1
    window.opened()
    assert window.size == 5


def test_trials_get_half_of_the_connections_and_those_that_live_the_rest() -> None:
    async def main() -> None:
        slots = Slots(4)
        trials = [asyncio.create_task(slots.take(trial=True)) for _ in range(4)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [task.done() for task in trials] == [True, True, False, False]
        await slots.take(trial=False)
        await slots.take(trial=False)
        late = asyncio.create_task(slots.take(trial=False))
        await asyncio.sleep(0)
        assert slots.is_pressed
        slots.proven()  # frees a trial's place, but no connection
        await asyncio.sleep(0)
        assert not trials[2].done()
        slots.give(trial=False)
        await asyncio.sleep(0)
        assert late.done()
        slots.give(trial=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert trials[2].done()
        assert not trials[3].done()
        trials[3].cancel()
        await asyncio.gather(trials[3], return_exceptions=True)
        for trial in (True, False, False, False):
            slots.give(trial=trial)
        assert (slots.taken, slots.on_trial) == (0, 0)

    asyncio.run(main())


def test_an_idle_connection_ends_when_somebody_needs_it() -> None:
    async def main() -> None:
        slots, ended = Slots(2), []
        await slots.take(trial=False)
        await slots.take(trial=False)

        def end(name: str) -> None:
            ended.append(name)
            slots.give(trial=False)

        slots.idles("first", lambda: end("first"))
        slots.idles("second", lambda: end("second"))
        await slots.take(trial=False)
        assert ended == ["first"]
        slots.works("second")
        waiting = asyncio.create_task(slots.take(trial=False))
        await asyncio.sleep(0)
        assert ended == ["first"]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert not slots.is_pressed

    asyncio.run(main())


@pytest.mark.parametrize(("rate", "longest"), [(0, 600.0), (10, 250.0), (1000, 5.0)])
def test_mail_waits_about_as_long_as_its_lane_needs(rate: int, longest: float) -> None:
    clock = Clock(0.0)
    pace = Pace(clock)
    for _ in range(rate * 2):
        pace.finished()
    clock.now = 2.0
    waits = [pace.seconds(1000) for _ in range(20_000 if not rate else 2000)]
    assert waits == sorted(waits)
    assert waits[0] <= 60
    assert waits[-1] == pytest.approx(longest, rel=0.5)
