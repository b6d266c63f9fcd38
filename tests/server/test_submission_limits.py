"""How much an account may send: over a limit it is suspended and its mail held, until somebody resumes it."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handing_in import ANN, BOB, PASSWORDS, PostOffice, hand_over, letter
from running import NameServer, until

StartOffice = Callable[..., PostOffice]
NEXT_HOP = '[delivery]\nrelay = "smtp:127.0.0.1:9"\nretry_min = 3600.0\n'  # nobody is there: what goes out waits
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.fixture
def start_office(tmp_path: Path, name_server: NameServer) -> Iterator[StartOffice]:
    offices: list[PostOffice] = []

    def start(limits: str) -> PostOffice:
        more = f"[submission.limits]\n{limits}\n{NEXT_HOP}"
        offices.append(PostOffice(tmp_path, name_server.port, more=more))
        return offices[-1]

    yield start
    for office in offices:
        office.stop()


def elsewhere(count: int) -> list[str]:
    return [f"p{number}@far.example" for number in range(count)]


def test_a_burst_suspends_keeps_its_mail_and_is_told_of(start_office: StartOffice) -> None:
    office = start_office("new_recipients_per_hour = 5")
    with office.logged_in() as first, office.logged_in() as second:
        assert hand_over(first, letter(subject="one"), *elsewhere(4))[0] == 250
        until(lambda: "status=deferred" in office.log, "the first mail waits for its next hop")
        code, text = hand_over(second, letter(subject="two"), "q1@far.example", "q2@far.example")
        assert code == 250, text  # kept, but it does not leave
        assert hand_over(first, letter(), BOB)[0] == 450
    with pytest.raises(smtplib.SMTPAuthenticationError):
        office.logged_in()
    assert office.hand_in(letter(BOB), ANN, account=BOB)[0] == 250  # nobody else is stopped
    states = {r["state"] for mail in office.cli_json("queue", "list", "--from", ANN) for r in mail["recipients"]}
    assert states == {"held"}
    assert "over 5 first-time recipients per hour" in office.logged("warning account-suspended")
    notice = next(f.read_bytes() for f in office.delivered("ann", 2) if b"Account suspended" in f.read_bytes())
    assert f"gatepost user resume {ANN}".encode() in notice
    shown = office.cli_json("user", "show", ANN)[0]
    assert (shown["state"], "first-time" in shown["suspended_for"]) == ("suspended", True)

    office.stop()  # it holds over a restart
    office.start()
    with pytest.raises(smtplib.SMTPAuthenticationError):
        office.logged_in()
    code, text = office.cli("user", "resume", ANN)
    assert code == 0, text
    mails = office.cli_json("queue", "list", "--from", ANN)
    assert {r["state"] for mail in mails for r in mail["recipients"]} == {"queued"}
    assert len(mails) == 2
    assert office.hand_in(letter(), *elsewhere(3))[0] == 250  # counts begin anew


def test_a_limit_may_refuse_and_an_account_have_its_own(start_office: StartOffice) -> None:
    office = start_office('messages_per_hour = 3\nover = "refuse"')
    for _ in range(3):  # over both workers: each session may meet another
        assert office.hand_in(letter())[0] == 250
    code, text = office.hand_in(letter())
    assert (code, text) == (450, "4.7.1 Too much: over 3 messages per hour; try again later")
    assert office.cli("user", "limits", ANN, "messages_per_hour=10")[0] == 0
    assert office.hand_in(letter())[0] == 250
    office.stop()
    office.start()
    assert office.hand_in(letter(BOB), ANN, account=BOB)[0] == 250
    assert "account-suspended" not in office.log


def test_who_sends_malware_again_and_again_is_suspended(start_office: StartOffice) -> None:
    office = start_office("bad_messages_per_day = 3")
    with office.logged_in() as client:
        assert [hand_over(client, letter(body=GTUBE))[0] for _ in range(3)] == [554] * 3
        assert hand_over(client, letter())[0] == 450
    assert "3 messages refused or held for what was inside within a day" in office.logged("account-suspended")
    assert PASSWORDS[ANN] not in office.log
