"""The supervisor: reload without dropping anybody, a bad configuration refused, crashes mended, an orderly stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from running import RunningGate, mail, until


def test_a_reload_keeps_connections_and_serves_the_new_configuration(gate: RunningGate) -> None:
    with gate.client() as old, gate.client() as idle:
        old.ehlo()
        assert old.mail("joe@sender.example")[0] == 250
        gate.configure(domain='catch_all = "bob"')
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: "reloaded" in gate.log, "the reload")
        # The old connection finishes its transaction by the old rules …
        assert old.rcpt("nobody@gate.example")[0] == 550
        assert old.rcpt("ann@gate.example")[0] == 250
        assert old.data(mail("old"))[0] == 250
        # … and so does one that was idle meanwhile …
        assert idle.ehlo()[0] == 250
    # … and a new one lives by the new rules.
    assert gate.send(mail("new"), "nobody@gate.example")[0] == 250
    assert gate.delivered("ann")
    assert gate.delivered("bob")


def test_a_bad_configuration_is_refused_with_the_reason_and_the_old_one_stays(gate: RunningGate) -> None:
    before = gate.children()
    gate.configure(more="[relay]\nmax_recieved = 5")
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: "reload-refused" in gate.log, "the refusal")
    assert "max_received" in gate.log.partition("reload-refused")[2]
    assert gate.children() == before
    assert gate.send(mail())[0] == 250


def test_a_process_that_dies_starts_again(gate: RunningGate) -> None:
    first = gate.children()
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(gate.children()) == len(first) and first[0] not in gate.children(), "a new process")
    assert "process-ended" in gate.log
    assert gate.send(mail())[0] == 250
    assert gate.delivered("ann")


def test_the_end_of_the_supervisor_ends_its_processes(gate: RunningGate) -> None:
    children = gate.children()
    gate.process.kill()
    gate.process.wait()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "no process is left behind")


def test_a_stop_finishes_transactions_and_sends_the_rest_away(gate: RunningGate) -> None:
    busy, idle = gate.client(), gate.client()
    for client in (busy, idle):
        client.ehlo()
    busy.mail("joe@sender.example")
    busy.rcpt("ann@gate.example")
    gate.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in gate.log, "the stop")
    assert busy.data(mail("last"))[0] == 250
    assert idle.sock is not None
    assert idle.sock.recv(100).startswith(b"421 ")
    assert gate.process.wait(20) == 0
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", gate.port)) != 0
    gate.start()
    assert b"Subject: last" in gate.delivered("ann")[0].read_bytes()


def test_health_and_metrics(start_gate: Callable[..., RunningGate]) -> None:
    gate = start_gate(monitor=True)
    gate.send(mail())
    gate.delivered("ann")

    def ask(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{gate.monitor}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    assert ask("/healthz") == "running\n"
    assert ask("/readyz") == "ready\n"
    until(lambda: "gatepost_delivered_total 1.0" in ask("/metrics"), "the delivery is counted")
    assert "gatepost_messages_accepted_total 1.0" in ask("/metrics")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask("/etc/passwd")


def test_standard_streams_that_are_closed_do_no_harm(gate: RunningGate) -> None:
    gate.stop()
    command = 'exec "$0" -m gatepost serve --config "$1" <&- >&- 2>&-'
    gate.process = subprocess.Popen(["sh", "-c", command, sys.executable, str(gate.config)], start_new_session=True)

    def listens() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", gate.port)) == 0

    until(listens, "the gate listens")
    with gate.client() as client:
        assert client.ehlo()[0] == 250  # nothing but replies comes down this line
    assert gate.send(mail())[0] == 250
    assert gate.delivered("ann")
    for pid in [gate.process.pid, *gate.children()]:
        for descriptor in range(3):
            assert os.readlink(f"/proc/{pid}/fd/{descriptor}") == os.devnull
