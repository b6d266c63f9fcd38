"""The monitor's port under strangers: any octets, and clients that dawdle, hold up nobody else."""

from __future__ import annotations

import random
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from running import RunningGate
from stranger import Stranger, resident


def ask(gate: RunningGate, path: str = "/healthz") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{gate.monitor}{path}", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture
def watched(start_gate: Callable[..., RunningGate]) -> RunningGate:
    return start_gate(monitor=True)


def test_clients_that_dawdle_hold_up_nobody_and_are_hung_up_on(watched: RunningGate) -> None:
    slow = [Stranger(watched.monitor) for _ in range(10)]
    for client in slow:
        client.say(b"GET /healthz HTTP/1.0\r\nX-Slow: ")
    began = time.monotonic()
    assert ask(watched) == "running\n"
    assert time.monotonic() - began < 3
    # One octet a second is a piece each time, but the whole has its limit too.
    while time.monotonic() - began < 12 and slow[0].say(b"x"):
        time.sleep(0.5)
    assert time.monotonic() - began < 12
    for client in slow:
        client.sock.close()
    assert ask(watched) == "running\n"


def test_more_clients_than_there_are_threads(watched: RunningGate) -> None:
    crowd = [Stranger(watched.monitor) for _ in range(60)]
    assert crowd[-1].hear() == b""  # hung up on at once
    for client in crowd:
        client.sock.close()
    time.sleep(0.5)
    assert ask(watched) == "running\n"


@pytest.mark.parametrize(
    "octets",
    [
        random.Random(1).randbytes(5000),
        b"\0" * 70_000,
        b"GET " + b"/" * 100_000 + b" HTTP/1.0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /healthz HTTP/1.0\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST /metrics HTTP/1.0\r\nContent-Length: -5\r\n\r\n",
        b"GET /%00%0d%0aSet-Cookie:x HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"EHLO x\r\nMAIL FROM:<>\r\n",
    ],
    ids=["random", "nul", "long path", "version", "many fields", "long field", "length", "escapes", "tls", "smtp"],
)
def test_any_octets(watched: RunningGate, octets: bytes) -> None:
    before = resident(watched.children())
    with Stranger(watched.monitor) as stranger:
        stranger.say(octets)
        stranger.finish()
        answer = stranger.hear()
    assert b"Set-Cookie" not in answer
    assert ask(watched) == "running\n"
    assert resident(watched.children()) - before < 30 << 20
    assert "Traceback" not in watched.log


def test_a_store_that_cannot_be_read_is_told_and_leaves_no_traceback(watched: RunningGate) -> None:
    for database in (watched.folder / "store" / "spool").glob("shard-*.db*"):
        database.write_bytes(b"nonsense" * 1000)
    for path in ("/readyz", "/metrics"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(watched, path)
        assert caught.value.code in (500, 503)
        assert "spool" in caught.value.read().decode()
    assert ask(watched) == "running\n"
    shutil.rmtree(watched.folder / "store")
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(watched, "/readyz")
    assert caught.value.code == 503
    assert "Traceback" not in watched.log


def test_by_default_it_listens_on_loopback_only() -> None:
    from gatepost.server.settings import ServerSettings

    assert ServerSettings().monitor.startswith("127.")
