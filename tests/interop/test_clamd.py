"""A real clamd: malware found inside a mail, clean mail, commands, its size limit, and its death."""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clamav import MALWARE, NAME, Clamd
from neighbour import tool

from gatepost.cli.main import main
from gatepost.net.clamd import ClamdScanner
from gatepost.net.settings import ScannerSettings
from gatepost.ports import Scanned, ScanStatus
from running import NameServer, RunningGate, mail, until

PLAIN = b"From: a@example.org\r\nSubject: hello\r\n\r\nGood morning.\r\n"
ATTACHED = (
    b"From: a@example.org\r\nSubject: offer\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: application/octet-stream; name="offer.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    + base64.encodebytes(MALWARE).replace(b"\n", b"\r\n")
)


@pytest.fixture(scope="module")
def clamd(report_missing: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    program = tool.found("clamd")
    if program is None:
        report_missing("the program clamd")
    started = Clamd(str(program), tmp_path_factory.mktemp("clamd"))
    yield started
    started.stop()


def scan(settings: ScannerSettings, raw: bytes) -> Scanned:
    async def run() -> Scanned:
        return await ClamdScanner(settings).begin(raw)

    return asyncio.run(run())


@pytest.mark.parametrize("tcp", [False, True])
def test_clean_and_not(clamd: Clamd, tcp: bool) -> None:
    settings = clamd.settings(tcp=tcp)
    assert scan(settings, PLAIN) == Scanned(status=ScanStatus.CLEAN)
    assert scan(settings, PLAIN + bytes(900_000)).status is ScanStatus.CLEAN
    assert scan(settings, ATTACHED) == Scanned(status=ScanStatus.FOUND, names=(NAME,))


@pytest.mark.parametrize("tcp", [False, True])
def test_more_than_its_stream_max_length(clamd: Clamd, tcp: bool) -> None:
    scanned = scan(clamd.settings(tcp=tcp), PLAIN + bytes(8 << 20))
    assert scanned.status is ScanStatus.ERROR
    assert "StreamMaxLength" in scanned.reason


def test_its_other_commands(clamd: Clamd) -> None:
    scanner = ClamdScanner(clamd.settings())
    assert asyncio.run(scanner.ask("PING")) == "PONG"
    assert asyncio.run(scanner.ask("VERSION")).startswith("ClamAV ")


def test_inspect_asks_it(clamd: Clamd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zone").write_text(". 300 IN SOA ns.test. root.test. 1 2 3 4 5\n")
    (tmp_path / "mail.eml").write_bytes(ATTACHED)
    config = tmp_path / "gatepost.toml"
    config.write_text(f'[domains."gate.example"]\n[scanner]\naddress = "{clamd.folder}/clamd.ctl"\n')
    arguments = ["inspect", str(tmp_path / "mail.eml"), "--zone", str(tmp_path / "zone"), "--config", str(config)]
    assert main(arguments) == 1
    shown = capsys.readouterr().out
    assert NAME in shown
    assert "QUARANTINE" in shown.upper()


def test_it_hangs_and_dies(report_missing: Callable[[str], None], clamd: Clamd, tmp_path: Path) -> None:
    other = Clamd(str(tool.found("clamd")), tmp_path)
    try:
        other.running.process.send_signal(signal.SIGSTOP)
        scanned = scan(other.settings(timeout=0.5), ATTACHED)
        assert (scanned.status, "within 0.5 s" in scanned.reason) == (ScanStatus.ERROR, True)
        other.running.process.send_signal(signal.SIGCONT)
        other.running.process.kill()
        other.running.process.wait()
        assert scan(other.settings(), PLAIN).status is ScanStatus.ERROR
        assert scan(other.settings(tcp=True), PLAIN).status is ScanStatus.ERROR
    finally:
        other.running.process.send_signal(signal.SIGCONT)
        other.stop()


def test_a_gate_with_it_and_without_it(clamd: Clamd, tmp_path: Path) -> None:
    server = NameServer()
    gate = RunningGate(tmp_path, server.port, more=f'[scanner]\naddress = "{clamd.folder}/clamd.ctl"\n')
    try:
        assert "ok   scanner: ClamAV" in gate.cli("serve", "--check")[1]
        assert gate.send(mail("clean"))[0] == 250
        gate.delivered("ann")
        code, text = gate.send(mail("malware", body=MALWARE.decode()))
        assert code == 250
        (held,) = gate.cli_json("quarantine", "list")
        assert held["reason"]["decided_by"] == ["malware.found"]

        gate.configure(more=f'[scanner]\naddress = "{tmp_path}/nobody"\n')
        code, text = gate.cli("serve", "--check")
        assert code == 2
        assert "BAD  scanner: scanner.address" in text
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: "reloaded" in gate.log, "the reload")
        assert gate.send(mail("nobody looks"))[0] == 250
        (path,) = gate.delivered("ann", folder=".Junk")
        assert b"malware.not-scanned" in path.read_bytes()
    finally:
        gate.stop()
        server.stop()
