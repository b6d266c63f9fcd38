"""Reloads, stops and crashes while mail comes in: nothing that was answered 250 is lost, nothing arrives twice."""

from __future__ import annotations

import os
import random
import signal
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from running import RunningGate, mail, until

StartGate = Callable[..., RunningGate]


class Senders:
    """Sessions in threads, each with `count` messages; `accepted` holds the subjects answered 250."""

    def __init__(self, gate: RunningGate, sessions: int, count: int) -> None:
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self._gate = gate
        self._threads = [threading.Thread(target=self._session, args=(n, count)) for n in range(sessions)]
        for thread in self._threads:
            thread.start()

    def _session(self, number: int, count: int) -> None:
        left = [f"mail-{number}-{n}-{random.getrandbits(32):x}" for n in range(count)]
        for _ in range(20):
            try:
                with self._gate.client() as client:
                    while left:
                        code, text = self._send(client, left[0])
                        (self.accepted if code == 250 else self.refused).append(left.pop(0) if code != 421 else text)
            except (OSError, smtplib.SMTPException) as error:
                self.refused.append(repr(error))
                time.sleep(0.2)
            if not left:
                return

    @staticmethod
    def _send(client: smtplib.SMTP, subject: str) -> tuple[int, str]:
        client.ehlo_or_helo_if_needed()
        for code, text in (client.mail("joe@sender.example"), client.rcpt("ann@gate.example")):
            if code != 250:
                client.rset()
                return code, text.decode()
        code, text = client.data(mail(subject))
        return code, text.decode()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()


def subjects(paths: list[Path]) -> Counter[str]:
    return Counter(path.read_bytes().partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for path in paths)


def account(gate: RunningGate, senders: Senders) -> None:
    """Every message answered 250 is in the mailbox, once; no other is, but for those whose answer was cut off."""
    until(lambda: gate.cli_json("queue", "list") == [], "an empty queue", 60)
    found = subjects(gate.mailbox("ann"))
    assert set(senders.accepted) <= set(found)
    assert all(count == 1 for subject, count in found.items() if subject in set(senders.accepted))
    assert "Traceback" not in gate.log
    assert "process-failed" not in gate.log


def test_fifty_sessions_of_twenty_messages(gate: RunningGate) -> None:
    senders = Senders(gate, 50, 20)
    senders.join()
    assert len(senders.accepted) == 1000, senders.refused[:5]
    account(gate, senders)
    assert sum(subjects(gate.mailbox("ann")).values()) == 1000


def test_two_reloads_in_quick_succession_while_mail_comes_in(gate: RunningGate) -> None:
    senders = Senders(gate, 20, 20)
    for pause in (0.0, 0.02, 0.3):
        gate.process.send_signal(signal.SIGHUP)
        time.sleep(pause)
    senders.join()
    assert len(senders.accepted) == 400, senders.refused[:5]
    assert senders.refused == []
    until(lambda: gate.log.count(" reloaded ") >= 1, "the reload")
    until(lambda: len(gate.children()) == 3, "the old processes have left")
    account(gate, senders)


def test_a_stop_while_mail_comes_in_loses_nothing(gate: RunningGate) -> None:
    senders = Senders(gate, 10, 30)
    until(lambda: len(senders.accepted) > 20, "mail comes in")
    gate.process.send_signal(signal.SIGTERM)
    assert gate.process.wait(30) == 0
    gate.start()
    senders.join()
    account(gate, senders)


def test_kill_of_the_delivery_process_while_it_delivers(gate: RunningGate) -> None:
    senders = Senders(gate, 10, 40)
    for _ in range(3):
        until(lambda: delivery(gate) != [], "a delivery process")
        time.sleep(random.uniform(0, 0.2))
        for pid in delivery(gate):
            os.kill(pid, signal.SIGKILL)
    senders.join()
    assert len(senders.accepted) == 400, senders.refused[:5]
    account(gate, senders)


def delivery(gate: RunningGate) -> list[int]:
    """The process that holds the lock of delivery, if it is there."""
    for pid in gate.children():
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(fd).endswith("delivery.owner"):
                    return [pid]
            except FileNotFoundError:
                pass
    return []


def test_reloads_without_end_are_refused_when_old_sessions_fill_all_places(gate: RunningGate) -> None:
    idle: list[smtplib.SMTP] = []
    refused = 0
    for _ in range(12):
        for _ in range(6):  # so many that each worker has one
            idle.append(gate.client())
        told = gate.log.count(" reloaded ") + gate.log.count("reload-refused")
        gate.process.send_signal(signal.SIGHUP)
        until(lambda told=told: gate.log.count(" reloaded ") + gate.log.count("reload-refused") > told, "an answer")
        refused = gate.log.count("reload-refused")
        if refused:
            break
    assert refused == 1
    assert "too many old processes" in gate.log
    assert gate.process.poll() is None
    assert gate.send(mail("meanwhile"))[0] == 250
    for client in idle:
        client.close()
    until(lambda: len(gate.children()) == 3, "the old processes have left")
    gate.process.send_signal(signal.SIGHUP)
    told = gate.log.count(" reloaded ")
    until(lambda: gate.log.count(" reloaded ") > told, "the reload")
    assert gate.send(mail("after"))[0] == 250


@pytest.mark.parametrize("text", [b"\xff\xfe\0", b"x = " + b"[" * 100_000, b"", b"[smtp]\nproxy_networks = ['x']"])
def test_a_reload_of_nonsense_changes_nothing(gate: RunningGate, text: bytes) -> None:
    good, before = gate.config.read_bytes(), gate.children()
    gate.config.write_bytes(text if not text.startswith(b"[smtp]") else good + text)
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: "reload-refused" in gate.log, "the refusal")
    gate.config.unlink()
    gate.config.mkdir()
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: gate.log.count("reload-refused") == 2, "the refusal")
    assert gate.children() == before
    assert gate.send(mail())[0] == 250
    gate.config.rmdir()
    gate.config.write_bytes(good)
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: " reloaded " in gate.log, "the reload")
    assert "Traceback" not in gate.log
