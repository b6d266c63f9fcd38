"""What the journeys share: gates of their own, and a next hop that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from next_hop import NextHop
from running import NameServer, RunningGate

StartGate = Callable[..., RunningGate]


@pytest.fixture
def next_hop() -> Iterator[NextHop]:
    hop = NextHop()
    yield hop
    hop.stop()


@pytest.fixture(scope="module")
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def start_gate(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[StartGate]:
    """Starts gates, each in a folder of its own; ends them when the module is through."""
    gates: list[RunningGate] = []

    def start(**options: object) -> RunningGate:
        gates.append(RunningGate(tmp_path_factory.mktemp("gate"), name_server.port, **options))  # type: ignore[arg-type]
        return gates[-1]

    yield start
    for gate in gates:
        gate.stop()


@pytest.fixture(scope="module")
def gate(start_gate: StartGate) -> RunningGate:
    """A gate with the usual configuration, shared by a module's journeys."""
    return start_gate()
