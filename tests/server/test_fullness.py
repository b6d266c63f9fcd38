"""A full queue refuses at the door: 421 to who connects, 452 to a message that would not fit; and takes mail again."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.server.fullness import BELIEVED, FillTable, Fullness
from gatepost.store.database import free_space
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool.fill import Fill
from running import NameServer, RunningGate, free_port, mail, until

MIB = 1 << 20


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[RunningGate]:
    """Three copies may wait, and nobody takes them; the spool may have 10 MB."""
    running = RunningGate(
        tmp_path_factory.mktemp("full"),
        name_server.port,
        domain=f'route = "smtp:127.0.0.1:{free_port()}"',
        more=f"[store.spool]\nmax_queued = 3\nmax_octets = {10 * MIB}",
        monitor=True,
    )
    yield running
    running.stop()


def greeting(gate: RunningGate) -> tuple[int, str]:
    """How a connection is greeted."""
    with smtplib.SMTP(timeout=20) as client:
        code, text = client.connect("127.0.0.1", gate.port)
        if code == 421:
            client.close()
        return code, text.decode()


def test_a_message_that_would_not_fit_is_refused_before_it_is_sent(gate: RunningGate) -> None:
    with gate.client() as client:
        client.ehlo()
        code, text = client.docmd(f"MAIL FROM:<joe@sender.example> SIZE={20 * MIB}")
        assert (code, text[:5]) == (452, b"4.3.1")
        assert client.docmd(f"MAIL FROM:<joe@sender.example> SIZE={MIB}")[0] == 250


def test_a_full_queue_is_421_for_all_workers_until_there_is_room(gate: RunningGate) -> None:
    with gate.client() as inside:
        inside.ehlo()
        for number in range(3):
            assert gate.send(mail(f"waits{number}"))[0] == 250
        until(lambda: greeting(gate)[0] == 421, "the queue is full")
        assert all(greeting(gate) == (421, "4.3.1 No room for mail now, try again later") for _ in range(8))
        assert inside.mail("joe@sender.example")[0] == 452, "who was in already hears it at MAIL"
    assert gate.log.count("spool-full") <= 4, "once a minute in each worker and reply"
    assert "max_queued is 3" in gate.log
    assert gate.cli("queue", "drop", "--all")[0] == 0
    until(lambda: greeting(gate)[0] == 220, "there is room again")
    assert gate.send(mail("again"))[0] == 250


class World:
    """What `Fullness` sees."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.now, self.in_flight, self.table = 0.0, 0, FillTable()
        self.fullness = Fullness(
            folder, SpoolSettings(**settings), self.table, lambda: self.in_flight, lambda: self.now
        )


def test_limits_of_zero_are_none(tmp_path: Path) -> None:
    world = World(tmp_path, reserve=0, max_queued=0, max_octets=0)
    world.table.set(Fill(copies=1 << 40, octets=1 << 50))
    assert not world.fullness.reason()
    assert not world.fullness.reason(1 << 20)


def test_what_is_on_its_way_in_counts(tmp_path: Path) -> None:
    world = World(tmp_path, reserve=0, max_octets=100 * MIB)
    world.table.set(Fill(octets=50 * MIB))
    assert not world.fullness.reason(30 * MIB)
    world.in_flight = 30 * MIB
    assert "max_octets" in world.fullness.reason(30 * MIB)
    assert not world.fullness.reason(), "some message may still fit"


def test_the_reserve_of_the_disk_and_room_in_the_databases(tmp_path: Path) -> None:
    free = free_space(tmp_path)
    world = World(tmp_path, reserve=free + 1000 * MIB)
    assert "reserve" in world.fullness.reason()
    world.table.set(Fill(reusable=1100 * MIB))
    world.now += BELIEVED
    assert not world.fullness.reason()
    assert "reserve" in world.fullness.reason(200 * MIB)


def test_the_log_hears_of_it_once_a_minute(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.fullness.should_tell()
    assert not world.fullness.should_tell()
    world.now += 60
    assert world.fullness.should_tell()
