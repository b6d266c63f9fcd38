"""People hand in mail to a running gate: the ports, who may write as whom, what is refused and why."""

from __future__ import annotations

import base64
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from handing_in import ANN, BOB, PASSWORDS, PostOffice, hand_over, letter
from running import NameServer, until

RECEIPT = (
    'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary="b"\n',
    "--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action; displayed\n--b--",
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[PostOffice]:
    office = PostOffice(
        tmp_path_factory.mktemp("office"),
        name_server.port,
        submission='relay_networks = ["127.0.0.9"]',
        domain='catch_all = "bob"',
        more='[delivery]\nrelay = "none"\n',
    )
    yield office
    office.stop()


@pytest.mark.parametrize("port", ["tls", "starttls", "other"])
def test_what_is_handed_in_arrives_signed(office: PostOffice, port: str) -> None:
    before = len(office.mailbox("bob"))
    code, text = office.hand_in(letter(subject=f"by {port}"), port=port)
    assert code == 250, text
    header = office.delivered("bob", before + 1)[-1].read_bytes().split(b"\r\n\r\n")[0].decode().replace("\r\n\t", " ")
    assert header.count("\r\nDKIM-Signature: ") == 2
    assert " with ESMTPSA id " in header
    assert "laptop" not in header
    assert "[127.0.0.1]" not in header
    assert "\r\nDate: " in header
    assert "\r\nMessage-ID: <" in header
    line = office.logged(f"info submitted id={text.rpartition(' ')[2]}")
    assert f"account={ANN}" in line
    assert "client=127.0.0.1 ehlo=laptop" in line
    assert office.cli_json("log", text.rpartition(" ")[2])[0]["mail_from"] == ANN


def test_nothing_is_done_before_tls_and_login(office: PostOffice) -> None:
    with office.people(tls=False) as client:
        assert not client.has_extn("auth")
        assert client.has_extn("starttls")
        assert client.mail(ANN) == (530, b"5.7.0 Start TLS first")
    with office.people() as client:
        assert client.has_extn("auth")
        assert not client.has_extn("starttls")
        assert client.mail(ANN) == (530, b"5.7.0 Log in first")


def test_a_password_before_tls_is_refused_and_its_owner_warned(office: PostOffice) -> None:
    secret = PASSWORDS[ANN]
    with office.people(tls=False) as client:
        token = base64.b64encode(f"\0{ANN}\0{secret}".encode()).decode()
        assert client.docmd("AUTH", f"PLAIN {token}")[0] == 538
        assert client.docmd("AUTH", "LOGIN")[0] == 538
    with office.people() as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(ANN, secret + "x")
    assert f"account={ANN}" in office.logged("password-exposed")
    until(lambda: "login-failed" in office.log, "the failed login is logged")
    written = office.log + office.cli("log", "--json", "--limit", "1000")[1]
    spellings = [secret, secret + "x", token, base64.b64encode(secret.encode()).decode().rstrip("=")]
    spellings += [base64.b64encode(f"\0{ANN}\0{secret}x".encode()).decode(), secret.encode().hex()]
    for folder in (office.folder / "store").glob("*.db*"):
        written += folder.read_bytes().decode("latin-1")
    assert not [spelling for spelling in spellings if spelling in written]


@pytest.mark.parametrize(
    ("sender", "author", "code"),
    [
        (ANN, ANN, 250),
        ("Ann+News@Gate.Example", f"Ann Miller <{ANN}>", 250),
        ("sales@gate.example", "sales@gate.example", 250),  # an alias whose mail she gets
        (BOB, ANN, 553),
        ("nobody@gate.example", ANN, 553),  # a catch-all makes nobody everybody
        ("ann@elsewhere.example", ANN, 553),
        (ANN, BOB, 550),
        (ANN, f"{ANN}, {BOB}", 550),
        (ANN, f"{ANN}\nSender: {BOB}", 550),
        (ANN, f"{ANN}\nFrom: chief@bank.example", 550),
        (ANN, "undisclosed:;", 550),
        ("", ANN, 550),
    ],
)  # fmt: skip
def test_who_may_write_as_whom(office: PostOffice, sender: str, author: str, code: int) -> None:
    answer = office.hand_in(letter(author), sender=sender)
    assert answer[0] == code, answer


def test_a_delegated_sender_may_be_used_until_it_is_taken_back(office: PostOffice) -> None:
    assert office.cli("user", "delegate", ANN, BOB)[0] == 0
    assert office.hand_in(letter(BOB), sender=BOB)[0] == 250
    assert office.cli("user", "undelegate", ANN, BOB)[0] == 0
    assert office.hand_in(letter(BOB), sender=BOB)[0] == 553


def test_a_receipt_may_have_the_null_sender(office: PostOffice) -> None:
    assert office.hand_in(letter(more=RECEIPT[0], body=RECEIPT[1]), sender="")[0] == 250


def test_recipients(office: PostOffice) -> None:
    assert office.hand_in(letter(), "joe@sender.example")[1].startswith("5.4.4 Mail to other domains cannot leave")
    assert office.hand_in(letter(), "ann%elsewhere.example@gate.example")[0] == 550


def test_a_listed_network_relays_as_ours_only(office: PostOffice) -> None:
    with office.people(source="127.0.0.9") as client:
        assert hand_over(client, letter("printer@gate.example"), sender="printer@gate.example")[0] == 250
        assert hand_over(client, letter("printer@gate.example"), sender="x@sender.example")[0] == 553
        assert hand_over(client, letter("x@sender.example"), sender="printer@gate.example")[0] == 550
    with office.people(source="127.0.0.8") as client:
        assert hand_over(client, letter(), sender=ANN)[0] == 530


def test_what_is_inside_may_be_refused(office: PostOffice) -> None:
    gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    code, text = office.hand_in(letter(subject="gtube", body=gtube))
    assert (code, "(content.gtube)" in text) == (554, True)
    assert 'reason="what is inside"' in office.logged("submission-refused")


def test_the_account_of_a_session_that_starts_tls_again_is_none(office: PostOffice) -> None:
    with office.logged_in() as client:
        assert client.docmd("AUTH", "PLAIN")[0] == 503
        assert client.docmd("STARTTLS")[0] in (502, 503)


def test_whom_one_writes_to_becomes_an_acquaintance(office: PostOffice) -> None:
    import asyncio

    from gatepost.store.history import SenderHistory

    with office.people(source="127.0.0.9") as client:  # no account: nobody's acquaintance
        hand_over(client, letter("printer@gate.example"), "bob@gate.example", sender="printer@gate.example")
    assert office.hand_in(letter(), BOB)[0] == 250
    history = SenderHistory(office.folder / "store")
    until(lambda: bool(asyncio.run(history.known_to(ANN, [BOB, "x@sender.example"]))), "the history has it")
    assert asyncio.run(history.known_to(ANN, [BOB, "x@sender.example"])) == {BOB}
    assert asyncio.run(history.known_to("printer@gate.example", [BOB])) == frozenset()
    history.close()


def test_the_check_before_the_start(office: PostOffice, tmp_path: Path) -> None:
    config = office.config.read_text()
    try:
        office.config.write_text(config.replace('["127.0.0.9"]', '["172.17.0.0/16"]'))
        code, text = office.cli("serve", "--check")
        assert code == 0
        assert "NO WAY OUT" in text
        assert "STRANGERS may hide behind a bridge or a proxy in 172.17.0.0/16" in text
        office.process.send_signal(signal.SIGHUP)
        until(
            lambda: (
                'relays-for-many networks="172.17.0.0/16"' in office.log
                or "relays-for-many networks=172.17.0.0/16" in office.log
            ),
            "whoever reads the log is warned, too",
        )
        office.config.write_text(config.replace('certificate = "mx.pem"', ""))
        code, text = office.cli("serve", "--check")
        assert (code, "needs tls.certificate" in text) == (2, True)
    finally:
        office.config.write_text(config)
