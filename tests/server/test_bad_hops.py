"""Next hops gone bad: mail waits with the reason and the time of the next try; nothing is lost and nothing hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bad_hop import HABITS, BadHop
from running import NameServer, RunningGate, mail, until
from stranger import resident

NAMES = {name: f"h{number}.example" for number, name in enumerate(HABITS)}
CLIENT = """
[delivery]
hop_pause = 5.0
[delivery.client]
connect_timeout = 2.0
greeting_timeout = 2.0
command_timeout = 2.0
data_timeout = 2.0
block_timeout = 2.0
end_timeout = 2.0
quit_timeout = 0.5
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[RunningGate]:
    """One gate whose domains each lead to a hop with another habit."""
    hops = {name: BadHop(habit) for name, habit in HABITS.items()}
    tables = "".join(
        f'[domains."{NAMES[name]}"]\nrecipients = "any"\nroute = "smtp:127.0.0.1:{hop.port}"\n'
        for name, hop in hops.items()
    )
    gate = RunningGate(tmp_path_factory.mktemp("hops"), name_server.port, domain=tables, more=CLIENT)
    yield gate
    gate.stop()
    for hop in hops.values():
        hop.stop()


@pytest.mark.parametrize("name", HABITS)
def test_mail_waits_and_the_reason_is_shown(gate: RunningGate, name: str) -> None:
    address = f"x@{NAMES[name]}"
    before = resident(gate.children())
    assert gate.send(mail(name.replace(" ", "-")), address)[0] == 250

    def tried() -> bool:
        found = gate.cli_json("queue", "list", "--to", address)
        return bool(found) and found[0]["recipients"][0]["attempts"] > 0

    until(tried, "a try", 20)
    waiting = gate.cli_json("queue", "list", "--to", address)[0]["recipients"][0]
    assert waiting["state"] == "queued"
    assert waiting["next_try"] > time.time()
    assert len(waiting["last_reply"]) > 5
    assert waiting["last_reply"].isprintable()
    shown = gate.cli("queue", "list", "--to", address)[1]
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert resident(gate.children()) - before < 20 << 20
    assert gate.send(mail("good"))[0] == 250
    for word in ("Traceback", "process-failed", "our mistake", "never retrieved"):
        assert word not in gate.log, gate.log[-3000:]
    assert all(line.isprintable() for line in gate.log.splitlines())


def test_a_stop_does_not_wait_for_a_hop_that_hangs(tmp_path: Path, name_server: NameServer) -> None:
    hop = BadHop(lambda sock: time.sleep(60))
    gate = RunningGate(tmp_path, name_server.port, domain=f'route = "lmtp:127.0.0.1:{hop.port}"')
    try:
        assert gate.send(mail("hang"))[0] == 250
        until(lambda: hop.calls > 0, "a call")
        gate.process.terminate()
        assert gate.process.wait(20) == 0
        assert "process-killed" not in gate.log
        gate.start()
        assert len(gate.cli_json("queue", "list")) == 1
    finally:
        gate.stop()
        hop.stop()
