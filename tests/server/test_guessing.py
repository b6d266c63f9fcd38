"""Passwords are guessed at from many addresses, over two workers: slowed, blocked, banned; the office goes on."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.wire.sasl import encode_line
from handing_in import ANN, BOB, PASSWORDS, PostOffice
from running import NameServer, until

EAGER = """
[door]
exempt = ["127.0.0.1/32"]
[login.guessing]
address_failures = 4
account_failures = 10
delay = 0.05
"""


@pytest.fixture
def office(tmp_path: Path, name_server: NameServer) -> Iterator[PostOffice]:
    office = PostOffice(tmp_path, name_server.port, more=EAGER)
    yield office
    office.stop()


def log_in(office: PostOffice, source: str, account: str, password: str, port: str = "starttls") -> int:
    """The reply's code; 0 when there was no greeting."""
    try:
        with office.people(port, source) as client:
            client.ehlo()
            # not `login`, which tries one mechanism after the other
            return client.docmd("AUTH", "PLAIN " + encode_line(f"\0{account}\0{password}".encode()))[0]
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError):
        return 0


def test_a_guesser_is_banned_and_an_administrator_lets_him_in(office: PostOffice) -> None:
    guesser = "127.0.6.6"
    answers = [log_in(office, guesser, ANN, f"guess number {n}", ("starttls", "tls")[n % 2]) for n in range(6)]
    assert answers[:3] == [535, 535, 535]
    assert set(answers[3:]) <= {421, 0}
    until(lambda: bool(office.cli_json("ban", "list")), "the ban")
    (ban,) = office.cli_json("ban", "list")
    assert (ban["network"], ban["by"]) == (f"{guesser}/32", "door")
    assert "failed logins within an hour" in ban["reason"]
    until(lambda: log_in(office, guesser, ANN, PASSWORDS[ANN]) == 0, "the ban is in force in all workers")
    assert [log_in(office, "127.0.0.1", BOB, f"typo {n}") for n in range(6)] == [535] * 6
    assert log_in(office, "127.0.0.1", BOB, PASSWORDS[BOB]) == 235
    assert office.cli("ban", "lift", guesser)[0] == 0
    until(lambda: log_in(office, guesser, ANN, PASSWORDS[ANN]) == 235, "the ban is lifted")


def test_an_account_under_attack_and_its_owner(office: PostOffice) -> None:
    home, cafe = "127.0.7.1", "127.0.8.1"
    assert log_in(office, home, BOB, PASSWORDS[BOB]) == 235
    began = time.monotonic()
    assert [log_in(office, f"127.1.{n}.1", BOB, f"guess number {n}") for n in range(10)] == [535] * 10
    assert time.monotonic() - began > 0.05 * sum(range(1, 11))  # each waits longer than the one before
    assert log_in(office, cafe, BOB, PASSWORDS[BOB]) == 454
    assert log_in(office, cafe, ANN, PASSWORDS[ANN]) == 235
    assert log_in(office, "127.0.7.200", BOB, PASSWORDS[BOB]) == 235
    assert log_in(office, "127.0.0.1", BOB, PASSWORDS[BOB]) == 235
    assert "check=guessing.account" in office.logged("door-stopped")
    rows = office.cli("lists", "report")[1]
    assert "guessing.account" in rows
    for secret in (*PASSWORDS.values(), "guess number"):
        assert secret not in office.log
