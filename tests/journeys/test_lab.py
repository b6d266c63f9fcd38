"""The whole lab: name server, authority, gate, and every visit of the tour over real sockets."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatepost.lab.scenarios import SCENARIOS
from schemas import validator

LAB = [sys.executable, "-m", "gatepost", "lab"]


@pytest.mark.timeout(180)
def test_every_visit_of_the_tour_goes_as_it_should(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    done = subprocess.run(
        [*LAB, "--once", "--json", "--folder", str(folder)], capture_output=True, text=True, check=False, timeout=150
    )
    document = json.loads(done.stdout)
    validator("lab").validate(document)
    different = {row["name"]: row["differences"] for row in document["results"] if not row["as_expected"]}
    assert different == {}
    assert done.returncode == 0
    assert document["visits"] == len(SCENARIOS)
    log = (folder / "gate.log").read_text()
    assert " error " not in log
    assert "Traceback" not in log


@pytest.mark.timeout(120)
def test_it_stays_up_until_told_and_leaves_nothing_behind() -> None:
    process = subprocess.Popen([*LAB, "spf-only"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.strip().startswith("settings"):
                break
        words = "".join(lines)
        port = int(words.partition("SMTP         127.0.9.25:")[2].split()[0])
        folder = Path(words.partition("authority")[2].split()[0]).parent
        with socket.create_connection(("127.0.9.25", port), timeout=5) as client:
            assert client.recv(100).startswith(b"220 mx.gate.example")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not folder.exists()
    time.sleep(0.1)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.9.25", port)) != 0


@pytest.mark.timeout(120)
def test_the_gate_goes_with_the_lab_even_when_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    process = subprocess.Popen([*LAB, "--folder", str(folder), "spf-only"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = 0
    for line in process.stdout:
        if "SMTP" in line:
            port = int(line.partition("127.0.9.25:")[2].split()[0])
            break
    process.kill()
    process.wait(10)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.9.25", port)) != 0:
                return
        time.sleep(0.1)
    raise AssertionError("the gate still listens")


def test_one_clear_line_for_a_visit_that_there_is_not() -> None:
    done = subprocess.run([*LAB, "--once", "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nonsense" in done.stderr


def test_the_list_names_every_visit() -> None:
    done = subprocess.run([*LAB, "--list"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [scenario.name for scenario in SCENARIOS]
