"""`gatepost lists` without a running gate: entries, checks by zone file, clear lines for mistakes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from schemas import validator

CONFIG = """
hostname = "mail.example.org"
[domains."example.org"]
[store]
folder = "store"
[lists]
use = ["zen", "surbl", "ebl"]
"""
ZONE = """
2.0.0.127.zen.spamhaus.org. A 127.0.0.2
7.2.0.192.zen.spamhaus.org. A 127.0.0.4
surbl-org-permanent-test-point.com.multi.surbl.org. A 127.255.255.254
"""


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    (tmp_path / "gatepost.toml").write_text(CONFIG)
    (tmp_path / "store").mkdir()
    (tmp_path / "zone").write_text(ZONE)
    return ["--config", str(tmp_path / "gatepost.toml")]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["lists", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def data(capsys: pytest.CaptureFixture[str], schema: str, *arguments: str) -> list[dict[str, Any]]:
    answers = [json.loads(line) for line in run(capsys, *arguments, "--json")[1].splitlines()]
    for answer in answers:
        validator(schema).validate(answer)
    return answers


def test_entries(capsys: pytest.CaptureFixture[str], place: list[str]) -> None:
    assert "Nothing is blocked" in run(capsys, "show", *place)[1]
    added = data(capsys, "lists-entry", "add", "block", "Evil.example", "--expires", "30d", "--action", "tag", *place)
    assert (added[0]["value"], added[0]["action"]) == ("evil.example", "tag")
    assert round(added[0]["expires"] - added[0]["added_at"]) == 30 * 86400
    again = data(capsys, "lists-entry", "add", "allow", "evil.example", "192.0.2.0/24", *place)
    assert [(one["done"], one["action"]) for one in again] == [("replaced", None), ("added", None)]
    assert [one["value"] for one in data(capsys, "lists-entry", "show", "evil", *place)] == ["evil.example"]
    assert "192.0.2.0/24" in run(capsys, "show", *place)[1]
    assert run(capsys, "remove", "evil.example", *place)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "block", "x"),
        ("add", "block", "0.0.0.0/0"),
        ("add", "block", "a.example", "--expires", "soon"),
        ("add", "block", "a.example", "--expires", "999999d"),
        ("add", "block", "a.example", "--comment", "two\nlines"),
        ("add", "frown", "a.example"),
        ("remove", "a.example"),
        ("check", "not a thing"),
        ("report",),
        ("report", "--since", "then"),
    ],
)
def test_mistakes_are_one_line(
    capsys: pytest.CaptureFixture[str], place: list[str], arguments: tuple[str, ...]
) -> None:
    code, out, err = run(capsys, *arguments, *place)
    assert code == 2
    assert not out
    assert len(err.splitlines()) == 1


def test_list_tells_what_is_wrong(capsys: pytest.CaptureFixture[str], place: list[str], tmp_path: Path) -> None:
    zone = ["--zone", str(tmp_path / "zone")]
    found = {one["name"]: one for one in data(capsys, "lists-list", "list", *place, *zone)}
    assert {name: one["condition"] for name, one in found.items()} == {"zen": "well", "surbl": "sick", "ebl": "well"}
    assert "public resolver" in found["surbl"]["reason"]
    code, out, _ = run(capsys, "list", *place, *zone)
    assert (code, "sick" in out) == (1, True)


def test_check(capsys: pytest.CaptureFixture[str], place: list[str], tmp_path: Path) -> None:
    zone = ["--zone", str(tmp_path / "zone")]
    (answer,) = data(capsys, "lists-check", "check", "192.0.2.7", *place, *zone)
    assert [one["list"] for one in answer["listings"]] == ["zen"]
    assert set(answer["trouble"]) == {"surbl"}
    assert run(capsys, "check", "192.0.2.7", *place, *zone)[0] == 1
    assert run(capsys, "check", "192.0.2.8", *place, *zone)[0] == 0
    run(capsys, "add", "block", "ann@example.net", *place)
    (answer,) = data(capsys, "lists-check", "check", "ann@example.net", *place, *zone)
    assert answer["entry"]["verdict"] == "block"
    assert answer["asked"] == ["ebl"]


def test_nothing_is_asked_that_was_not_asked_for(
    capsys: pytest.CaptureFixture[str], place: list[str], tmp_path: Path
) -> None:
    (tmp_path / "gatepost.toml").write_text(CONFIG.partition("[lists]")[0])
    code, out, _ = run(capsys, "list", *place)
    assert (code, "No list is asked" in out) == (0, True)


def test_inspect_asks_lists_only_with_the_gate_s_configuration(
    capsys: pytest.CaptureFixture[str], place: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.eml").write_bytes(b"From: ann@example.net\r\nSubject: x\r\n\r\nHello.\r\n")
    run(capsys, "add", "block", "ann@example.net", *place)
    common = ["inspect", str(tmp_path / "a.eml"), "--zone", str(tmp_path / "zone"), "--ip", "192.0.2.7", "--json"]
    main([*common, *place])
    told = json.loads(capsys.readouterr().out)
    codes = {finding["code"] for finding in told["findings"] if finding["group"] == "lists"}
    assert codes == {"list.ip", "list.local-block", "list.sick"}
    assert told["decision"]["decided_by"] == ["list.local-block"]
    main(common)
    assert not any(finding["group"] == "lists" for finding in json.loads(capsys.readouterr().out)["findings"])


def test_what_root_makes_belongs_to_the_owner_of_the_store(
    capsys: pytest.CaptureFixture[str], place: list[str], tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(tmp_path / "store", 65534, 65534)
    assert run(capsys, "add", "block", "a.example", *place)[0] == 0
    assert {path.stat().st_uid for path in (tmp_path / "store").iterdir()} == {65534}
    (tmp_path / "gatepost.toml").write_text(CONFIG.replace('"store"', '"elsewhere"'))
    code, _, err = run(capsys, "add", "block", "a.example", *place)
    assert (code, "is not there" in err) == (2, True)
