"""What we write ourselves about what strangers and next hops said: reports, notices, commands. Nothing is injected."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import pytest

from bad_hop import BadHop, serve
from running import NameServer, RunningGate, mail, until
from stranger import Stranger

EVIL = b"550-5.1.1 \x1b[2J evil\rX-Injected: yes\r\n550 5.1.1 --boundary \xff\xfe " + b"x" * 900 + b"\r\n"


@pytest.fixture
def hops() -> Iterator[dict[str, tuple[BadHop, list[bytes]]]]:
    """`refuses` refuses every recipient at length, `takes` takes everything; with what each of them heard."""
    heard: dict[str, list[bytes]] = {"refuses": [], "takes": []}
    made = {
        "refuses": BadHop(lambda sock: serve(sock, replies={b"RCPT": EVIL}, heard=heard["refuses"])),
        "takes": BadHop(lambda sock: serve(sock, heard=heard["takes"])),
    }
    yield {name: (hop, heard[name]) for name, hop in made.items()}
    for hop in made.values():
        hop.stop()


@pytest.fixture
def gate(tmp_path: Path, name_server: NameServer, hops: dict[str, tuple[BadHop, list[bytes]]]) -> Iterator[RunningGate]:
    tables = "".join(
        f'[domains."{name}.example"]\nrecipients = "any"\nroute = "smtp:127.0.0.1:{hop.port}"\n'
        for name, (hop, _) in hops.items()
    )
    relay = f'[delivery]\nrelay = "smtp:127.0.0.1:{hops["takes"][0].port}"\n'
    gate = RunningGate(tmp_path, name_server.port, domain=tables, more=relay)
    yield gate
    gate.stop()


def test_a_report_injects_nothing(gate: RunningGate, hops: dict[str, tuple[BadHop, list[bytes]]]) -> None:
    with Stranger(gate.port) as stranger:
        stranger.hello()
        inject = b"+0D+0AX-Injected:+20yes+0D+0A+0D+0A--"
        assert stranger.ask(b"MAIL FROM:<joe@sender.example> RET=FULL ENVID=" + inject).startswith(b"250")
        recipient = b'RCPT TO:<"a> SIZE=1\\" b"@refuses.example> NOTIFY=FAILURE ORCPT=rfc822;' + inject
        assert stranger.ask(recipient).startswith(b"250")
        stranger.ask(b"DATA")
        assert stranger.ask(mail("refused", more="X-Odd: \x1b[2J") + b".").startswith(b"250")
    heard = hops["takes"][1]
    until(lambda: any(b"delivery-status" in line for line in heard) and b"QUIT\r\n" in heard, "the report", 20)
    assert b'RCPT TO:<"a> SIZE=1\\" b"@refuses.example>' in b"".join(hops["refuses"][1])  # quoted as it came
    text = b"".join(heard)
    assert b"MAIL FROM:<>" in text
    assert b"\nX-Injected" not in text
    raw = text.partition(b"DATA\r\n")[2].partition(b"QUIT\r\n")[0]
    report = email.message_from_bytes(raw, policy=email.policy.default)
    parts = list(report.iter_parts())
    assert [part.get_content_type() for part in parts][:2] == ["text/plain", "message/delivery-status"]
    assert len(parts) == 3
    for part in parts[:2]:
        assert b"\x1b" not in part.as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_a_notice_to_postmaster_injects_nothing(gate: RunningGate) -> None:
    with Stranger(gate.port) as stranger:
        stranger.hello()
        assert stranger.ask(b'MAIL FROM:<"--b X-Injected: yes"@unproven.example>').startswith(b"250")
        assert stranger.ask(b'RCPT TO:<"\\x X: y"@refuses.example>').startswith(b"250")
        stranger.ask(b"DATA")
        assert stranger.ask(mail("notice", author="x@unproven.example") + b".").startswith(b"250")
    notice = gate.delivered("ann")[0].read_bytes()
    assert b"kept in quarantine" in notice
    assert b"\nX-Injected" not in notice
    assert b"\x1b" not in notice
    assert b"\r" not in notice.replace(b"\r\n", b"")
    shown = gate.cli("quarantine", "list")[1]
    assert "\x1b" not in shown
    assert all(line.isprintable() for line in gate.log.splitlines())
