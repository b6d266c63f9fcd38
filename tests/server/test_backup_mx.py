"""A backup MX: the primary goes away and comes back; what was held arrives in order, and nobody unknown was let in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.config import load_settings
from gatepost.errors import ConfigError
from gatepost.server.plan import check_settings
from next_hop import NextHop
from running import NameServer, RunningGate, free_port, mail, until

NO = "550 5.1.1 no such user"


@pytest.fixture
def primary() -> Iterator[NextHop]:
    server = NextHop()
    server.refuses = {"nobody@away.example": NO}
    yield server
    server.stop()


@pytest.fixture
def gate(tmp_path: Path, name_server: NameServer, primary: NextHop) -> Iterator[RunningGate]:
    running = RunningGate(tmp_path, name_server.port, domain=backup(primary.port), more=MORE)
    yield running
    running.stop()


MORE = "[delivery]\nconnection_idle = 0.1\n[delivery.client]\nconnect_timeout = 2.0\n"


def backup(port: int, more: str = "") -> str:
    """A second domain whose primary listens on `port`."""
    return f'[domains."away.example"]\nprimary = "smtp:127.0.0.1:{port}"\n{more}\n[backup]\nprobe = 0.3\n'


def asked(gate: RunningGate, *recipients: str) -> list[int]:
    """The codes that RCPT gets."""
    with gate.client() as client:
        client.ehlo()
        assert client.mail("joe@sender.example")[0] == 250
        return [client.rcpt(recipient)[0] for recipient in recipients]


def subjects(hop: NextHop) -> list[str]:
    return [taken.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for _, _, taken in hop.taken]


def test_the_primary_goes_away_and_comes_back(gate: RunningGate, primary: NextHop) -> None:
    assert asked(gate, "ann@away.example", "nobody@away.example") == [250, 550]
    assert gate.send(mail("passes"), "ann@away.example")[0] == 250
    until(lambda: subjects(primary) == ["passes"], "it goes on to the primary")
    until(lambda: not any("process_request" in thread.name for thread in threading.enumerate()), "nobody is connected")
    primary.stop()

    # two workers, each with its own memory: what one learnt the other finds in the store
    for _ in range(4):
        assert asked(gate, "ann@away.example", "nobody@away.example", "cat@away.example") == [250, 550, 450]
    for number in range(20):
        assert gate.send(mail(f"held{number}"), "ann@away.example")[0] == 250
    until(lambda: "primary-away" in gate.log, "it is told that the primary is away")
    gate.stop()
    gate.start()
    assert asked(gate, "ann@away.example", "cat@away.example") == [250, 450], "remembered over a restart"
    assert gate.send(mail("held20"), "ann@away.example")[0] == 250

    back = NextHop(primary.port)
    try:
        until(lambda: len(back.taken) == 21, "all that was held arrives without a long wait")
        assert subjects(back) == [f"held{number}" for number in range(21)], "in the order in which it came"
        assert "primary-back" in gate.log
        until(lambda: asked(gate, "cat@away.example") == [250], "whom nobody knew is asked about again")
    finally:
        back.stop()


def test_unknown_recipients_may_be_taken_where_the_administrator_says_so(
    tmp_path: Path, name_server: NameServer
) -> None:
    gate = RunningGate(tmp_path, name_server.port, domain=backup(free_port(), 'primary_unknown = "accept"'), more=MORE)
    try:
        assert asked(gate, "cat@away.example", "postmaster@away.example") == [250, 250]
        assert asked(gate, "cat@elsewhere.example") == [550], "no open relay"
    finally:
        gate.stop()


@pytest.mark.parametrize("primary", ['"maildir"', '"discard"', '"smtp:"', '"mx"\naccounts = ["ann"]'])
def test_a_primary_that_is_none_is_refused(tmp_path: Path, primary: str, name_server: NameServer) -> None:
    path = tmp_path / "gatepost.toml"
    path.write_text(f'hostname = "mx.example"\n[domains."away.example"]\nprimary = {primary}\n')
    with pytest.raises(ConfigError, match=r"away\.example"):
        check_settings(load_settings(path))
