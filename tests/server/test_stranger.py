"""Any octets on the SMTP port: each ends in a reply or a closed connection, and the gate goes on as before."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running import NameServer, RunningGate, mail, until
from stranger import Stranger, resident

StartGate = Callable[..., RunningGate]
MEMORY = 40 << 20  # octets that all processes together may grow by: caches fill, pages are touched

QUICK = """
[smtp]
command_timeout = 1.0
data_timeout = 1.0
tls_timeout = 1.0
close_timeout = 0.5
min_data_rate = 1000
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[RunningGate]:
    """One gate for all strangers of this file: each test looks whether those before have hurt it."""
    gate = RunningGate(tmp_path_factory.mktemp("stranger"), name_server.port)
    assert gate.send(mail("before"))[0] == 250
    yield gate
    gate.stop()


@pytest.fixture
def unhurt(shared: RunningGate) -> Iterator[RunningGate]:
    """The shared gate; afterwards it must be the same processes, about as large, and take good mail."""
    pids, before = shared.children(), resident(shared.children())
    yield shared
    assert shared.children() == pids, shared.log[-2000:]
    assert resident(pids) - before < MEMORY
    assert shared.send(mail("good"))[0] == 250
    for word in ("Traceback", "process-failed", "gatekeeper failed", "never retrieved"):
        assert word not in shared.log, shared.log[-3000:]


def feed(gate: RunningGate, octets: bytes, *, hello: bool = False, finish: bool = True) -> bytes:
    """What comes back to `octets`."""
    with Stranger(gate.port) as stranger:
        if hello:
            stranger.hello()
        stranger.say(octets)
        if finish:
            try:
                stranger.finish()
            except OSError:
                pass
        return stranger.hear()


CLIENT_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) * 2


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        random.Random(1).randbytes(20_000),
        CLIENT_HELLO,
        b"GET / HTTP/1.1\r\nHost: mx.gate.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ann@gate.example>\r\n",
        b"A" * (1 << 20),
        b"\0" * 100_000,
        b"\r\n" * 5000,
        b"\n" * 5000,
        b"\r" * 5000,
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO x\r\n",
        b"PROXY UNKNOWN\r\n" * 100,
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff" + b"\xff" * 1000,
        b"XCLIENT ADDR=192.0.2.1\r\nEHLO x\r\nXCLIENT ADDR=192.0.2.1\r\n",
        b"EHLO " + b"x" * 3000 + b"\r\n",
        b"EHLO \xff\xfe\x00\x1b[31m\r\nMAIL FROM:<\x1b[2J@x>\r\n",
        b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\n",
        b"EHLO x\r\nAUTH PLAIN " + b"A" * 1500 + b"\r\n",
        b"EHLO x\r\nVRFY " + b"\xf0\x9f\x92\xa3" * 300 + b"\r\nEXPN \x85\r\n",
        b"EHLO x\r\nMAIL FROM:<" + b"a" * 1900 + b"@b.example>\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b.example> " + b"X=1 " * 400 + b"\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b.example> SIZE=" + b"9" * 1500 + b"\r\n",
        b"EHLO x\r\nMAIL FROM:<" + b"@a," * 500 + b"@b:c@d.example>\r\n",
    ],
    ids=lambda octets: repr(octets[:24]),
)
def test_octets(unhurt: RunningGate, octets: bytes) -> None:
    answer = feed(unhurt, octets)
    assert answer[:4] in (b"220 ", b"421 ", b"554 ", b"500 "), answer[:200]
    assert len(answer) < 500_000
    assert b"\r\n354" not in answer


def test_ten_thousand_commands_at_once(unhurt: RunningGate) -> None:
    for command in (b"NOOP\r\n", b"RSET\r\n", b"EHLO x\r\n", b"MAIL FROM:<>\r\n", b"VRFY a\r\n"):
        answer = feed(unhurt, command * 10_000)
        assert b"\r\n421 " in answer
        assert len(answer) < 100_000


def test_a_thousand_and_one_recipients(unhurt: RunningGate) -> None:
    with Stranger(unhurt.port) as stranger:
        stranger.hello()
        assert stranger.ask(b"MAIL FROM:<joe@sender.example>").startswith(b"250")
        stranger.say(b"RCPT TO:<ann@gate.example>\r\n" * 1001)
        codes = [stranger.line()[:3] for _ in range(1001)]
        assert codes == [b"250"] * 1000 + [b"452"]
        assert stranger.ask(b"DATA").startswith(b"354")
        assert stranger.ask(mail("many") + b".").startswith(b"250")
    until(lambda: unhurt.cli_json("queue", "list") == [], "an empty queue")


def test_recipients_are_not_guessed_without_end(unhurt: RunningGate) -> None:
    guesses = b"".join(b"RCPT TO:<guess%d@gate.example>\r\n" % number for number in range(1000))
    answer = feed(unhurt, b"MAIL FROM:<joe@sender.example>\r\n" + guesses, hello=True)
    assert answer.count(b"550 5.1.1") <= 25
    assert b"\r\n421 " in answer


@pytest.mark.parametrize("sized", [True, False])
def test_a_message_over_the_limit(start_gate: StartGate, sized: bool) -> None:
    gate = start_gate(more="[smtp.limits]\nmessage = 100000\ndiscard = 300000\n")
    with Stranger(gate.port) as stranger:
        stranger.hello()
        size = b" SIZE=200000" if sized else b""
        answer = stranger.ask(b"MAIL FROM:<joe@sender.example>" + size)
        assert answer.startswith(b"552 " if sized else b"250 ")
        if not sized:
            assert stranger.ask(b"RCPT TO:<ann@gate.example>").startswith(b"250")
            assert stranger.ask(b"DATA").startswith(b"354")
            stranger.say(mail("big") + b"x" * 200_000 + b"\r\n.\r\n")
            assert stranger.line().startswith(b"552 ")
            assert stranger.ask(b"NOOP").startswith(b"250 ")  # both sides agree on where it ended
    with Stranger(gate.port) as stranger:
        stranger.hello().envelope()
        stranger.ask(b"DATA")
        stranger.say(b"x" * 3_000_000)  # without an end
        assert stranger.hear()[:4] in (b"552 ", b"")
    assert gate.send(mail("after"))[0] == 250


BDAT = b"MAIL FROM:<joe@sender.example>\r\nRCPT TO:<ann@gate.example>\r\n"


@pytest.mark.parametrize(
    ("commands", "last"),
    [
        (BDAT + b"BDAT 99999999999999999999\r\n", b"552"),
        (BDAT + b"BDAT 999999999999999999999999999\r\n", b"501"),
        (BDAT + b"BDAT -1\r\n", b"501"),
        (BDAT + b"BDAT 0\r\nBDAT 0 LAST\r\nQUIT\r\n", b"221"),
        (BDAT + b"BDAT 0\r\n" * 5000 + b"QUIT\r\n", b"421"),
        (BDAT + b"BDAT 3\r\nabcDATA\r\nQUIT\r\n", b"221"),
        (BDAT + b"DATA\r\nBDAT 3 LAST\r\nabc\r\n.\r\nQUIT\r\n", b"221"),
        (b"BDAT 6\r\nQUIT\r\nQUIT\r\n", b"221"),
        (BDAT + b"BDAT \xd9\xa3 LAST\r\nabc", b"501"),
        (BDAT + b"BDAT 3 LAST LAST\r\nabc", b"501"),
        (BDAT + b"BDAT 1000000\r\n" + b"y" * 1000, b"250"),
    ],
)
def test_chunks(unhurt: RunningGate, commands: bytes, last: bytes) -> None:
    answer = feed(unhurt, commands, hello=True)
    assert answer.rstrip(b"\r\n").rpartition(b"\n")[2][:3] == last, answer[-500:]


def test_half_closed_and_reset_connections(unhurt: RunningGate) -> None:
    queued = len(unhurt.mailbox("bob"))
    whole = mail("reset")
    steps = (
        b"DATA\r\n",
        b"DATA\r\n" + whole,
        b"DATA\r\n" + whole + b".",
        b"DATA\r\n" + whole + b".\r\n",
        b"STARTTLS\r\n",
    )
    for step in steps:
        for how in ("finish", "reset", "close"):
            stranger = Stranger(unhurt.port).hello().envelope(b"bob@gate.example")
            stranger.say(step)
            {"finish": stranger.finish, "reset": stranger.reset, "close": stranger.sock.close}[how]()
            if how == "finish":
                stranger.hear()
            stranger.sock.close()
    # A message whose end was there may be delivered although nobody heard the 250; the others must not be.
    time.sleep(1)
    assert len(unhurt.mailbox("bob")) - queued <= 3


def test_commands_behind_starttls_are_never_obeyed(start_gate: StartGate, tmp_path: Path) -> None:
    from gatepost.net.authority import make_authority, write_private

    leaf = make_authority("test", now=time.time()).issue(["mx.gate.example"], now=time.time())
    for name, octets in (("cert.pem", leaf.chain), ("key.pem", leaf.key)):
        write_private(tmp_path / name, octets)
    gate = start_gate(more='[tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n' + QUICK)
    for behind in (b"MAIL FROM:<evil@bank.example>\r\n", b"\x16\x03\x01", b"x" * 100_000, b"\r\n"):
        with Stranger(gate.port) as stranger:
            stranger.hello()
            stranger.say(b"STARTTLS\r\n" + behind)
            answer = stranger.hear()
        assert b"250 " not in answer
        with Stranger(gate.port) as stranger:  # after the 220, in the clear
            stranger.hello()
            assert stranger.ask(b"STARTTLS").startswith(b"220 ")
            stranger.say(behind)
            assert b"250 " not in stranger.hear()
    for _ in range(20):
        stranger = Stranger(gate.port).hello()
        stranger.say(b"STARTTLS\r\n")
        stranger.reset()
    silent = Stranger(gate.port).hello()
    silent.ask(b"STARTTLS")
    began = time.monotonic()
    silent.hear()  # the handshake has its time-out
    assert time.monotonic() - began < 8
    assert gate.send(mail("after"))[0] == 250
    assert "Traceback" not in gate.log, gate.log[-3000:]


def test_slow_clients_run_out_of_time(start_gate: StartGate) -> None:
    gate = start_gate(more=QUICK)
    with Stranger(gate.port) as mute, Stranger(gate.port) as talker, Stranger(gate.port) as writer:
        began = time.monotonic()
        talker.hello()
        writer.hello().envelope()
        writer.ask(b"DATA")
        assert b"421 4.4.2" in mute.hear()
        assert not talker.drip(b"NOOP x" * 50, 0.1)  # octets buy no time, whole commands do
        assert b"421 4.4.2" in talker.hear()
        writer.drip(b"x" * 60, 0.1)  # ten octets a second, where a thousand are due
        assert b"421 4.4.2" in writer.hear()
        assert time.monotonic() - began < 20
    assert gate.send(mail("after"))[0] == 250


def test_a_client_that_never_reads_is_cut(start_gate: StartGate) -> None:
    gate = start_gate(more=QUICK.replace("[smtp]", "[smtp]\nmax_commands = 1000000\n"))
    before = resident(gate.children())
    stranger = Stranger(gate.port)
    stranger.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stranger.sock.settimeout(6)
    began = time.monotonic()
    while time.monotonic() - began < 12 and stranger.say(b"EHLO x\r\n" * 5000):
        pass
    assert time.monotonic() - began < 12
    assert resident(gate.children()) - before < MEMORY
    until(lambda: "ended=time-out" in gate.log, "the connection is cut")
    assert gate.send(mail("after"))[0] == 250


def test_connections_are_counted_over_all_workers(start_gate: StartGate) -> None:
    gate = start_gate(more="[smtp]\nmax_connections = 60\nmax_connections_per_address = 10\nunlimited_networks = []\n")
    crowd = [Stranger(gate.port, source="127.0.0.5") for _ in range(30)]
    first = [stranger.line()[:9] for stranger in crowd]
    assert sum(line.startswith(b"220") for line in first) == 10, first
    assert first.count(b"421 4.7.0") == 20
    others = [Stranger(gate.port, source=f"127.0.0.{number}") for number in range(10, 90)]
    greeted = sum(stranger.line().startswith(b"220") for stranger in others)
    assert greeted == 50  # the twenty that were sent away take no place
    for stranger in crowd + others:
        stranger.sock.close()
    until(lambda: gate.log.count(" connection ") >= 110, "all have left")
    assert gate.send(mail("after"))[0] == 250


def test_two_hundred_connections_at_once(unhurt: RunningGate) -> None:
    crowd = [Stranger(unhurt.port) for _ in range(200)]
    for stranger in crowd:
        stranger.hello()
    for stranger in crowd:
        stranger.sock.close()
