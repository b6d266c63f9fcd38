"""Real clients log in over TLS: swaks, curl, GNU SASL; and GNU SASL as the server that our own client meets."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatepost.wire.sasl import encode_line
from gatepost.wire.sasl.client import ClientExchange
from gatepost.wire.sasl.scram_client import ScramClient
from logging_in import LoginServer, exchange_with
from login_house import ANN, PASSWORDS, LoginHouse, make_accounts

SECRET = PASSWORDS[ANN]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoginServer, LoginHouse]]:
    folder = tmp_path_factory.mktemp("login")
    accounts, houses = make_accounts(folder), []

    def make() -> LoginHouse:
        houses.append(LoginHouse(folder, accounts))
        return houses[0]

    server = LoginServer(folder, make)
    yield server, houses[0]
    server.run(houses[0].close())
    server.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("implicit", [False, True])
def test_swaks_logs_in(swaks: str, running: tuple[LoginServer, LoginHouse], mechanism: str, implicit: bool) -> None:
    server, house = running
    port, tls = (server.implicit, "-tlsc") if implicit else (server.port, "-tls")
    for password, code in ((SECRET, 0), ("not the password", 28)):  # 28: swaks' word for a login that failed
        command = [
            swaks, "--server", "127.0.0.1", "--port", str(port), tls, "--auth", mechanism, "-au", ANN, "-ap", password,
            "--from", ANN, "--to", "x@example.org", "--quit-after", "AUTH",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout
    assert SECRET not in house.log_text()


def test_swaks_is_offered_no_cram(swaks: str, running: tuple[LoginServer, LoginHouse]) -> None:
    server, _ = running
    command = [
        swaks, "--server", "127.0.0.1", "--port", str(server.port), "-tls", "--auth", "CRAM-MD5", "-au", ANN,
        "-ap", SECRET, "--to", "x@example.org", "--quit-after", "AUTH",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 28
    assert "*** Auth not attempted" in done.stdout + done.stderr


def test_curl_logs_in_and_sends(curl: str, running: tuple[LoginServer, LoginHouse], tmp_path: Path) -> None:
    server, house = running
    letter = tmp_path / "letter.eml"
    letter.write_text("From: ann@example.net\r\nSubject: hi\r\n\r\nhi\r\n")
    command = [
        curl, "-sS", "--url", f"smtps://127.0.0.1:{server.implicit}", "--cacert", str(server.ca), "-T", str(letter),
        "-u", f"{ANN}:{SECRET}", "--mail-from", ANN, "--mail-rcpt", "bob@example.org",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert house.sessions[-1].account == ANN


class Gsasl(ClientExchange):
    """gsasl, a line for a line."""

    def __init__(self, path: str, *arguments: str, mechanism: str) -> None:
        self.mechanism = mechanism
        command = [path, "--no-cb", "-m", mechanism, *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )

    def token(self) -> bytes:
        """The next line with something in it that is not the mechanism's name."""
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) and line.strip() in ("", self.mechanism):
            pass
        return base64.b64decode(line)

    def say(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode_line(data) + "\n")

    def start(self) -> bytes:
        return self.token()

    def respond(self, challenge: bytes) -> bytes:
        self.say(challenge)
        return b"" if challenge.startswith(b"v=") else self.token()

    def finish(self) -> None:
        """What it says of us; then it waits for somebody to type."""
        _, said = self.process.communicate("\n", timeout=20)
        assert self.mechanism == "PLAIN" or "server trusted" in said, said


@pytest.fixture
def start_gsasl(gsasl: str) -> Iterator[Callable[..., Gsasl]]:
    started: list[Gsasl] = []

    def start(*arguments: str, mechanism: str) -> Gsasl:
        started.append(Gsasl(gsasl, *arguments, mechanism=mechanism))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
def test_gnu_sasl_logs_in(
    start_gsasl: Callable[..., Gsasl], running: tuple[LoginServer, LoginHouse], mechanism: str
) -> None:
    server, house = running
    with server.client() as client:
        theirs = start_gsasl("--client", "-a", ANN, "-z", "", "-p", SECRET, mechanism=mechanism)
        assert exchange_with(client, theirs)[0] == 235
    assert f"mechanism={mechanism} " in house.log_text()
    with server.client() as client:
        wrong = start_gsasl("--client", "-a", ANN, "-z", "", "-p", "not the password", mechanism=mechanism)
        assert exchange_with(client, wrong)[0] == 535


def test_our_client_meets_gnu_sasl_as_server(start_gsasl: Callable[..., Gsasl]) -> None:
    server = start_gsasl("--server", "-p", SECRET, mechanism="SCRAM-SHA-256")
    client = ScramClient(ANN, SECRET, "a-nonce-of-our-own")
    server.say(client.start() or b"")
    server.say(client.respond(server.token()))
    assert client.respond(server.token()) == b""
    client.finish()
