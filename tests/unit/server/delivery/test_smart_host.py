"""Logging in to smart hosts: our own server with each mechanism, scripted ones for OAuth; only over proven TLS."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import ConfigError
from gatepost.names import Envelope, Recipient
from gatepost.net.zone import ZoneResolver
from gatepost.ports import Identity
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.hop import HopFailed
from gatepost.server.delivery.login import check_logins, read_secret
from gatepost.server.delivery.routes import parse_route
from gatepost.server.delivery.settings import AuthSettings, DeliverySettings
from gatepost.server.smtp.gatekeeper import Answer, OpenDoor, Verdict, Verifier
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.smtp.visit import Visit
from gatepost.wire.sasl import MECHANISMS, CheckPassword, Failed, Proven, Question
from gatepost.wire.sasl.scram_keys import make_verifier
from logging_in import LoginServer

ENVELOPE = Envelope(mail_from="ann@example.net", recipients=(Recipient(address="b@example.org"),))
RAW = b"Subject: x\r\n\r\nhello\r\n"
TOKEN = "ya29.a0AfH6SMBx-token_~+/=="
ANN = Identity(account="ann@example.net")
PASSWORD = "Kx3pT-vQm7d-2hWzL-r8NcY"


class House(OpenDoor):
    """One account; remembers who came in and how."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, Proven | Failed]] = []
        self.offered: tuple[str, ...] = MECHANISMS
        self._verifier = make_verifier(ANN, PASSWORD, b"0123456789abcdef", 4096)

    def mechanisms(self, visit: Visit) -> tuple[str, ...]:
        return tuple(mechanism for mechanism in self.offered if mechanism != "EXTERNAL")

    async def authenticate(self, visit: Visit, question: Question) -> Verdict:
        if isinstance(question, CheckPassword):
            return ANN if (question.authcid, question.password) == (ANN.account, PASSWORD) else None
        return Verifier(self._verifier, decoy=False)

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        self.outcomes.append((mechanism, outcome))
        return None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoginServer, House]]:
    house = House()
    server = LoginServer(tmp_path_factory.mktemp("smart"), lambda: house, SmtpSettings(max_errors=50))
    yield server, house
    server.stop()


def secret(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def settings_for(server: LoginServer, auth: AuthSettings, **more: object) -> DeliverySettings:
    return DeliverySettings(auth={"127.0.0.1": auth}, ca_file=str(server.ca), **more)  # type: ignore[arg-type]


async def send(route: str, settings: DeliverySettings) -> int:
    hop = await Connector("gate.example", settings, ZoneResolver(""))(parse_route(route))
    try:
        (reply,) = await hop.send(ENVELOPE, RAW)
        return reply.reply_code
    finally:
        await hop.close()


@pytest.mark.parametrize("kind", ["smtp", "smtps"])
@pytest.mark.parametrize("mechanism", ["", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"])
def test_each_mechanism_lets_us_in(
    running: tuple[LoginServer, House], tmp_path: Path, mechanism: str, kind: str
) -> None:
    server, house = running
    house.outcomes.clear()
    house.offered = MECHANISMS if mechanism in ("", "SCRAM-SHA-256-PLUS") else (mechanism,)
    auth = AuthSettings(user=ANN.account, password_file=secret(tmp_path, PASSWORD + "\n"), mechanism=mechanism)  # type: ignore[arg-type]
    port = server.port if kind == "smtp" else server.implicit
    assert asyncio.run(send(f"{kind}:127.0.0.1:{port}", settings_for(server, auth))) == 250
    assert house.outcomes == [(mechanism or "SCRAM-SHA-256-PLUS", Proven(identity=ANN))]


def failing(running: tuple[LoginServer, House], auth: AuthSettings, **more: object) -> HopFailed:
    server, house = running
    house.outcomes.clear()
    house.offered = MECHANISMS
    with pytest.raises(HopFailed) as caught:
        asyncio.run(send(f"smtp:127.0.0.1:{server.port}", settings_for(server, auth, **more)))
    assert PASSWORD not in str(caught.value)
    assert "wrong-password" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("mechanism", ["", "PLAIN", "LOGIN"])
def test_a_wrong_password_is_a_temporary_failure_with_the_servers_words(
    running: tuple[LoginServer, House], tmp_path: Path, mechanism: str
) -> None:
    auth = AuthSettings(user=ANN.account, password_file=secret(tmp_path, "wrong-password"), mechanism=mechanism)  # type: ignore[arg-type]
    error = failing(running, auth)
    assert error.code == "4.7.8"
    assert "535" in error.text


def test_nothing_is_told_to_a_host_that_did_not_prove_who_it_is(
    running: tuple[LoginServer, House], tmp_path: Path
) -> None:
    auth = AuthSettings(user=ANN.account, password_file=secret(tmp_path, PASSWORD))
    server, house = running
    house.outcomes.clear()
    others = DeliverySettings(auth={"127.0.0.1": auth}, tls="none")  # our authority is nobody's
    with pytest.raises(HopFailed) as caught:
        asyncio.run(send(f"smtp:127.0.0.1:{server.port}", others))
    assert caught.value.code == "4.7.5"
    assert house.outcomes == []


def test_a_mechanism_that_is_not_offered(running: tuple[LoginServer, House], tmp_path: Path) -> None:
    error = failing(running, AuthSettings(user="ann", token_file=secret(tmp_path, TOKEN)))
    assert "SCRAM-SHA-256" in error.text
    assert "a token" in error.text


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("x", 0o640, "chmod 600"), ("", 0o600, "one line"), ("a\nb", 0o600, "one line"), ("a\x01b", 0o600, "one line")],
)
def test_files_with_secrets_are_looked_at(tmp_path: Path, text: str, mode: int, words: str) -> None:
    auth = AuthSettings(user="ann", password_file=secret(tmp_path, text, mode))
    with pytest.raises(ConfigError) as caught:
        read_secret(auth)
    assert words in str(caught.value)
    with pytest.raises(ConfigError):
        check_logins({"smart.example": auth})


def test_a_login_needs_one_file_and_a_mechanism_that_goes_with_it(tmp_path: Path) -> None:
    path = secret(tmp_path, "x")
    good = AuthSettings(user="ann", password_file=path)
    check_logins({"smart.example": good})
    for host, bad in {
        "smart.example": AuthSettings(user="ann"),
        "two.example": AuthSettings(user="ann", password_file=path, token_file=path),
        "oauth.example": AuthSettings(user="ann", password_file=path, mechanism="XOAUTH2"),
        "nobody.example": AuthSettings(password_file=path),
        "Upper.example": good,
    }.items():
        with pytest.raises(ConfigError):
            check_logins({host: bad})


async def play(server: LoginServer, folder: Path, offered: bytes, script: list[tuple[bytes, bytes]]) -> int:
    """Sends a message to a host that has TLS from the start, offers `offered` and then plays `script`; "{port}" in it
    stands for the host's port."""
    port = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smart\r\n")
        await reader.readline()
        writer.write(b"250-smart\r\n250 AUTH " + offered + b"\r\n")
        for wanted, answer in script:
            got = await reader.readline()
            assert got == wanted + b"\r\n", got
            writer.write(answer + b"\r\n")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.folder / "mx.example.net.pem", server.folder / "mx.example.net.key")
    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    port = int(listening.sockets[0].getsockname()[1])
    script[:] = [(line.replace(BEARER, bearer(port)), answer) for line, answer in script]
    settings = settings_for(server, AuthSettings(user="ann@x.example", token_file=secret(folder, TOKEN)))
    async with asyncio.timeout(10), listening:
        return await send(f"smtps:127.0.0.1:{port}", settings)


def bearer(port: int) -> bytes:
    message = f"n,a=ann@x.example,\x01host=127.0.0.1\x01port={port}\x01auth=Bearer {TOKEN}\x01\x01"
    return base64.b64encode(message.encode())


BEARER = b"(bearer)"
XOAUTH2 = base64.b64encode(f"user=ann@x.example\x01auth=Bearer {TOKEN}\x01\x01".encode())


@pytest.mark.parametrize(
    ("offered", "line"),
    [(b"PLAIN XOAUTH2", b"AUTH XOAUTH2 " + XOAUTH2), (b"XOAUTH2 OAUTHBEARER", b"AUTH OAUTHBEARER " + BEARER)],
)
def test_a_token_lets_us_in(running: tuple[LoginServer, House], tmp_path: Path, offered: bytes, line: bytes) -> None:
    script = [(line, b"235 in"), (b"MAIL FROM:<ann@example.net>", b"452 full"), (b"QUIT", b"221 bye")]
    assert asyncio.run(play(running[0], tmp_path, offered, script)) == 452


@pytest.mark.parametrize(
    ("offered", "line", "acknowledged"),
    [
        (b"XOAUTH2", b"AUTH XOAUTH2 " + XOAUTH2, b""),
        (b"OAUTHBEARER", b"AUTH OAUTHBEARER " + BEARER, base64.b64encode(b"\x01")),
    ],
)
def test_a_token_that_is_refused_is_told_and_never_shown(
    running: tuple[LoginServer, House], tmp_path: Path, offered: bytes, line: bytes, acknowledged: bytes
) -> None:
    reason = b"334 " + base64.b64encode(b'{"status":"invalid_token"}')
    script = [(line, reason), (acknowledged, b"535 5.7.8 no"), (b"QUIT", b"221 bye")]
    with pytest.raises(HopFailed) as caught:
        asyncio.run(play(running[0], tmp_path, offered, script))
    assert caught.value.code == "4.7.8"
    assert TOKEN not in caught.value.text
