"""`gatepost init`: what it writes can be served at once, is private, and is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatepost import ZoneResolver, dmarc, spf
from gatepost.cli.main import main
from gatepost.config import load_settings
from gatepost.store.accounts import AccountDirectory, Accounts
from schemas import validator


def init(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["init", *arguments, "--json"]) == 0
    made: dict[str, object] = json.loads(capsys.readouterr().out)
    validator("init").validate(made)
    return made


def test_what_is_written_is_a_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = init(capsys, "Example.ORG", "--folder", str(tmp_path), "--account", "ann")
    settings = load_settings(tmp_path / "gatepost.toml")
    assert settings.hostname == "mail.example.org"
    assert settings.postmaster == made["account"] == "ann@example.org"
    assert settings.domains["example.org"].aliases == {"abuse": ("ann",)}
    accounts = Accounts.open(Path(settings.store.folder))
    try:
        assert AccountDirectory(accounts).check_password("ann@example.org", str(made["password"]))
    finally:
        accounts.close()
    assert {path.stat().st_mode & 0o77 for path in tmp_path.rglob("*")} == {0}


def test_the_records_are_a_zone_whose_policies_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = init(capsys, "example.org", "--folder", str(tmp_path))
    records = "\n".join(record["record"] for record in made["records"])  # type: ignore[attr-defined]
    zone = ZoneResolver(f"{records}\nmail.example.org. IN A 192.0.2.25\n")
    asked = {"ehlo": "mail.example.org", "mail_from": "ann@example.org", "resolver": zone}
    assert spf.check_host_sync(ip="192.0.2.25", **asked).result == "pass"  # type: ignore[arg-type]
    assert spf.check_host_sync(ip="192.0.2.26", **asked).result == "fail"  # type: ignore[arg-type]
    assert dmarc.evaluate_sync("example.org", None, None, resolver=zone).disposition == "quarantine"


def test_mail_may_be_kept_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys, "example.org", "--folder", str(tmp_path / "etc"), "--store", str(tmp_path / "var"))
    assert load_settings(tmp_path / "etc" / "gatepost.toml").store.folder == str(tmp_path / "var")
    assert (tmp_path / "var" / "accounts.db").exists()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys, "example.org", "--folder", str(tmp_path))
    before = (tmp_path / "gatepost.toml").read_bytes()
    assert main(["init", "example.net", "--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "gatepost.toml").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("localhost",),
        ("192.0.2.1",),
        ("exa mple.org",),
        ("example.org", "--account", "a b"),
        ("example.org", "--hostname", "mail"),
        ("example.org", "--store", 'a"b'),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main(["init", *arguments, "--folder", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "new").exists()
