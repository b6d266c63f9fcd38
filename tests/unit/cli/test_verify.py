"""`gatepost verify`: the RFC's words as data by their schemas, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from judging import CLEAN_HEADER
from schemas import validator

ZONE = """
example.org.             TXT "v=spf1 ip4:192.0.2.10 -all"
soft.example.            TXT "v=spf1 ~all"
_dmarc.example.org.      TXT "v=DMARC1; p=reject; sp=none"
"""


@pytest.fixture
def zone(tmp_path: Path) -> list[str]:
    path = tmp_path / "zone.txt"
    path.write_text(ZONE)
    return ["--zone", str(path), "--now", "1764000000"]


def verify(capsys: pytest.CaptureFixture[str], check: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["verify", check, *arguments, "--json"])
    answer = json.loads(capsys.readouterr().out)
    validator(f"verify-{check}").validate(answer)
    return code, answer


@pytest.mark.parametrize(
    ("arguments", "result", "code"),
    [
        (["--ip", "192.0.2.10", "--mail-from", "a@example.org"], "pass", 0),
        (["--ip", "192.0.2.10", "example.org"], "pass", 0),
        (["--ip", "192.0.2.11", "--mail-from", "<>", "--ehlo", "example.org"], "fail", 1),
        (["--ip", "2001:db8::1", "soft.example"], "softfail", 1),
        (["--ip", "192.0.2.10", "none.example"], "none", 0),
        (["--ip", "192.0.2.10", "example.org", "--dns-timeout", "example.org"], "temperror", 1),
    ],
)
def test_spf(arguments: list[str], result: str, code: int, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = verify(capsys, "spf", *arguments, *zone)
    assert (found[1]["result"], found[0]) == (result, code)


def test_dkim_and_arc_of_an_unsigned_message(
    tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.eml"
    path.write_text(CLEAN_HEADER + "\nx\n")
    assert verify(capsys, "dkim", str(path), *zone) == (0, {"result": "none", "signatures": []})
    assert verify(capsys, "arc", str(path), *zone) == (0, {"result": "none", "instance": 0, "sealer": ""})


def test_a_broken_signature_exits_1(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.eml"
    path.write_text("DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=from; bh=YQ==; b=YQ==\n" + CLEAN_HEADER)
    code, answer = verify(capsys, "dkim", str(path), *zone)
    assert code == 1
    assert answer["signatures"][0]["domain"] == "example.org"


@pytest.mark.parametrize(
    ("arguments", "result", "disposition"),
    [
        (["example.org", "--dkim", "mail.example.org"], "pass", "none"),
        (["example.org", "--spf-domain", "example.org", "--spf-result", "fail"], "fail", "reject"),
        (["sub.example.org", "--dkim", "other.example=pass"], "fail", "none"),
        (["none.example"], "none", "none"),
    ],
)
def test_dmarc_of_a_domain(
    arguments: list[str], result: str, disposition: str, zone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, answer = verify(capsys, "dmarc", *arguments, *zone)
    assert (answer["result"], answer["disposition"]) == (result, disposition)


def test_dmarc_of_a_message(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.eml"
    path.write_text(CLEAN_HEADER + "\nx\n")
    session = ["--ip", "192.0.2.10", "--mail-from", "x@example.org"]
    assert verify(capsys, "dmarc", str(path), *session, *zone)[1]["alignment"] == {"spf": True, "dkim": False}


@pytest.mark.parametrize(
    "arguments",
    [
        ["spf", "example.org"],
        ["spf", "--ip", "192.0.2.1"],
        ["dkim", "/nonexistent"],
        ["dmarc", "nonsense"],
        ["dmarc", "example.org", "--dkim", "x=perhaps"],
        ["nonsense"],
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
