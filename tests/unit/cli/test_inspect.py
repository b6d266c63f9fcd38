"""`gatepost inspect`: files, mailboxes, exit codes, data by its schema, and nothing raw on the terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from gatepost.net.fetch import RedirectFetcher
from gatepost.ports import Followed
from judging import CLEAN_HEADER, DATE
from schemas import validator

ZONE = """
example.org.                TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.example.org.         TXT "v=DMARC1; p=reject"
mail.example.org.           A 192.0.2.10
10.2.0.192.in-addr.arpa.    PTR mail.example.org.
"""
GOOD = CLEAN_HEADER + "\nHello.\n"
SESSION = ["--ip", "192.0.2.10", "--ehlo", "mail.example.org", "--mail-from", "ann@example.org"]


@pytest.fixture
def zone(tmp_path: Path) -> list[str]:
    path = tmp_path / "zone.txt"
    path.write_text(ZONE)
    return ["--zone", str(path), "--now", DATE_ISO]


DATE_ISO = "2025-11-24T16:00:30Z"


def write(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def answers(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for answer in found:
        validator("inspect").validate(answer)
        for finding in answer["findings"]:
            validator("finding").validate(finding)
    return found


def test_one_message_as_data(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", write(tmp_path, "a.eml", GOOD), *SESSION, *zone, "--json"]) == 0
    (answer,) = answers(capsys)
    assert list(answer) == ["decision", "findings", "path", "authentication", "links", "attachments", "message"]
    assert answer["decision"] == {"action": "accept", "score": 0.5, "decided_by": []}
    assert answer["authentication"]["dmarc"]["alignment"] == {"spf": True, "dkim": False}
    assert answer["path"][0]["from"] == "mail.example.org"


def test_a_spoof_exits_1_and_fail_on_moves_the_line(
    tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    spoof = [*SESSION, *zone, "--json"]
    spoof[1] = "198.51.100.9"
    path = write(tmp_path, "a.eml", GOOD)
    assert main(["inspect", path, *spoof]) == 1
    assert answers(capsys)[0]["decision"]["decided_by"] == ["auth.dmarc.fail"]
    assert main(["inspect", path, *spoof, "--fail-on", "never"]) == 0
    assert main(["inspect", path, *SESSION, *zone, "--json", "--fail-on", "pass"]) == 1


def test_faults_of_dns_can_be_played(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    fault = ["--dns-timeout", "_dmarc.example.org"]
    main(["inspect", write(tmp_path, "a.eml", GOOD), "--ip", "198.51.100.9", *zone, *fault, "--json"])
    assert answers(capsys)[0]["decision"]["action"] == "defer"


def test_lf_and_crlf_are_judged_alike(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", write(tmp_path, "a.eml", GOOD), *SESSION, *zone, "--json"])
    main(["inspect", write(tmp_path, "b.eml", GOOD.replace("\n", "\r\n")), *SESSION, *zone, "--json"])
    first, second = answers(capsys)
    assert first["findings"] == second["findings"]


def test_an_mbox_gives_a_line_a_message(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    quoted = GOOD + ">From the start\n>>From deeper\n"
    mbox = write(tmp_path, "box", "".join(f"From a@b {DATE}\n{quoted}\n" for _ in range(3)))
    assert main(["inspect", mbox, *SESSION, *zone, "--json"]) == 0
    found = answers(capsys)
    assert [answer["message"]["file"] for answer in found] == [f"{mbox}#{n}" for n in (1, 2, 3)]
    assert found[0]["message"]["size"] == len(quoted) - 2
    assert main(["inspect", mbox, *SESSION, *zone]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 messages: 3 accept"


def test_a_maildir_with_a_sub_folder(tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    box = tmp_path / "Maildir"
    for name in ("new/1", "cur/2:2,S", ".Sent/cur/3:2,S", ".Sent/new/4"):
        write(box, name, GOOD)
    write(box, "tmp/5", GOOD)
    main(["inspect", str(box), *SESSION, *zone, "--json"])
    names = [Path(answer["message"]["file"]).name for answer in answers(capsys)]
    assert names == ["1", "2:2,S", "4", "3:2,S"]


def test_standard_input(zone: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert main(["inspect", "-", *SESSION, *zone, "--json"]) == 0
    assert answers(capsys)[0]["message"]["file"] == "-"


def test_nothing_of_a_message_acts_on_the_terminal(
    tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    raw = (
        b"Received: from \x1b[2Jx ([192.0.2.9]) by y\x07; z\nFrom: =?utf-8?q?=1B[31m=E2=80=AE?= <a@example.org>\n"
        b"Subject: [red]x[/red] [/] \x9b31m\x00\n\nx\n"
    )
    main(["inspect", write(tmp_path, "a.eml", raw), *zone])
    shown = capsys.readouterr().out
    assert not [c for c in shown if not c.isprintable() and c != "\n"]
    assert "[red]x[/red] [/]" in shown


def test_the_report_says_verdict_path_trust_and_remedy(
    tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    received = (
        f"Received: from mail.example.org (mail.example.org [192.0.2.10]) by mx.example.net with ESMTPS; {DATE}\n"
        f"Received: from pc ([10.0.0.1]) by mail.example.org with ESMTP; {DATE}\n"
    )
    main(["inspect", write(tmp_path, "a.eml", received + GOOD), *zone])
    shown = capsys.readouterr().out
    assert shown.startswith("ACCEPT")
    for part in ("▼ trusted", "mx.example.net", "DMARC", "aligned", "do: ", "RFC 6376"):
        assert part in shown


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["inspect", "/nonexistent.eml"], "is not there"),
        (["inspect"], "Missing argument"),
        (["inspect", "{file}", "--ip", "nonsense"], "--ip"),
        (["inspect", "{file}", "--now", "soon"], "--now"),
        (["inspect", "{file}", "--zone", "/nonexistent"], "--zone"),
        (["inspect", "{file}", "--zone", "{file}"], "line 1"),
        (["inspect", "{file}", "--dns-timeout", "x"], "--zone"),
        (["inspect", "{file}", "--config", "/nonexistent"], "--config"),
        (["inspect", "{file}", "--resolver", "not an address"], "not an address"),
        (["inspect", "{folder}"], "Maildir"),
        (["inspect", "{empty}"], "empty"),
        (["inspect", "{outlook}"], ".msg"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "file": write(tmp_path, "a.eml", GOOD),
        "empty": write(tmp_path, "b.eml", ""),
        "outlook": write(tmp_path, "c.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        "folder": str(tmp_path / "d"),
    }
    Path(places["folder"]).mkdir()
    assert main([argument.format(**places) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert part in captured.err


def test_the_gates_own_configuration_tells_its_domains(
    tmp_path: Path, zone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path, "gatepost.toml", '[domains."example.org"]\naccounts = ["ann"]\n')
    spoof = ["--ip", "198.51.100.9", *zone, "--config", config, "--json"]
    main(["inspect", write(tmp_path, "a.eml", GOOD), *spoof])
    assert "sender.own-domain-spoofed" in {finding["code"] for finding in answers(capsys)[0]["findings"]}


@pytest.mark.parametrize(("setting", "asked"), [("never", 0), ("shorteners", 1)])
def test_shortened_links_are_followed_only_where_the_configuration_says_so(
    setting: str, asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    followed: list[str] = []

    async def lead_on(self: RedirectFetcher, urls: Sequence[str], deadline: float) -> tuple[Followed, ...]:
        followed.extend(urls)
        return tuple(Followed(hops=(url, "https://www.example.com/there")) for url in urls)

    monkeypatch.setattr(RedirectFetcher, "follow_all", lead_on)
    config = tmp_path / "gatepost.toml"
    config.write_text(f'hostname = "mx.example.net"\n[inspector.links]\nfollow_redirects = "{setting}"\n')
    zone, mail = tmp_path / "zone", tmp_path / "mail.eml"
    zone.write_text("")
    mail.write_text(CLEAN_HEADER + "\nhttps://bit.ly/abc\n")
    main(["inspect", str(mail), "--config", str(config), "--zone", str(zone), "--json"])
    findings = {found["code"]: found for found in json.loads(capsys.readouterr().out)["findings"]}
    assert len(followed) == asked
    assert (findings["link.shortener"]["evidence"].get("leads_to") is not None) is bool(asked)
