"""Each reception process has a core of its own, whoever dies or is started anew; the sandbox's children have all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running import RunningGate, mail, until


@pytest.fixture
def cores() -> Iterator[frozenset[int]]:
    """The two cores that what this test starts may run on."""
    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("this machine has one core only")
    two = frozenset(sorted(before)[:2])
    os.sched_setaffinity(0, two)
    yield two
    os.sched_setaffinity(0, before)


def bound(gate: RunningGate) -> dict[int, int]:
    """The processes of the gate that may run on one core only, with that core."""
    places = {pid: os.sched_getaffinity(pid) for pid in gate.children()}
    return {pid: next(iter(place)) for pid, place in places.items() if len(place) == 1}


def nursery_places(gate: RunningGate) -> list[set[int]]:
    """Where the nurseries below the bound processes may run."""
    below = [int(p) for pid in bound(gate) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [os.sched_getaffinity(pid) for pid in below]


def test_workers_have_a_core_each_and_their_sandboxes_have_all(
    cores: frozenset[int], start_gate: Callable[..., RunningGate]
) -> None:
    gate = start_gate()
    assert set(bound(gate).values()) == cores
    assert gate.send(mail("hello", more="Content-Type: text/html\n", body="<p>Hello.</p>"))[0] == 250
    until(lambda: set(cores) in nursery_places(gate), "a nursery that is not bound")

    killed, core = next(iter(bound(gate).items()))
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in bound(gate) and len(bound(gate)) == 2, "another one takes its place")
    assert set(bound(gate).values()) == cores, f"the new one has core {core} again"

    before = bound(gate)
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: len(bound(gate)) == 2 and not set(bound(gate)) & set(before), "the next generation serves alone")
    assert set(bound(gate).values()) == cores


def test_workers_go_anywhere_when_asked_to(cores: frozenset[int], start_gate: Callable[..., RunningGate]) -> None:
    gate = start_gate()
    gate.config.write_text(gate.config.read_text().replace("workers = 2", "workers = 2\npin_workers = false"))
    before = set(gate.children())
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: not before & set(gate.children()), "only the next generation is left")
    assert len(gate.children()) == len(before)
    assert not bound(gate)
