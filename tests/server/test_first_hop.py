"""Who is judged: the client that a listed proxy or relay speaks for; from anybody else such words are nonsense."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from running import ZONE, NameServer, RunningGate, mail
from stranger import Stranger

V2 = b"\r\n\r\n\0\r\nQUIT\n"


def judged(gate: RunningGate) -> dict[str, object]:
    return gate.cli_json("log", "--limit", "1")[0]


def hand_in(stranger: Stranger, sender: bytes = b"joe@sender.example", more: bytes = b"") -> bytes:
    assert stranger.ask(b"EHLO mail.sender.example").startswith(b"250")
    assert stranger.ask(b"MAIL FROM:<" + sender + b">").startswith(b"250")
    assert stranger.ask(b"RCPT TO:<ann@gate.example>").startswith(b"250")
    assert stranger.ask(b"DATA").startswith(b"354")
    return stranger.ask(more + mail("hop") + b".")


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str], RunningGate]:
    gates: list[tuple[RunningGate, NameServer]] = []

    def begin(more: str) -> RunningGate:
        server = NameServer(ZONE + "\nsender.example. 300 IN MX 10 mail.sender.example.\n")
        gate = RunningGate(tmp_path, server.port, more=more)
        gates.append((gate, server))
        return gate

    yield begin  # type: ignore[misc]
    for gate, server in gates:
        gate.stop()
        server.stop()


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n",
        V2 + b"\x21\x11" + struct.pack("!H4s4sHH", 12, bytes([192, 0, 2, 7]), bytes([192, 0, 2, 1]), 40000, 25),
        V2 + b"\x21\x21" + struct.pack("!H16s16sHH", 36, bytes(10) + b"\xff\xff\xc0\0\x02\x07", bytes(16), 40000, 25),
    ],
    ids=["v1", "v2", "v2 mapped"],
)
def test_behind_a_listed_proxy_its_client_is_judged(start: Callable[[str], RunningGate], header: bytes) -> None:
    gate = start('[smtp]\nproxy_networks = ["127.0.0.0/8"]\n')
    with Stranger(gate.port) as stranger:
        stranger.say(header)
        assert stranger.line().startswith(b"220 ")
        answer = hand_in(stranger)  # 192.0.2.7 may not send for sender.example, which asks for refusal
        assert answer.startswith(b"550 5.7.26"), answer
    assert judged(gate)["client_ip"] == "192.0.2.7"
    for nonsense in (b"PROXY TCP4 999.0.2.7 192.0.2.1 1 25\r\n", b"EHLO x\r\n", V2 + b"\x31\x11\0\0", b"PROXY " * 50):
        with Stranger(gate.port) as stranger:
            stranger.say(nonsense)
            stranger.finish()
            assert b"220" not in stranger.hear()


def test_a_header_from_anybody_else_is_nonsense(start: Callable[[str], RunningGate]) -> None:
    gate = start('[smtp]\nproxy_networks = ["192.0.2.0/24"]\nxclient_networks = ["192.0.2.0/24"]\n')
    with Stranger(gate.port) as stranger:
        stranger.say(b"PROXY TCP4 127.0.0.1 192.0.2.1 40000 25\r\n")
        assert stranger.line().startswith(b"220 ")
        assert stranger.line().startswith(b"500 ")
    with Stranger(gate.port) as stranger:
        stranger.line()
        assert b"XCLIENT" not in stranger.ask(b"EHLO x")
        assert stranger.ask(b"XCLIENT ADDR=192.0.2.9")[:1] == b"5"
        assert hand_in(stranger).startswith(b"250")
    assert judged(gate)["client_ip"] == "127.0.0.1"


def test_xclient_from_a_listed_relay(start: Callable[[str], RunningGate]) -> None:
    gate = start('[smtp]\nxclient_networks = ["127.0.0.1/32"]\n')
    with Stranger(gate.port) as stranger:
        stranger.line()
        assert b"XCLIENT" in stranger.ask(b"EHLO relay.example")
        assert stranger.ask(b"XCLIENT ADDR=192.0.2.7 NAME=evil.example").startswith(b"220 ")
        assert hand_in(stranger).startswith(b"550 5.7.26")
    assert judged(gate)["client_ip"] == "192.0.2.7"
    for nonsense in (
        b"ADDR=nonsense",
        b"ADDR=192.0.2.7+0D+0Ax",
        b"",
        b"ADDR",
        b"FOO=1",
        b"ADDR=+",
        b"HELO=" + b"x" * 999,
    ):
        with Stranger(gate.port) as stranger:
            stranger.line()
            stranger.ask(b"EHLO relay.example")
            assert stranger.ask(b"XCLIENT " + nonsense)[:1] == b"5", nonsense


RECEIVED = b"Received: from %s (%s [%s]) by relay.example with ESMTP id 1; Mon, 23 Nov 2026 00:00:00 +0000\r\n"


def test_behind_a_trusted_relay_the_first_untrusted_hop_is_judged(start: Callable[[str], RunningGate]) -> None:
    gate = start('[inspector]\ntrusted_relays = ["127.0.0.1", "192.0.2.250"]\n')
    chain = RECEIVED % (b"inner.example", b"inner.example", b"192.0.2.250") + RECEIVED % (
        b"x",
        b"unknown",
        b"192.0.2.7",
    )
    forged = RECEIVED % (b"mail.sender.example", b"mail.sender.example", b"127.0.0.1")
    with Stranger(gate.port) as stranger:
        stranger.line()
        answer = hand_in(stranger, more=chain + forged)
    assert answer.startswith(b"550 5.7.26"), answer
    assert judged(gate)["client_ip"] == "192.0.2.7"


def test_without_a_trusted_relay_received_fields_are_just_words(start: Callable[[str], RunningGate]) -> None:
    gate = start("")
    with Stranger(gate.port) as stranger:
        stranger.line()
        assert hand_in(stranger, more=RECEIVED % (b"x", b"unknown", b"192.0.2.7")).startswith(b"250")
    assert judged(gate)["client_ip"] == "127.0.0.1"
