"""Every mistake of a deliberately bad server is found; what hangs, lies or is not there ends in time, with a reason."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bad_hop import HABITS, BadHop
from bad_server import BadServer, imap, pop3, smtp
from gatepost.net.authority import make_authority
from probing import probe

Start = Callable[..., BadServer]


@pytest.fixture
def bad() -> Iterator[Start]:
    started: list[BadServer] = []

    def start(*arguments: object) -> BadServer:
        started.append(BadServer(*arguments))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def old_tls(tmp_path: Path) -> ssl.SSLContext:
    """A context of ten years ago: TLS 1.0, any suite, a certificate that nobody vouches for."""
    now = time.time()
    made = make_authority("bad", now=now).issue(["bad.example"], now=now)
    path = tmp_path / "bad.pem"
    path.write_bytes(made.chain + made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(path)
    return context


def test_a_bad_smtp_server_is_found_out(bad: Start, old_tls: ssl.SSLContext) -> None:
    server = bad(smtp, old_tls)
    found = probe(f"smtp://127.0.0.1:{server.port}", "--to", "ann@bad.example", "--skip", "mail", code=1)
    accused = found.accused("info")
    expected = {
        *("relay-plain", "relay-null-sender", "relay-route", "vrfy", "expn", "unknown-recipient", "banner"),
        *("login-plaintext-offered", "login-plaintext-taken", "login-default", "login-guessing"),
        *("starttls-injection", "starttls-forgets", "starttls-stripping", "tls-certificate"),
        *("smuggling-lf-lf", "smuggling-lf-crlf", "smuggling-crlf-lf", "smuggling-cr-cr"),
        *("bare-lf", "out-of-order", "http-request", "nul-in-command", "cr-in-sender", "utf8-address"),
        *("limit-size", "limit-recipients", "limit-connections", "limit-noops", "limit-harvest", "limit-errors"),
    }
    assert expected <= accused, expected - accused
    assert found.probed[0]["grade"]["letter"] in "DF"
    shown = found.result("login-default")["finding"]["evidence"]["transcript"]
    assert not any("AGFkbWluAGFkbWlu" in line for line in shown)  # what was let in is not shown as it was sent
    assert found.status("smuggling-out") == "untested"


def test_a_bad_imap_and_a_bad_pop3_server_are_found_out(bad: Start) -> None:
    for answer, more in ((imap, {"imap-out-of-order", "limit-literal"}), (pop3, {"pop3-out-of-order"})):
        server = bad(answer)
        found = probe(f"127.0.0.1:{server.port}", "--skip", "limit-noops", code=1)
        assert found.probed[0]["spoken"] == answer.__name__  # by its greeting
        expected = {
            "login-plaintext-offered",
            "login-plaintext-taken",
            "login-default",
            "login-guessing",
            "tls-offered",
        }
        assert expected | more <= found.accused("info"), found.accused("info")


@pytest.mark.parametrize("habit", ["hangs up at once", "speaks nonsense", "line without end", "greets with 554"])
def test_hostile_servers_end_in_a_reason(habit: str) -> None:
    hop = BadHop(HABITS[habit])
    try:
        found = probe(f"smtp://127.0.0.1:{hop.port}", "--only", "relay", "--deadline", "20", code=1)
    finally:
        hop.stop()
    assert found.probed[0]["count"]["failed"] == 0
    assert all(result["said"] for result in found.probed[0]["results"])


def test_a_server_that_says_nothing_ends_at_the_deadline() -> None:
    hop = BadHop(HABITS["says nothing"])
    try:
        found = probe(f"smtp://127.0.0.1:{hop.port}", "--only", "relay-plain", "--deadline", "1", code=1)
    finally:
        hop.stop()
    assert "time (1 s) was over" in found.probed[0]["reason"]
    assert found.status("relay-plain") == "untested"


def test_ctrl_c_keeps_what_was_found(bad: Start) -> None:
    server = bad(smtp)
    command = [
        sys.executable,
        "-m",
        "gatepost",
        "probe",
        f"smtp://127.0.0.1:{server.port}",
        "--json",
        "--to",
        "a@b.example",
    ]
    running = subprocess.Popen([*command, "--rate", "5", "--only", "relay"], stdout=subprocess.PIPE, text=True)
    time.sleep(2.5)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "it was interrupted" in out
    assert '"status": "failed"' in out
    assert '"status": "untested"' in out


def test_time_is_watched_with_slow(bad: Start) -> None:
    server = bad(smtp)
    names = ("limit-idle", "limit-slow-command", "limit-slow-data")
    only = [word for name in names for word in ("--only", name)]
    found = probe(
        f"smtp://127.0.0.1:{server.port}", "--slow", "--wait", "1", "--to", "a@b.example", *only, "--fail-on", "notice"
    )
    assert found.code == 1
    assert found.accused("notice") == set(names)


def test_junit_and_text_tell_the_same(bad: Start, tmp_path: Path) -> None:
    import xml.etree.ElementTree as ET

    server, file = bad(smtp), tmp_path / "probe.xml"
    command = [sys.executable, "-m", "gatepost", "probe", f"smtp://127.0.0.1:{server.port}", "--only", "relay"]
    page = tmp_path / "probe.html"
    command += ["--rate", "500", "--junit", str(file), "--html", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "open relay" in done.stdout
    assert page.read_text().count("it is an open relay") >= 8
    assert "<script" not in page.read_text()
    suite = ET.parse(file).getroot()[0]
    assert int(suite.attrib["failures"]) == sum(case.find("failure") is not None for case in suite) >= 8
    assert int(suite.attrib["tests"]) == len(suite) == 24
