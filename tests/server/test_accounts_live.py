"""Accounts that come and go while the gate runs: seen without a reload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from running import NameServer, RunningGate, mail, until


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[RunningGate]:
    dns = NameServer()
    running = RunningGate(tmp_path, dns.port)
    yield running
    running.stop()
    dns.stop()


def rcpt(gate: RunningGate, address: str) -> int:
    with gate.client() as client:
        client.ehlo()
        client.mail("joe@sender.example")
        return client.rcpt(address)[0]


def rcpt_everywhere(gate: RunningGate, address: str, wanted: int) -> bool:
    """Whether every worker, as far as chance shows, answers `wanted`."""
    return all(rcpt(gate, address) == wanted for _ in range(6))


def test_accounts_come_and_go(gate: RunningGate) -> None:
    assert rcpt(gate, "zoe@gate.example") == 550
    (made,) = gate.cli_json("user", "add", "zoe@gate.example")
    until(lambda: rcpt_everywhere(gate, "zoe@gate.example", 250), "the account is known")
    assert gate.send(mail(), "zoe@gate.example")[0] == 250
    assert gate.delivered("zoe")
    gate.cli_json("user", "suspend", "zoe")
    assert rcpt(gate, "zoe@gate.example") == 250
    gate.cli_json("user", "remove", "zoe")
    until(lambda: rcpt_everywhere(gate, "zoe@gate.example", 550), "the account is gone")
    assert rcpt(gate, "bob@gate.example") == 250
    assert made["password"] not in gate.log
