"""`serve --check`: what is bad, what deserves a look, and what is right only while the gate runs."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import socket
from pathlib import Path

import pytest

from gatepost.cli.main import main
from gatepost.config import parse_settings
from gatepost.net.authority import make_authority
from gatepost.server.check import Point, check_gate
from schemas import validator

NOW = 1_764_000_000.0


def points(folder: Path, text: str = "", listen: str = "[]") -> dict[str, Point]:
    config = f'hostname = "mx.example.org"\n[domains."example.org"]\n[server]\nlisten = {listen}\nmonitor = ""\n{text}'
    settings = parse_settings(f'{config}\n[store]\nfolder = "store"\n[store.spool]\nreserve = 0\n', folder)
    return {point.subject: point for point in check_gate(settings, NOW)}


def test_a_port_of_another_program_is_bad(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        text = f"127.0.0.1:{other.getsockname()[1]}"
        point = points(tmp_path, listen=f'["{text}"]')[f"port {text}"]
    assert not point.good
    assert "ss -ltnp" in point.words


def test_a_port_of_the_running_gate_is_good(tmp_path: Path) -> None:
    owner = tmp_path / "store" / "spool" / "delivery.owner"
    owner.parent.mkdir(parents=True)
    with socket.socket() as ours, owner.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ours.bind(("127.0.0.1", 0))
        ours.listen()
        text = f"127.0.0.1:{ours.getsockname()[1]}"
        point = points(tmp_path, listen=f'["{text}"]')[f"port {text}"]
    assert point == Point(f"port {text}", True, "taken, by the gate that runs now")


def test_no_certificate_and_one_that_ends_soon_deserve_a_look(tmp_path: Path) -> None:
    assert points(tmp_path)["certificate"].warning
    leaf = make_authority("test", now=NOW).issue(["mx.example.org"], now=NOW, days=3)
    (tmp_path / "c.pem").write_bytes(leaf.chain)
    (tmp_path / "c.key").write_bytes(leaf.key)
    (tmp_path / "c.key").chmod(0o600)
    point = points(tmp_path, '[tls]\ncertificate = "c.pem"\nkey = "c.key"')["certificate"]
    assert point.warning
    assert point.words.startswith("ENDS SOON")


def test_the_answer_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gatepost.toml"
    file.write_text('[domains."example.org"]\n[server]\nlisten = []\nmonitor = ""\n[store]\nfolder = "store"\n')
    assert main(["serve", "--check", "--config", str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    validator("serve-check").validate(answer)
    assert answer["good"]
    file.write_text(file.read_text().replace('"store"', '"/proc/nowhere"'))
    assert main(["serve", "--check", "--config", str(file), "--json"]) == 2
    assert not json.loads(capsys.readouterr().out)["good"]


def test_every_point_says_something(tmp_path: Path) -> None:
    assert all(dataclasses.asdict(point)["words"] for point in points(tmp_path).values())


def test_json_without_check_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--json"]) == 2
    assert "--check" in capsys.readouterr().err
