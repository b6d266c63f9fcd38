"""Fixtures with a gate that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running import NameServer, RunningGate

StartGate = Callable[..., RunningGate]


@pytest.fixture(scope="session")
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.stop()


@pytest.fixture
def start_gate(tmp_path: Path, name_server: NameServer) -> Iterator[StartGate]:
    """Starts gates; ends them afterwards."""
    gates: list[RunningGate] = []

    def start(**options: object) -> RunningGate:
        gates.append(RunningGate(tmp_path, name_server.port, **options))  # type: ignore[arg-type]
        return gates[-1]

    yield start
    for gate in gates:
        gate.stop()


@pytest.fixture
def gate(start_gate: StartGate) -> RunningGate:
    """A gate with the usual configuration."""
    return start_gate()
