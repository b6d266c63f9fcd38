"""Accounts: created, listed, checked, removed; never a readable password."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import InputError
from gatepost.store.accounts import AccountDirectory, Accounts, passwords, prepare_address, random_password
from gatepost.store.accounts.passwords import hash_password
from gatepost.store.accounts.schema import STEPS
from gatepost.store.accounts.scram import derive_keys
from gatepost.store.database import open_database

NOW = 1_790_000_000.0
ANNA = "anna@example.org"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    opened = Accounts.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def directory(accounts: Accounts) -> AccountDirectory:
    return AccountDirectory(accounts, "example.org", clock=lambda: NOW)


def test_a_password_is_right_or_not_in_any_case_of_the_address(
    accounts: Accounts, directory: AccountDirectory, tmp_path: Path
) -> None:
    password = random_password()
    accounts.add("Anna@Example.org", password, NOW)
    found = directory.check_password("anna@example.ORG", password)
    assert found is not None
    assert (found.account, found.credential, found.may("imap")) == (ANNA, "password", True)
    assert directory.check_password("anna", password) == found
    assert directory.check_password(ANNA, password + "x") is None
    for nobody in ("nobody@example.org", "", "@", "anna@", "\0@x", "anna@example.net"):
        assert directory.check_password(nobody, password) is None
        assert directory.verifier(nobody) is None
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert password.encode() not in stored
    assert b"$argon2id$" in stored


def test_list_change_remove(accounts: Accounts, directory: AccountDirectory) -> None:
    for name in ("b", "a"):
        accounts.add(f"{name}@example.org", random_password(), NOW)
    before = accounts.generation()
    assert accounts.addresses() == ["a@example.org", "b@example.org"]
    accounts.set_password("A@example.org", "correct horse battery", NOW + 5)
    assert directory.check_password("a@example.org", "correct horse battery")
    assert accounts.show("a@example.org").password_set_at == NOW + 5
    assert accounts.generation() == before
    accounts.remove("a@example.org")
    assert accounts.addresses() == ["b@example.org"]
    assert accounts.generation() > before


def test_nothing_of_a_removed_account_is_left(accounts: Accounts, directory: AccountDirectory) -> None:
    for name in ("anna", "ben"):
        accounts.add(f"{name}@example.org", random_password(), NOW)
    app = accounts.app_passwords.add(ANNA, "phone", ["imap"], NOW)
    accounts.certificates.add(ANNA, "fingerprint", "ab" * 32, NOW)
    accounts.rights.delegate("ben@example.org", ANNA, NOW)
    accounts.rights.set_limit(ANNA, "messages_per_day", 5)
    accounts.remove(ANNA)
    accounts.add(ANNA, random_password(), NOW)
    assert directory.check_password(ANNA, app) is None
    assert directory.by_certificate("ab" * 32, "") is None
    assert not directory.may_send_as("ben@example.org", ANNA)
    assert not accounts.show(ANNA).standing.limits


def test_what_will_not_do_is_refused_and_the_password_not_shown(accounts: Accounts) -> None:
    accounts.add("a@example.org", random_password(), NOW)
    with pytest.raises(InputError, match="exists already"):
        accounts.add("A@example.org", random_password(), NOW)
    with pytest.raises(InputError, match="at least 12") as refusal:
        accounts.add("b@example.org", "hunter2", NOW)
    assert "hunter2" not in str(refusal.value)
    for nonsense in ("", "a", "@x", "a@", "a b@x", "a\r\n@x", "a@x y", "a..b@x", '"a"@x', "a@" + "x" * 300, "\ud800@x"):
        with pytest.raises(InputError):
            accounts.add(nonsense, random_password(), NOW)
    with pytest.raises(InputError, match="control character"):
        accounts.add("c@example.org", "correct horse\0battery", NOW)
    with pytest.raises(InputError, match="does not exist"):
        accounts.remove("c@example.org")


def test_names_that_look_the_same_are_the_same(accounts: Accounts, directory: AccountDirectory) -> None:
    accounts.add("jürgen@bücher.example", "Zwölf Füße gehen heim", NOW)
    assert accounts.addresses() == ["jürgen@xn--bcher-kva.example"]
    assert directory.check_password("ju\u0308rgen@xn--bcher-kva.example", "Zwölf Füße gehen heim")
    assert prepare_address("ＡＮＮ@example.org") == "ann@example.org"
    assert prepare_address("аnn@example.org") != prepare_address("ann@example.org")  # Cyrillic stays Cyrillic


def test_random_passwords_differ_and_are_long() -> None:
    passwords = {random_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(len(password) == 23 for password in passwords)


# --- SCRAM


def test_a_verifier_is_kept_with_the_password(accounts: Accounts, directory: AccountDirectory) -> None:
    accounts.add(ANNA, "correct horse battery", NOW)
    kept = directory.verifier("anna")
    assert kept is not None
    keys = derive_keys("correct horse battery", salt=kept.salt, iterations=kept.iterations)
    assert (keys.stored_key, keys.server_key) == (kept.stored_key, kept.server_key)
    assert kept.iterations >= 4096
    assert (kept.identity.account, kept.identity.credential) == (ANNA, "scram")
    accounts.set_password(ANNA, "battery staple horse", NOW)
    changed = directory.verifier(ANNA)
    assert changed is not None
    assert changed.stored_key != kept.stored_key


def test_the_example_of_rfc_7677() -> None:
    import base64
    import hashlib
    import hmac

    keys = derive_keys("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)
    spoken = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signed = hmac.digest(keys.server_key, spoken, "sha256")
    assert base64.b64encode(signed) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_signature = hmac.digest(keys.stored_key, spoken, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, client_signature, strict=True))
    assert hashlib.sha256(client_key).digest() == keys.stored_key


def test_accounts_of_before_get_a_verifier_when_they_log_in(tmp_path: Path) -> None:
    old = open_database(tmp_path / "accounts.db", STEPS[:1])
    row = (ANNA, hash_password("as short"), NOW)
    old.execute("INSERT INTO account VALUES (?, ?, ?)", row)
    old.close()
    accounts = Accounts.open(tmp_path)
    directory = AccountDirectory(accounts)
    try:
        assert accounts.show(ANNA).password_set_at == NOW
        assert directory.verifier(ANNA) is None
        assert directory.check_password(ANNA, "a wrong one") is None
        assert directory.verifier(ANNA) is None
        assert directory.check_password(ANNA, "as short")
        assert directory.verifier(ANNA) is not None
    finally:
        accounts.close()
    with sqlite3.connect(tmp_path / "accounts.db") as raw:
        assert raw.execute("PRAGMA user_version").fetchone()[0] == len(STEPS)


# --- app passwords and certificates


def test_app_passwords_are_good_for_what_they_were_made_for(accounts: Accounts, directory: AccountDirectory) -> None:
    accounts.add(ANNA, random_password(), NOW)
    password = accounts.app_passwords.add(ANNA, "telephone", ["imap", "submit"], NOW - 10)
    assert accounts.app_passwords.all(ANNA)[0].last_used is None
    for written in (password, password.replace("-", ""), password.replace("-", " ")):
        found = directory.check_password(ANNA, written)
        assert found is not None
        assert (found.credential, found.may("submit"), found.may("pop3")) == ("app:telephone", True, False)
    kept = accounts.app_passwords.all(ANNA)[0]
    assert (kept.scopes, kept.last_used) == (("submit", "imap"), NOW)
    assert directory.check_password(ANNA, password.swapcase()) is None
    with pytest.raises(InputError, match="has one of this name"):
        accounts.app_passwords.add(ANNA, "telephone", ["imap"], NOW)
    with pytest.raises(InputError, match="choose of submit, imap, pop3"):
        accounts.app_passwords.add(ANNA, "x", ["smtp"], NOW)
    accounts.app_passwords.remove(ANNA, "telephone")
    assert directory.check_password(ANNA, password) is None
    with pytest.raises(InputError, match="none of this name"):
        accounts.app_passwords.remove(ANNA, "telephone")


def test_app_passwords_are_bounded(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.store.accounts.credentials.MAX_PER_ACCOUNT", 2)
    accounts.add(ANNA, random_password(), NOW)
    for name in "ab":
        accounts.app_passwords.add(ANNA, name, ["imap"], NOW)
    with pytest.raises(InputError, match="has 2 already"):
        accounts.app_passwords.add(ANNA, "c", ["imap"], NOW)


def test_certificates_prove_one_account(accounts: Accounts, directory: AccountDirectory) -> None:
    for name in ("anna", "ben"):
        accounts.add(f"{name}@example.org", random_password(), NOW)
    accounts.certificates.add(ANNA, "fingerprint", ":".join(["AB"] * 32), NOW)
    accounts.certificates.add("ben@example.org", "subject", "CN=Ben,O=Example", NOW)
    found = directory.by_certificate("ab" * 32, "")
    assert found is not None
    assert (found.account, found.credential) == (ANNA, "certificate")
    subject = directory.by_certificate("cd" * 32, "CN=Ben,O=Example")
    assert subject is not None
    assert subject.account == "ben@example.org"
    assert directory.by_certificate("cd" * 32, "") is None
    assert directory.by_certificate("", "") is None
    with pytest.raises(InputError, match="is bound already"):
        accounts.certificates.add("ben@example.org", "fingerprint", "ab" * 32, NOW)
    with pytest.raises(InputError, match="64 hex digits"):
        accounts.certificates.add(ANNA, "fingerprint", "abc", NOW)
    with pytest.raises(InputError, match="RFC 4514"):
        accounts.certificates.add(ANNA, "subject", "Ann", NOW)
    accounts.certificates.remove(ANNA, "AB" * 32)
    assert directory.by_certificate("ab" * 32, "") is None


# --- rights


def test_nobody_logs_in_while_suspended(accounts: Accounts, directory: AccountDirectory) -> None:
    password = random_password()
    accounts.add(ANNA, password, NOW)
    app = accounts.app_passwords.add(ANNA, "x", ["imap"], NOW)
    accounts.certificates.add(ANNA, "fingerprint", "ab" * 32, NOW)
    assert accounts.rights.suspend(ANNA, "a burst:\n900 messages", NOW)
    assert not accounts.rights.suspend(ANNA, "again", NOW + 1)
    assert directory.check_password(ANNA, password) is None
    assert directory.check_password(ANNA, app) is None
    assert directory.verifier(ANNA) is None
    assert directory.by_certificate("ab" * 32, "") is None
    assert directory.exists(ANNA)
    suspension = directory.standing(ANNA).suspension
    assert suspension is not None
    assert (suspension.since, suspension.reason) == (NOW, "a burst: 900 messages")
    assert accounts.rights.resume(ANNA)
    assert not accounts.rights.resume(ANNA)
    assert directory.check_password(ANNA, password)


def test_who_may_write_as_whom(accounts: Accounts, directory: AccountDirectory) -> None:
    accounts.add(ANNA, random_password(), NOW)
    assert directory.may_send_as(ANNA, "ANNA@Example.org")
    assert directory.may_send_as(ANNA, "anna+shop@example.org")
    assert not directory.may_send_as(ANNA, "anna+shop@example.org", separator="")
    assert not directory.may_send_as(ANNA, "+anna@example.org")
    for address in ("sales@example.org", "ben@example.org", "anna@example.net", "", "anna", "a\0@example.org"):
        assert not directory.may_send_as(ANNA, address)
    assert accounts.rights.delegate(ANNA, "Sales@example.org", NOW)
    assert not accounts.rights.delegate(ANNA, "sales@EXAMPLE.org", NOW)
    assert accounts.rights.delegate(ANNA, "@bücher.example", NOW)
    assert directory.may_send_as(ANNA, "sales@example.org")
    assert directory.may_send_as(ANNA, "sales+x@example.org")
    assert directory.may_send_as(ANNA, "anybody@xn--bcher-kva.example")
    assert not directory.may_send_as("ben@example.org", "sales@example.org")
    assert directory.standing(ANNA).senders == ("@xn--bcher-kva.example", "sales@example.org")
    assert accounts.rights.undelegate(ANNA, "sales@example.org")
    assert not directory.may_send_as(ANNA, "sales@example.org")


def test_limits_and_bulk(accounts: Accounts, directory: AccountDirectory) -> None:
    accounts.rights.set_limit(ANNA, "messages_per_hour", 0)
    accounts.rights.set_limit(ANNA, "recipients_per_day", 9)
    accounts.rights.set_limit(ANNA, "recipients_per_day", None)
    accounts.rights.set_bulk(ANNA, True)
    standing = directory.standing(ANNA)
    assert (dict(standing.limits), standing.is_bulk) == ({"messages_per_hour": 0}, True)
    with pytest.raises(InputError, match="known are messages_per_hour"):
        accounts.rights.set_limit(ANNA, "mails", 1)
    with pytest.raises(InputError, match="from 0"):
        accounts.rights.set_limit(ANNA, "messages_per_day", -1)


def test_a_right_password_is_believed_for_a_moment_and_no_longer_than_it_is_right(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, slow = [100.0], []
    real = passwords.is_right

    def counted(kept: str, password: str) -> bool:
        slow.append(password)
        return real(kept, password)

    monkeypatch.setattr(passwords, "is_right", counted)
    accounts.add(ANNA, "correct horse battery", NOW)
    directory = AccountDirectory(accounts, remember=300.0, monotonic=lambda: now[0])
    assert directory.check_password(ANNA, "correct horse battery")
    assert directory.check_password(ANNA, "correct horse battery")
    assert len(slow) == 1
    for _ in range(2):
        assert directory.check_password(ANNA, "correct horse batterx") is None
        assert directory.check_password("nobody@example.org", "correct horse battery") is None
    assert len(slow) == 5, "what is wrong costs the same each time"

    now[0] += 301
    assert directory.check_password(ANNA, "correct horse battery")
    assert len(slow) == 6
    accounts.set_password(ANNA, "another horse battery", NOW)
    assert directory.check_password(ANNA, "correct horse battery") is None
    assert directory.check_password(ANNA, "another horse battery")
    accounts.rights.suspend(ANNA, "too much", NOW)
    assert directory.check_password(ANNA, "another horse battery") is None
    accounts.remove(ANNA)
    accounts.add(ANNA, "third horse battery", NOW)
    assert directory.check_password(ANNA, "another horse battery") is None


def test_without_a_time_every_login_pays(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = []

    def counted(kept: str, password: str) -> bool:
        slow.append(password)
        return True

    monkeypatch.setattr(passwords, "is_right", counted)
    accounts.add(ANNA, "correct horse battery", NOW)
    directory = AccountDirectory(accounts)
    assert directory.check_password(ANNA, "correct horse battery")
    assert directory.check_password(ANNA, "correct horse battery")
    assert len(slow) == 2
