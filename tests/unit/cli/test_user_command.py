"""`gatepost user`: what it answers, what it refuses, and that no secret is printed twice or taken as an argument."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from gatepost.store.accounts import AccountDirectory, Accounts
from schemas import validator

ANN = "ann@example.org"


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a gate with two domains and no account."""
    (tmp_path / "data").mkdir()
    text = '[domains."example.org"]\n[domains."bücher.example"]\n[store]\nfolder = "data"\n'
    (tmp_path / "gatepost.toml").write_text(text)
    monkeypatch.setenv("GATEPOST_CONFIG", str(tmp_path / "gatepost.toml"))
    return tmp_path


class User:
    """Runs `gatepost user` and reads what it prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def json(self, schema: str, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        assert main(["user", *arguments, "--json"]) == code
        answers = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        for answer in answers:
            validator(schema).validate(answer)
        return answers

    def text(self, *arguments: str, code: int = 0) -> str:
        assert main(["user", *arguments]) == code
        out, error = self._capsys.readouterr()
        assert error.count("\n") == (1 if code == 2 else 0)
        return out + error


@pytest.fixture
def user(capsys: pytest.CaptureFixture[str]) -> User:
    return User(capsys)


def logs_in(gate: Path, name: str, password: str) -> bool:
    accounts = Accounts.open(gate / "data")
    try:
        return AccountDirectory(accounts).check_password(name, password) is not None
    finally:
        accounts.close()


def test_from_adding_to_removing(gate: Path, user: User) -> None:
    (made,) = user.json("account-password", "add", "Ann@Example.org")
    assert made["account"] == ANN
    assert logs_in(gate, ANN, made["password"])
    (listed,) = user.json("account", "list")
    assert (listed["account"], listed["state"], listed["scram"]) == (ANN, "active", True)
    assert made["password"] not in user.text("list") + user.text("show", ANN)
    (changed,) = user.json("account-password", "passwd", ANN)
    assert logs_in(gate, ANN, changed["password"])
    assert not logs_in(gate, ANN, made["password"])
    user.json("changed", "remove", ANN)
    assert user.json("account", "list") == []
    assert "no accounts" in user.text("list")


def test_a_password_of_ones_own_is_piped_in(gate: Path, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("blue wagons fly home\r\nnext line\n"))
    assert user.json("account-password", "add", ANN, "--stdin")[0]["password"] is None
    assert logs_in(gate, ANN, "blue wagons fly home")
    for bad in ("", "short\n", "Password2026!!!!\n", "ann.example.org.2026\n", "with\0nul in the middle\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(bad))
        told = user.text("passwd", ANN, "--stdin", code=2)
        assert "(not shown)" in told
        assert not bad.strip() or bad.strip() not in told
    assert "use --stdin" in user.text("passwd", ANN, "--prompt", code=2)
    assert "choose one" in user.text("passwd", ANN, "--prompt", "--stdin", code=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "ann"), "write the whole address"),
        (("add", "ann@elsewhere.example"), "is no domain of this gate; they are example.org, bücher.example"),
        (("add", "@example.org"), "local-part@domain"),
        (("add", "a b@example.org"), "ACCOUNT"),
        (("show", "nobody@example.org"), "does not exist here; `gatepost user list`"),
        (("passwd", "nobody@example.org"), "does not exist here"),
        (("suspend", "nobody@example.org"), "does not exist here"),
        (("certificate", "add", ANN), "give one of --file, --fingerprint, --subject"),
        (("certificate", "add", ANN, "--fingerprint", "12"), "64 hex digits"),
        (("certificate", "add", ANN, "--file", "missing.pem"), "cannot be read"),
        (("app-password", "add", ANN, "x", "--scope", "smtp"), "choose of submit, imap, pop3"),
        (("limits", ANN, "messages_per_day"), "write it as messages_per_day=500"),
        (("limits", ANN, "mails=3"), "known are messages_per_hour"),
        (("delegate", ANN, "sales"), "local-part@domain"),
        (("bulk", ANN, "maybe"), "is not one of"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(gate: Path, user: User, arguments: tuple[str, ...], told: str) -> None:
    if "nobody" not in " ".join(arguments):
        user.text("add", ANN)
    if arguments[0] == "add":
        user.text("remove", ANN)
    assert told in user.text(*arguments, code=2)


def test_rights(gate: Path, user: User) -> None:
    user.text("add", ANN)
    user.json("changed", "delegate", ANN, "Sales@example.org")
    user.json("changed", "delegate", ANN, "sales@example.org", code=1)
    user.json("changed", "delegate", ANN, "@bücher.example")
    user.json("changed", "undelegate", ANN, "sales@example.org")
    user.json("changed", "bulk", ANN, "on")
    user.json("changed", "bulk", ANN, "on", code=1)
    user.json("changed", "suspend", ANN, "--reason", "a burst")
    user.json("changed", "suspend", ANN, code=1)
    (limits,) = user.json("account-limits", "limits", ANN, "messages_per_day=0", "recipients_per_day=50")
    assert limits["limits"] == {"messages_per_day": 0, "recipients_per_day": 50}
    (shown,) = user.json("account", "show", ANN)
    assert (shown["state"], shown["bulk"], shown["senders"]) == ("suspended", True, ["@xn--bcher-kva.example"])
    assert shown["suspended_for"].startswith("a burst (")
    assert "a burst (" in user.text("show", ANN)
    user.json("changed", "resume", ANN)
    user.json("changed", "resume", ANN, code=1)
    assert user.json("account-limits", "limits", ANN, "messages_per_day=default")[0]["limits"] == {
        "recipients_per_day": 50
    }


def test_app_passwords_and_certificates(gate: Path, user: User) -> None:
    user.text("add", ANN)
    (made,) = user.json("app-password", "app-password", "add", ANN, "phone", "--scope", "imap", "--scope", "submit")
    assert logs_in(gate, ANN, made["password"])
    (listed,) = user.json("app-password", "app-password", "list", ANN)
    assert (listed["scopes"], "password" in listed) == (["submit", "imap"], False)
    assert "phone" in user.text("app-password", "list", ANN)
    user.json("changed", "app-password", "remove", ANN, "phone")
    assert not logs_in(gate, ANN, made["password"])
    pem = gate / "ann.pem"
    key = gate / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=Ann", "-days", "2"]
    subprocess.run([*request, "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True)
    (bound,) = user.json("certificate", "certificate", "add", ANN, "--file", str(pem))
    user.json("certificate", "certificate", "add", ANN, "--subject", "CN=Ann,O=Example")
    shown = subprocess.run(
        ["openssl", "x509", "-in", str(pem), "-noout", "-fingerprint", "-sha256"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    fingerprint = shown.strip().partition("=")[2]
    assert bound["value"] == fingerprint.replace(":", "").lower()
    assert len(user.json("certificate", "certificate", "list")) == 2
    user.json("changed", "certificate", "remove", ANN, fingerprint)
    assert [one["kind"] for one in user.json("certificate", "certificate", "list", ANN)] == ["subject"]
    (gate / "no.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert "holds no certificate" in user.text("certificate", "add", ANN, "--file", str(gate / "no.pem"), code=2)


def test_audit(gate: Path, user: User) -> None:
    from gatepost.store.accounts.passwords import hash_password

    user.text("add", ANN)
    (good,) = user.json("user-audit", "audit", "--guesses", "2")
    assert (good["weak"], good["complete"]) == ([], True)
    accounts = Accounts.open(gate / "data")
    accounts.book.write(("UPDATE account SET password_hash = ?", (hash_password("123456"),)))
    accounts.close()
    (bad,) = user.json("user-audit", "audit", ANN, "--guesses", "3", code=1)
    assert [(weak["account"], weak["kind"]) for weak in bad["weak"]] == [(ANN, "common")]
    told = user.text("audit", "--guesses", "3", code=1)
    assert "one of the most common" in told
    assert "123456" not in told
    assert "does not exist" in user.text("audit", "nobody@example.org", code=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_gate(gate: Path, user: User) -> None:
    os.chown(gate / "data", 65534, 65534)
    user.text("add", ANN)
    assert {path.stat().st_uid for path in (gate / "data").iterdir()} == {65534}


def test_accounts_of_another_directory_have_rights_here(gate: Path, user: User) -> None:
    with (gate / "gatepost.toml").open("a") as file:
        file.write('[directory]\nkind = "ldap"\nurl = "ldaps://ldap.example.org"\n')
    assert "are made in that directory" in user.text("add", ANN, code=2)
    user.json("changed", "suspend", ANN)
    user.json("app-password", "app-password", "add", ANN, "phone")
    user.json("certificate", "certificate", "add", ANN, "--fingerprint", "ab" * 32)
