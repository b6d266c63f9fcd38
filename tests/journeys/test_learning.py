"""A message is learnt, the next one like it is tagged; forgetting undoes it. By the commands, as a person would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from schemas import validator

WORDS = (
    "Dear neighbours, the greenhouse association sells surplus tomato seedlings and composted manure from the "
    "allotment beside the railway viaduct. Collection is between seven and nine; the caretaker provides wheelbarrows."
)
OTHER = (
    "Our greenhouse association again sells surplus tomato seedlings, now with gooseberry cuttings and composted "
    "manure from the allotment beside the viaduct. The caretaker provides wheelbarrows between seven and nine."
)


def letter(number: int, text: str, subject: str) -> bytes:
    return (
        f"From: Allotment <seeds{number}@garden.example>\nTo: ann@example.net\nSubject: {subject}\n"
        f"Date: Tue, 24 Nov 2026 08:0{number}:00 +0000\nMessage-ID: <{number}@garden.example>\n\n{text}\n"
    ).encode()


@pytest.fixture
def gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", "example.net", "--folder", str(tmp_path)]) == 0
    capsys.readouterr()
    (tmp_path / "zone").write_text("")
    return tmp_path / "gatepost.toml"


class Shell:
    """Runs commands and reads their answers."""

    def __init__(self, gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.gate, self.capsys = gate, capsys

    def learn(self, *arguments: str) -> dict[str, Any]:
        command, *rest = arguments
        assert main(["learn", command, "--config", str(self.gate), "--json", *rest]) == 0
        answer = json.loads(self.capsys.readouterr().out)
        validator("learn").validate(answer)
        return dict(answer)

    def findings(self, file: Path) -> dict[str, Any]:
        zone = str(self.gate.parent / "zone")
        main(["inspect", "--config", str(self.gate), "--zone", zone, "--json", str(file)])
        answer = json.loads(self.capsys.readouterr().out)
        validator("inspect").validate(answer)
        return {finding["code"]: finding for finding in answer["findings"]} | {"decision": answer["decision"]}


def test_a_message_is_learnt_and_the_next_like_it_is_tagged(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(gate, capsys)
    first, second = gate.parent / "first.eml", gate.parent / "second.eml"
    first.write_bytes(letter(1, WORDS, "seedlings"))
    second.write_bytes(letter(2, OTHER, "more seedlings"))
    assert "classifier.spam" not in shell.findings(second)
    assert shell.learn("spam", str(first)) == {"label": "spam", "learnt": 1, "known": 0}
    assert shell.learn("spam", str(first)) == {"label": "spam", "learnt": 0, "known": 1}, "it counts once"
    found = shell.findings(second)
    assert found["classifier.spam"]["evidence"]["learned_here"]
    assert found["decision"]["action"] == "tag"
    # It was a mistake: under its right label it moves, and the next one comes through.
    assert shell.learn("ham", str(first)) == {"label": "ham", "learnt": 1, "known": 0}
    assert shell.learn("status")["messages"] == {"ham": 1, "spam": 0, "phish": 0}
    assert shell.findings(second)["decision"]["action"] == "accept"
    shell.learn("phish", str(first))
    assert shell.findings(second)["decision"]["action"] == "tag"
    assert shell.learn("forget", str(first)) == {"forgotten": 1}
    assert shell.findings(second)["decision"]["action"] == "accept"


def test_mailboxes_are_learnt_and_all_is_forgotten(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(gate, capsys)
    mbox = gate.parent / "mbox"
    mbox.write_bytes(
        b"".join(
            b"From seeds@garden.example Tue Nov 24 08:00:00 2026\n" + letter(n, f"{WORDS} {n}", f"seeds {n}") + b"\n"
            for n in range(3)
        )
    )
    maildir = gate.parent / "Maildir"
    for part in ("new", "cur", "tmp"):
        (maildir / part).mkdir(parents=True)
    (maildir / "new" / "1.x").write_bytes(letter(7, OTHER, "seven").replace(b"\n", b"\r\n"))
    assert shell.learn("ham", str(mbox), str(maildir)) == {"label": "ham", "learnt": 4, "known": 0}
    assert shell.learn("forget", "--all") == {"forgotten": 4}
    assert shell.learn("status") | {"octets": 0} == {
        "messages": {"ham": 0, "spam": 0, "phish": 0}, "features": 0, "oldest": None, "newest": None, "octets": 0
    }  # fmt: skip


def test_the_same_message_as_delivered_and_as_saved(gate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(gate, capsys)
    saved, delivered = gate.parent / "saved.eml", gate.parent / "delivered.eml"
    saved.write_bytes(letter(1, WORDS, "seeds"))
    stamped = b"Return-Path: <x@example.org>\r\nReceived: from a by b; Tue, 24 Nov 2026 08:00:00 +0000\r\n"
    delivered.write_bytes(stamped + letter(1, WORDS, "seeds").replace(b"\n", b"\r\n"))
    shell.learn("spam", str(saved))
    assert shell.learn("spam", str(delivered))["known"] == 1


@pytest.mark.parametrize(
    "arguments", [["forget"], ["forget", "--all", "x.eml"], ["spam", "/nowhere.eml"], ["junk", "x"]]
)
def test_what_makes_no_sense_is_one_line(gate: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    command, *rest = arguments
    assert main(["learn", command, "--config", str(gate), *rest]) == 2
    assert capsys.readouterr().err.count("\n") == 1
