"""`gatepost audit` and `gatepost watch` at the command line: what they print, their JSON, their files, their exit "
"codes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from schemas import validator

ZONE = """\
example.org. IN SOA ns1.example.org. h.example.org. 1 2 3 4 300
example.org. IN NS ns1.example.org.
example.org. IN MX 10 mx1.example.org.
example.org. IN TXT "v=spf1 mx include:sender.example -all"
sender.example. IN TXT "v=spf1 a:mx1.example.org -all"
mx1.example.org. IN A 9.9.9.1
1.9.9.9.in-addr.arpa. IN PTR mx1.example.org.
_dmarc.example.org. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"
"""
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    path = tmp_path / "zone"
    path.write_text(ZONE)
    return path


def answers(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_report_says_what_to_do(zone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "example.org", "--zone", str(zone)]) == 1
    out = capsys.readouterr().out
    assert "dmarc.policy" in out
    assert "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org" in " ".join(out.split())
    assert re.search(r"include:sender\.example\s*\n\s+sender\.example: v=spf1", out)
    assert "3 look-ups of 10" in out
    assert "_dmarc.org: no record" in out


def test_json_keeps_its_schema(zone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "example.org", "missing.example", "--zone", str(zone), "--json", "--fail-on", "never"]) == 0
    found = answers(capsys)
    for answer in found:
        validator("audit").validate(answer)
    assert [one["domain"] for one in found] == ["example.org", "missing.example"]
    assert found[1]["grade"]["letter"] == "F"


@pytest.mark.parametrize(("fail_on", "code"), [("danger", 0), ("warning", 1), ("never", 0)])
def test_exit_codes(fail_on: str, code: int, zone: Path) -> None:
    assert main(["audit", "example.org", "--zone", str(zone), "--fail-on", fail_on]) == code


BAD = [
    (["audit"], "name domains"),
    (["audit", "a.example", "--from", "x"], "not both"),
    (["audit", "http://example.org"], "is no domain name"),
    (["audit", "--from", "/no/such/file"], "cannot be read"),
    (["audit", "example.org", "--private", "10.0"], "is no network"),
    (["audit", "example.org", "--list", "nonsense"], "nonsense"),
    (["audit", "example.org", "--compare", "/no/such/file"], "cannot be read"),
    (["audit", "example.org", "--html", "/no/such/folder/x.html"], "cannot be written"),
    (["watch", "--config", "/no/such/file"], "/no/such/file"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_bad_input_is_one_line(
    arguments: list[str], words: str, zone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--zone", str(zone)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_many_domains_from_a_file(zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that is none is an answer as well, in its place; the others go on."""
    names = tmp_path / "names"
    names.write_bytes(b"# ours\nexample.org\n\n???\nB\xc3\xbccher.example\n" + b"x" * 5000 + b"\n")
    assert main(["audit", "--from", str(names), "--zone", str(zone), "--json"]) == 1
    found = answers(capsys)
    for answer in found:
        validator("audit").validate(answer)
    assert [one["domain"] for one in found][:3] == ["example.org", "???", "xn--bcher-kva.example"]
    assert found[1]["findings"][0]["code"] == "domain.unusable"
    assert main(["audit", "--from", str(names), "--zone", str(zone)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("4 domains: ")


def test_several_processes_answer_in_the_order_of_the_file(
    zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"d{number}.example" for number in range(150)]
    path = tmp_path / "names"
    path.write_text("\n".join(names))
    assert main(["audit", "--from", str(path), "--zone", str(zone), "--json", "--jobs", "3", "--at-once", "4"]) == 1
    assert [one["domain"] for one in answers(capsys)] == names


def test_a_comparison_tells_what_changed_and_nothing_else(
    zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["audit", "example.org", "--zone", str(zone), "--json"])
    old = tmp_path / "old.json"
    old.write_text(capsys.readouterr().out)
    command = ["audit", "example.org", "--zone", str(zone), "--compare", str(old), "--json"]
    assert main(command) == 0  # what was bad before is no news
    (same,) = answers(capsys)
    assert same["changes"] == {
        "grade": ["D", "D"],
        "new": [],
        "worse": [],
        "better": [],
        "gone": [],
        "records": {},
    } or (same["changes"]["new"] == same["changes"]["gone"] == [])
    zone.write_text(ZONE.replace("-all", "+all").replace("p=none", "p=reject"))
    assert main(command) == 1
    (other,) = answers(capsys)
    validator("audit").validate(other)
    assert "spf.ends-open" in [one["code"] for one in other["changes"]["worse"]]
    assert "dmarc.policy" in [one["code"] for one in other["changes"]["better"]]
    assert "p=reject" in other["changes"]["records"]["dmarc _dmarc.example.org"]["now"][0]
    old.write_text("no json\n")
    assert main(command) == 2


class Page(HTMLParser):
    """Counts what a report may not have."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")
        ]
        self.outside += [name for name, _ in attrs if name.startswith("on")]


def test_the_html_report_needs_nothing_else_and_runs_nothing(zone: Path, tmp_path: Path) -> None:
    """Records that hold HTML are shown as text."""
    zone.write_text(
        ZONE + f'example.org. IN TXT "v=spf1 {EVIL}"\n_smtp._tls.example.org. IN TXT "v=TLSRPTv1; {EVIL}"\n'
    )
    report = tmp_path / "report.html"
    assert main(["audit", "example.org", "other.example", "--zone", str(zone), "--html", str(report)]) == 1
    text = report.read_text("utf-8")
    page = Page()
    page.feed(text)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not page.outside
    assert "&lt;script&gt;" in text
    assert "@media print" in text
    assert text.count("<h2") == 2
    assert not list(tmp_path.glob(".report*"))


def test_a_report_that_fails_leaves_the_old_one(zone: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("old")
    old = tmp_path / "old.json"
    old.write_text("{")
    assert main(["audit", "example.org", "--zone", str(zone), "--html", str(report), "--compare", str(old)]) == 2
    assert report.read_text() == "old"


def test_control_characters_do_not_reach_the_terminal(zone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zone.write_text(ZONE + 'default._domainkey.example.org. IN TXT "v=DKIM1; k=\\027[31mred; p=AAAA"\n')
    main(["audit", "example.org", "--zone", str(zone)])
    assert "\x1b" not in capsys.readouterr().out


def test_a_bar_shows_on_a_terminal(zone: Path, tmp_path: Path) -> None:
    """Several domains: a bar on the terminal that standard error is; none where it is a file."""
    names = tmp_path / "names"
    names.write_text("example.org\n" * 30)
    command = [sys.executable, "-m", "gatepost", "audit", "--from", str(names), "--zone", str(zone)]
    ours, theirs = pty.openpty()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, timeout=60, check=False)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 1
    assert "auditing" in shown
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).stderr == b""


GATE = """\
hostname = "gate.example.org"
[domains."example.org"]
[store]
folder = "."
[audit]
lookalikes = 0
[watch]
mail_to = ["ann@example.org"]
confirm_after = 0
"""


def test_watch_tells_once_by_mail_what_changed(zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """First look, no news, a change (mail in the gate's own spool), no news again."""
    config = tmp_path / "gatepost.toml"
    config.write_text(GATE)
    command = ["watch", "--once", "--config", str(config), "--zone", str(zone), "--json"]
    assert main(command) == 0
    assert main(command) == 0
    zone.write_text(ZONE.replace("include:sender.example -all", "+all"))
    assert main(command) == 1
    assert main(command) == 0
    found = answers(capsys)
    for answer in found:
        validator("watch").validate(answer)
    assert [one["first"] for one in found] == [True, False, False, False]
    assert [one["told"] for one in found] == [[], [], ["mail to ann@example.org"], []]
    assert main(["queue", "list", "--config", str(config), "--json"]) == 0
    (queued,) = answers(capsys)
    assert main(["queue", "show", queued["id"], "--config", str(config), "--raw"]) == 0
    raw = capsys.readouterr().out
    assert "Auto-Submitted: auto-generated" in raw
    assert "whole world may send" in raw
    assert (tmp_path / "audits.db").stat().st_mode & 0o077 == 0


def test_watch_believes_no_stumble(zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name server that does not answer for a moment: nothing is gone, and no record has changed."""
    config = tmp_path / "gatepost.toml"
    config.write_text(GATE)
    command = ["watch", "--once", "--config", str(config), "--zone", str(zone), "--json"]
    main(command)
    main([*command, "--dns-fail", "_dmarc.example.org", "--dns-fail", "example.org"])
    first, second = answers(capsys)
    assert second["changes"]["records"] == {}
    assert first["first"]


def test_watch_needs_a_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "gatepost.toml"
    config.write_text('hostname = "gate.example.org"\n[store]\nfolder = "."\n')
    assert main(["watch", "--once", "--config", str(config)]) == 2
    assert "names no domain" in capsys.readouterr().err
