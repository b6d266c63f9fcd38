"""One mail from somebody's mail program to a mailbox elsewhere."""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neighbour import can_lay_over, tool, wait_until
from postfix import Postfix

from gatepost.cli.main import main
from gatepost.msgauth.dkim import verify
from gatepost.net.zone import ZoneResolver
from running import NameServer, RunningGate, free_port, until

BOB = "bob@gate.example"
THERE = "user@example.net"


class PostedGate(RunningGate):
    """What `gatepost init` makes, moved to loopback ports, the tests' name server and a smart host."""

    def __init__(self, folder: Path, dns: int, relay: int) -> None:
        self.tls, self.starttls, self._relay = free_port(), free_port(), relay
        super().__init__(folder, dns)

    def configure(self, *, domain: str = "", more: str = "") -> None:
        text = self.config.read_text()
        for old, new in {
            'listen = ["0.0.0.0:25", "[::]:25"]': f'listen = ["127.0.0.1:{self.port}"]\nmonitor = ""',
            '["0.0.0.0:465", "[::]:465"]': f'["127.0.0.1:{self.tls}"]',
            '["0.0.0.0:587", "[::]:587", "0.0.0.0:2525", "[::]:2525"]': f'["127.0.0.1:{self.starttls}"]',
            'relay = "mx"': f'relay = "smtp:127.0.0.1:{self._relay}"',
            'servers = ["system"]': f'servers = ["127.0.0.1:{self._dns}"]',
        }.items():
            assert old in text
            text = text.replace(old, new)
        self.config.write_text(text)


@pytest.fixture
def there(report_missing: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postfix]:
    """A Postfix that takes mail for example.net."""
    unpacked = tool.unpacked("postfix")
    if unpacked is None or tool.accounts_missing("postfix") or not can_lay_over(unpacked):
        report_missing("the unpacked neighbour postfix (tools/neighbours.py)")
        raise AssertionError

    with tempfile.TemporaryDirectory(prefix="gatepost-postfix-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        found = Postfix(unpacked, Path(name))
        yield found
        found.stop()


def test_people_hand_in_mail(tmp_path: Path, name_server: NameServer, there: Postfix) -> None:
    """People hand in mail"""
    assert main(["init", "gate.example", "--folder", str(tmp_path), "--store", "store", "--account", "ann"]) == 0
    gate = PostedGate(tmp_path, name_server.port, there.port)
    try:
        code, text = gate.cli("user", "add", BOB, "--json")
        assert code == 0, text
        secret = json.loads(text)["password"]
        code, text = gate.cli("serve", "--check")
        assert (code, "NO WAY OUT" in text) == (0, False), text
        _swaks(gate, gate.tls, "--tls-on-connect", secret)
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        context.check_hostname = False  # it is reached by its address
        with smtplib.SMTP("127.0.0.1", gate.starttls, timeout=20) as client:
            assert client.ehlo()[0] == 250
            assert client.mail(BOB)[0] == 530
            client.starttls(context=context)
            client.login(BOB, secret)
            letter = f"From: Bob <{BOB}>\r\nTo: {THERE}\r\nSubject: by 587\r\n\r\nGood day.\r\n"
            client.sendmail(BOB, [THERE], letter)
        assert wait_until(lambda: len(there.mail_of("user")) == 2, 40), there.log
        resolver = ZoneResolver((tmp_path / "dns-records.txt").read_text())
        for raw in there.mail_of("user"):
            octets = raw.replace(b"\n", b"\r\n")
            found = asyncio.run(verify(octets, resolver=resolver, now=time.time()))
            assert [(one.domain, one.result.value) for one in found.signatures] == [("gate.example", "pass")] * 2
        until(lambda: gate.log.count(" submitted id=") == 2, "both are logged")
        assert f"account={BOB}" in gate.log
        assert secret not in gate.log
    finally:
        gate.stop()


def _swaks(gate: RunningGate, port: int, tls: str, secret: str) -> None:
    """A mail program that people test with."""
    where = ["swaks", "--server", "127.0.0.1", "--port", str(port), tls, "--auth", "PLAIN", "-au", BOB, "-ap", secret]
    done = subprocess.run(
        [*where, "--from", BOB, "--to", THERE, "--h-Subject", "by 465"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
