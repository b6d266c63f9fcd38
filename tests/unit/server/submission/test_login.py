"""Logging in with real accounts: right and wrong, guessers from many addresses, what the log says, a busy directory."""

from __future__ import annotations

import asyncio
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.errors import StoreBusy, StoreError
from gatepost.ports import Identity, ScramVerifier
from gatepost.server.metrics import Metric
from gatepost.server.submission.login_settings import LoginSettings
from gatepost.server.submission.pool import PooledDirectory
from gatepost.store.accounts import Accounts
from gatepost.store.bans import Bans
from gatepost.wire.sasl import encode_line
from logging_in import LoginServer, exchange_with
from login_house import ANN, BOB, EAGER, PASSWORDS, LoginHouse, make_accounts

OFFICE, STRANGER = "127.0.0.1", "127.0.7.7"


class Running:
    """A server with a house, and clients from any loopback address."""

    def __init__(self, folder: Path, accounts: Accounts, login: LoginSettings | None = None) -> None:
        self.house: LoginHouse

        def make() -> LoginHouse:
            self.house = LoginHouse(folder, accounts, login)
            return self.house

        self.server = LoginServer(folder, make)

    def log_in(self, name: str, password: str, ip: str = OFFICE) -> int:
        """The reply to AUTH PLAIN; 0 when the connection was not even greeted."""
        try:
            with smtplib.SMTP("127.0.0.1", self.server.port, "c", timeout=20, source_address=(ip, 0)) as client:
                client.starttls(context=self.server.client_context())
                client.ehlo()
                return client.docmd("AUTH", "PLAIN " + encode_line(f"\0{name}\0{password}".encode()))[0]
        except (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected):
            return 0

    def stop(self) -> None:
        self.server.run(self.house.close())
        self.server.stop()


Start = Callable[..., Running]


def eventually(happens: Callable[[], bool]) -> bool:
    """Bans are written and read beside the loop."""
    for _ in range(100):
        if happens():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of accounts: making their hashes takes its time."""
    folder = tmp_path_factory.mktemp("accounts")
    make_accounts(folder).close()
    return (folder / "accounts.db").read_bytes()


@pytest.fixture
def start(tmp_path: Path, template: bytes) -> Iterator[Start]:
    (tmp_path / "accounts.db").write_bytes(template)
    started: list[Running] = []

    def run(login: LoginSettings | None = None) -> Running:
        started.append(Running(tmp_path, Accounts.open(tmp_path), login))
        return started[-1]

    yield run
    for one in started:
        one.stop()


def test_right_and_wrong(start: Start) -> None:
    running = start()
    assert running.log_in("Ann@example.net", PASSWORDS[ANN]) == 235
    assert running.log_in(ANN, PASSWORDS[BOB]) == 535
    assert running.log_in("nobody@example.net", PASSWORDS[ANN]) == 535
    with running.server.client() as client:
        exchange = running.server.scram(client, BOB, PASSWORDS[BOB], plus=True)
        assert exchange_with(client, exchange)[0] == 235
        client.mail(BOB)
    assert running.house.sessions[0].account == BOB
    assert running.house.count(Metric.LOGINS) == 2
    assert running.house.count(Metric.LOGINS_FAILED) == 2


def test_the_log_names_accounts_and_never_a_secret(start: Start) -> None:
    running = start()
    running.log_in(ANN, PASSWORDS[ANN])
    running.log_in(ANN, "a-wrong-secret")
    running.log_in("a-secret-in-the-wrong-box", PASSWORDS[ANN])
    with running.server.client(tls=False) as client:
        for _ in range(3):
            sent = encode_line(f"\0{ANN}\0{PASSWORDS[ANN]}".encode())
            assert client.docmd("AUTH", f"PLAIN {sent}")[0] == 538
        client.docmd("AUTH", "PLAIN " + encode_line(b"\0nobody@example.net\0a-secret"))
    running.server.run(running.house.close())
    log = running.house.log_text().splitlines()
    assert f"info login account={ANN} credential=password mechanism=PLAIN client=127.0.0.1" in log[0]
    assert f"info login-failed account={ANN} mechanism=PLAIN" in log[1]
    assert "info login-failed mechanism=PLAIN" in log[2]
    assert f"warning password-exposed account={ANN} mechanism=PLAIN" in log[3]  # once a minute
    assert len(log) == 4
    whole = "\n".join(log)
    for secret in (*PASSWORDS.values(), "secret", sent):
        assert secret not in whole


def test_a_guesser_is_banned_and_the_own_network_never(start: Start, tmp_path: Path) -> None:
    running = start()
    assert [running.log_in(ANN, f"guess number {n}", STRANGER) for n in range(4)] == [535, 535, 535, 421]
    assert eventually(lambda: running.log_in(ANN, PASSWORDS[ANN], STRANGER) == 0)  # not even greeted
    with_store = Bans.open(tmp_path)
    (ban,) = with_store.in_force(time.time())
    assert (ban.network, ban.by_hand) == ("127.0.7.7/32", False)
    assert ban.reason.endswith("failed logins within an hour")
    with_store.lift(ban.network, time.time())  # as `gatepost ban lift` does
    with_store.close()
    assert eventually(lambda: running.log_in(ANN, PASSWORDS[ANN], STRANGER) == 235)
    for n in range(6):
        assert running.log_in(BOB, f"typo {n}") == 535
    assert running.log_in(BOB, PASSWORDS[BOB]) == 235
    assert {note.check for note in running.house.notes} == {"door.guessing.address", "door.ban"}


def test_an_account_under_attack_from_everywhere(start: Start) -> None:
    """Its owner gets in from where she was before; nobody gets in from elsewhere, with whatever password."""
    running = start(LoginSettings(guessing=replace(EAGER, password_accounts=0)))
    assert running.log_in(ANN, PASSWORDS[ANN], "127.0.9.9") == 235
    for n in range(8):
        assert running.log_in(ANN, f"guess number {n}", f"127.1.{n}.1") == 535
    assert running.log_in(ANN, PASSWORDS[ANN], "127.2.2.2") == 454
    assert running.log_in(ANN, "another guess", "127.2.2.2") == 454
    assert running.log_in(ANN, PASSWORDS[ANN], "127.0.9.77") == 235
    assert running.log_in(ANN, PASSWORDS[ANN], OFFICE) == 235
    assert running.log_in(BOB, PASSWORDS[BOB], "127.2.2.2") == 235
    assert running.house.notes[-1].check == "door.guessing.account"


def test_one_password_over_many_accounts(start: Start) -> None:
    running = start()
    for n in range(3):
        assert running.log_in(f"user{n}@example.net", PASSWORDS[BOB], f"127.3.{n}.1") == 535
    assert running.log_in(BOB, PASSWORDS[BOB], "127.4.4.4") == 454
    assert running.log_in(BOB, PASSWORDS[BOB], OFFICE) == 235
    assert PASSWORDS[BOB] not in running.house.log_text()
    assert PASSWORDS[BOB] not in repr(running.house.notes)


def test_watching_only_tells(start: Start) -> None:
    running = start(LoginSettings(guessing=replace(EAGER, mode="watch")))
    assert [running.log_in(ANN, f"guess number {n}", STRANGER) for n in range(6)] == [535] * 6
    assert running.log_in(ANN, PASSWORDS[ANN], STRANGER) == 235
    assert {(note.check, note.mode) for note in running.house.notes} == {("door.guessing.address", "watch")}


def test_an_app_password_that_is_not_for_sending(start: Start, tmp_path: Path) -> None:
    accounts = Accounts.open(tmp_path)
    reading = accounts.app_passwords.add(ANN, "reader", ["imap"], time.time())
    sending = accounts.app_passwords.add(ANN, "printer", ["submit"], time.time())
    accounts.close()
    running = start()
    assert running.log_in(ANN, reading) == 535
    assert running.log_in(ANN, sending) == 235
    assert "credential=app:printer" in running.house.log_text()


def test_a_certificate_by_its_fingerprint(start: Start, tmp_path: Path) -> None:
    import hashlib
    import ssl

    running = start()
    pair = running.server.issue("laptop.example.net")
    der = ssl.PEM_cert_to_DER_cert(
        pair[0].read_text().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    )
    with running.server.client(certificate=pair) as client:
        assert client.docmd("AUTH", "EXTERNAL =")[0] == 535
    accounts = Accounts.open(tmp_path)
    accounts.certificates.add(ANN, "fingerprint", hashlib.sha256(der).hexdigest(), time.time())
    accounts.close()
    with running.server.client(certificate=pair) as client:
        assert client.docmd("AUTH", "EXTERNAL =")[0] == 235
    assert f"account={ANN} credential=certificate mechanism=EXTERNAL" in running.house.log_text()


class Slow:
    """A directory whose every answer takes until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def check_password(self, name: str, password: str) -> Identity | None:
        self.go.wait(20)
        if name == "broken":
            raise StoreError("the disk")
        return Identity(account=name)

    def verifier(self, name: str) -> ScramVerifier | None:
        return None

    def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        return None


def test_a_directory_that_has_too_much_to_do_says_so_at_once() -> None:
    async def body() -> None:
        slow = Slow()
        pool = PooledDirectory(slow, at_once=1, waiting=2)
        asked = [asyncio.create_task(pool.check_password(f"user{n}", "x")) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy):
            await pool.check_password("one too many", "x")
        asked[2].cancel()  # a client that left: its check still takes its place
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy):
            await pool.check_password("one too many", "x")
        slow.go.set()
        assert [await one for one in asked[:2]] == [Identity(account="user0"), Identity(account="user1")]
        with pytest.raises(StoreError):
            await pool.check_password("broken", "x")
        assert await pool.verifier("x") is None
        pool.close()

    asyncio.run(body())


def test_passwords_are_checked_beside_the_loop() -> None:
    """While a check takes its time, the loop goes on, and quick questions do not wait behind it."""

    async def body() -> None:
        slow = Slow()
        pool = PooledDirectory(slow, at_once=1, waiting=5)
        checking = asyncio.create_task(pool.check_password("ann", "x"))
        assert await asyncio.wait_for(pool.verifier("bob"), 5) is None
        assert not checking.done()
        slow.go.set()
        assert await checking == Identity(account="ann")
        pool.close()

    asyncio.run(body())
