"""AUTH over real sockets: mechanisms, what is offered when, each reply of RFC 4954, and what reaches the gatekeeper."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import StoreBusy
from gatepost.names import Envelope, Session, Tls
from gatepost.ports import Identity
from gatepost.server.smtp.gatekeeper import Answer, OpenDoor, Verdict, Verifier
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.smtp.visit import Visit
from gatepost.wire.sasl import (
    MECHANISMS,
    CheckCertificate,
    CheckPassword,
    Failed,
    NeedVerifier,
    Proven,
    Question,
    Reason,
    encode_line,
)
from gatepost.wire.sasl.scram_keys import decoy, make_verifier
from gatepost.wire.smtp.replies import Reply
from logging_in import LoginServer, exchange_with

ANN = Identity(account="ann@example.net")
PASSWORD = "Kx3pT-vQm7d-2hWzL-r8NcY"


class House(OpenDoor):
    """One account; remembers what happened."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, Proven | Failed]] = []
        self.exposures: list[tuple[str, str]] = []
        self.sessions: list[Session] = []
        self.offered: tuple[str, ...] = MECHANISMS
        self.busy = False
        self.blocked = False
        self.last_word: Reply | None = None
        self.verifier = make_verifier(ANN, PASSWORD, b"0123456789abcdef", 4096)

    def mechanisms(self, visit: Visit) -> tuple[str, ...]:
        return tuple(m for m in self.offered if m != "EXTERNAL" or visit.certificate or visit.session.tls is None)

    async def authenticate(self, visit: Visit, question: Question) -> Verdict:
        await asyncio.sleep(0)
        if self.busy:
            raise StoreBusy("too much to check")
        if self.blocked:
            return Failed(reason=Reason.BLOCKED, words="too many")
        match question:
            case CheckPassword(authcid=name, password=password):
                return ANN if (name, password) == (ANN.account, PASSWORD) else None
            case NeedVerifier(authcid=name):
                known = name == ANN.account
                return Verifier(self.verifier if known else decoy(b"secret", name, 4096), decoy=not known)
            case CheckCertificate():
                return ANN if visit.certificate else None

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        self.outcomes.append((mechanism, outcome))
        return self.last_word

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        self.exposures.append((mechanism, name))

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        self.sessions.append(visit.session_for(envelope))
        return None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoginServer, House]]:
    house = House()
    server = LoginServer(tmp_path_factory.mktemp("auth"), lambda: house, SmtpSettings(max_errors=50))
    yield server, house
    server.stop()


@pytest.fixture
def server(running: tuple[LoginServer, House]) -> LoginServer:
    return running[0]


@pytest.fixture
def house(running: tuple[LoginServer, House]) -> House:
    house = running[1]
    house.outcomes.clear()
    house.exposures.clear()
    house.sessions.clear()
    house.offered, house.busy, house.blocked, house.last_word = MECHANISMS, False, False, None
    return house


def plain(name: str = ANN.account, password: str = PASSWORD) -> str:
    return encode_line(f"\0{name}\0{password}".encode())


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_pythons_client_logs_in(server: LoginServer, house: House, mechanism: str) -> None:
    with server.client() as client:
        client.user, client.password = "Ann@Example.NET", PASSWORD
        method = client.auth_plain if mechanism == "PLAIN" else client.auth_login
        assert client.auth(mechanism, method, initial_response_ok=mechanism == "PLAIN")[0] == 235
        client.sendmail("ann@example.net", "bob@example.org", "Subject: hi\r\n\r\nhi\r\n")
    assert house.outcomes == [(mechanism, Proven(identity=ANN))]
    (session,) = house.sessions
    assert (session.account, session.protocol) == ("ann@example.net", "ESMTPSA")


def test_on_the_port_with_tls_from_the_start(server: LoginServer, house: House) -> None:
    context = server.client_context()
    with smtplib.SMTP_SSL("127.0.0.1", server.implicit, "client.example", context=context, timeout=20) as client:
        client.login(ANN.account, PASSWORD)
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 503  # RFC 4954 §4: once a session


@pytest.mark.parametrize("plus", [True, False])
def test_scram(server: LoginServer, house: House, plus: bool) -> None:
    with server.client() as client:
        exchange = server.scram(client, ANN.account, PASSWORD, plus=plus)
        assert exchange_with(client, exchange) == (235, b"2.7.0 Logged in")
    assert house.outcomes == [(exchange.mechanism, Proven(identity=ANN))]


@pytest.mark.parametrize("name", [ANN.account, "nobody@example.net"])
def test_scram_with_a_wrong_password_looks_the_same_for_all_names(server: LoginServer, house: House, name: str) -> None:
    with server.client() as client:
        answer = exchange_with(client, server.scram(client, name, "wrong password", plus=True))
    assert answer == (535, b"5.7.8 Name or password is wrong")
    (_, outcome) = house.outcomes[0]
    assert isinstance(outcome, Failed)
    assert outcome.guessed


def test_a_certificate_logs_in(server: LoginServer, house: House) -> None:
    certificate = server.issue("ann.example.net")
    with server.client(certificate=certificate) as client:
        assert "EXTERNAL" in client.esmtp_features["auth"]
        assert client.docmd("AUTH", "EXTERNAL =")[0] == 235
    with server.client() as client:
        assert "EXTERNAL" not in client.esmtp_features["auth"]
        assert client.docmd("AUTH", "EXTERNAL =")[0] == 504


def test_auth_is_offered_inside_tls_only(server: LoginServer, house: House) -> None:
    with server.client(tls=False) as client:
        assert "auth" not in client.esmtp_features
    with server.client() as client:
        assert client.esmtp_features["auth"].split() == [m for m in MECHANISMS if m != "EXTERNAL"]
    house.offered = ()
    with server.client() as client:
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 502


def test_a_password_before_tls(server: LoginServer, house: House) -> None:
    with server.client(tls=False) as client:
        code, text = client.docmd("AUTH", f"PLAIN {plain()}")
        assert code == 538
        assert text.startswith(b"5.7.11 Start TLS first")
        assert client.docmd("AUTH", "LOGIN")[0] == 538
        assert client.docmd("AUTH", "LOGIN " + encode_line(b"ann@example.net"))[0] == 538
        assert client.noop()[0] == 250
    assert house.exposures == [("PLAIN", "ann@example.net"), ("LOGIN", ""), ("LOGIN", "")]
    assert house.outcomes == []
    house.offered = ()
    with server.client(tls=False) as client:
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 502
    assert len(house.exposures) == 4


def test_what_a_client_can_get_wrong(server: LoginServer, house: House) -> None:
    with server.client() as client:
        assert client.docmd("AUTH", f"PLAIN {plain(password='wrong password')}")[0] == 535
        assert client.docmd("AUTH", "CRAM-MD5") == (504, b"5.5.4 That mechanism is not offered")
        assert client.docmd("AUTH", "PLAIN !!") == (501, b"5.5.4 AUTH wants a mechanism")
        assert client.docmd("AUTH", "PLAIN AGE") == (501, b"5.5.2 Cannot decode the response")
        assert client.docmd("AUTH", f"PLAIN {encode_line(b'no NUL')}") == (501, b"5.5.2 Cannot decode the response")
        assert client.docmd("AUTH", f"PLAIN {plain(name='a b')}")[0] == 535
        assert client.docmd("AUTH", f"PLAIN {encode_line(b'eve@example.net' + base64.b64decode(plain()))}")[0] == 535
        for answer, reply in (("*", 501), ("%%%", 501), ("A", 501), ("", 501), ("A" * 12288, 500)):
            assert client.docmd("AUTH", "PLAIN")[0] == 334
            assert client.docmd(answer)[0] == reply
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 235


def test_an_exchange_without_end(server: LoginServer, house: House) -> None:
    """A line longer than any may be: one reply, and the connection ends."""
    with server.client() as client:
        assert client.docmd("AUTH", "PLAIN")[0] == 334
        assert client.docmd("A" * 20_000)[0] == 500
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def test_auth_is_out_of_place(server: LoginServer, house: House) -> None:
    with server.client() as client:
        client.mail("ann@example.net")
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 503  # RFC 4954 §4: not within a transaction
        client.rset()
        client.helo()
        assert client.docmd("AUTH", f"PLAIN {plain()}") == (503, b"5.5.1 Say EHLO first")


def test_what_the_house_may_say(server: LoginServer, house: House) -> None:
    with server.client() as client:
        house.busy = True
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 454
        house.busy, house.blocked = False, True
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 454
        house.blocked, house.last_word = False, Reply(535, "Not for this", enhanced="5.7.8")
        assert client.docmd("AUTH", f"PLAIN {plain()}") == (535, b"5.7.8 Not for this")
        client.mail("ann@example.net")
        client.rset()
        assert house.sessions[-1].account == ""
        house.last_word = None
        assert client.docmd("AUTH", f"PLAIN {plain()}")[0] == 235


def test_nothing_pipelined_behind_auth_is_taken_for_its_answer(server: LoginServer, house: House) -> None:
    with server.client() as client:
        assert client.sock is not None
        client.sock.sendall(f"AUTH PLAIN\r\n{plain()}\r\nNOOP\r\n".encode())
        assert [client.getreply()[0] for _ in range(3)] == [334, 235, 250]


def test_a_client_that_leaves_while_its_password_is_checked(server: LoginServer, house: House) -> None:
    with server.client() as client:
        assert client.sock is not None
        client.sock.sendall(f"AUTH PLAIN {plain()}\r\n".encode())
        client.sock.shutdown(socket.SHUT_RDWR)
        client.close()
    with server.client() as client:
        assert client.noop()[0] == 250


class TestVisit:
    """Whose session it is, step by step."""

    def visit(self) -> Visit:
        return Visit("1", Session(client_ip="192.0.2.1"), SmtpSettings())

    def test_the_with_keyword(self) -> None:
        visit = self.visit()
        visit.said_hello("x", extended=True)
        visit.started_tls(Tls(version="TLSv1.3", cipher="x", bits=256))
        visit.said_hello("x", extended=True)
        assert visit.session.protocol == "ESMTPS"
        visit.logged_in(ANN)
        assert (visit.session.protocol, visit.session.account) == ("ESMTPSA", ANN.account)
        visit.said_hello("y", extended=True)
        assert (visit.session.protocol, visit.session.account) == ("ESMTPSA", ANN.account)
        envelope = Envelope(mail_from="ü@example.net", recipients=(), smtputf8=True)
        assert visit.session_for(envelope).protocol == "UTF8SMTPSA"  # RFC 6531 §4.3

    def test_another_client_behind_the_relay_is_not_logged_in(self) -> None:
        visit = self.visit()
        visit.logged_in(ANN)
        visit.speaks_for("192.0.2.9", "192.0.2.1")
        assert (visit.session.account, visit.identity) == ("", None)


def test_xclient_login_is_believed_where_xclient_is(tmp_path: Path) -> None:
    house = House()
    server = LoginServer(tmp_path, lambda: house, SmtpSettings(xclient_networks=("127.0.0.0/8",)))
    try:
        with server.client(tls=False) as client:
            assert client.docmd("XCLIENT", "ADDR=192.0.2.7 LOGIN=Bob@example.net")[0] == 220
            client.ehlo()
            client.mail("bob@example.net")
            assert client.docmd("XCLIENT", "LOGIN=eve")[0] == 503
            client.rset()
            assert client.docmd("XCLIENT", "LOGIN=a+20b") == (501, b"5.5.4 Bad XCLIENT attribute")
            assert client.docmd("XCLIENT", "LOGIN=[UNAVAILABLE]")[0] == 220
            client.ehlo()
            client.mail("bob@example.net")
        first, second = house.sessions
        assert (first.account, first.client_ip, first.protocol) == ("bob@example.net", "192.0.2.7", "ESMTPA")
        assert (second.account, second.protocol) == ("", "ESMTP")
    finally:
        server.stop()
