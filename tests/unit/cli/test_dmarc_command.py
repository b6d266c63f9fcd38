"""`gatepost dmarc`: reports in, charts and advice out; every JSON object is as its schema says."""

from __future__ import annotations

import gzip
import html
import json
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from schemas import validator

DAY = 86400
ZONE = """\
_dmarc.example.org. TXT "v=DMARC1; p=none; pct=50; rua=mailto:dmarc@example.org"
1.2.0.192.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 192.0.2.1
7.113.0.203.in-addr.arpa. PTR liar.example.org.
"""
Run = Callable[..., list[dict[str, Any]]]


def record(ip: str, count: int, dkim: str, spf: str, auth: str = "") -> str:
    return (
        f"<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated><disposition>none</disposition>"
        f"<dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from>"
        f"</identifiers><auth_results>{auth}</auth_results></record>"
    )


def report(reporter: str, day: int, *records: str) -> bytes:
    begin, name = day * DAY, html.escape(reporter)
    return (
        f"<feedback><report_metadata><org_name>{name}</org_name><email>a@b.example</email><report_id>{day}</report_id>"
        f"<date_range><begin>{begin}</begin><end>{begin + DAY - 1}</end></date_range></report_metadata>"
        f"<policy_published><domain>example.org</domain><p>none</p></policy_published>{''.join(records)}</feedback>"
    ).encode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three weeks of reports by two reporters: a server of ours, a forwarder, a forger, and one that lies about its
    name; beside them something hostile and something that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    today = int(time.time() // DAY)
    service = "<spf><domain>bounce.mailer.example</domain><result>pass</result></spf>"
    records = (
        record("192.0.2.1", 50, "pass", "pass", "<dkim><domain>example.org</domain><result>pass</result></dkim>"),
        record("198.51.100.9", 2, "pass", "fail", "<dkim><domain>example.org</domain><result>pass</result></dkim>"),
        record("203.0.113.7", 30, "fail", "fail"),
        record("198.51.100.77", 4, "fail", "fail", service),
    )
    for day in range(today - 21, today):
        (folder / f"one-{day}.xml").write_bytes(report("one.example", day, *records))
        (folder / f"two-{day}.xml.gz").write_bytes(gzip.compress(report("two<b>.example", day, *records)))
    (folder / "bomb.gz").write_bytes(gzip.compress(b" " * (40 << 20)))
    (folder / "entities.xml").write_bytes(b'<!DOCTYPE feedback [<!ENTITY a "b">]><feedback>&a;</feedback>')
    (folder / "lunch.eml").write_bytes(b"Subject: Lunch?\r\n\r\nHello \x1b[31m.\r\n")
    (tmp_path / "zone").write_text(ZONE)
    return tmp_path


@pytest.fixture
def run(place: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(name: str, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        options = ["--folder", str(place / "store"), "--json"]
        if name != "import":
            options += ["--zone", str(place / "zone")]
        assert main(["dmarc", name, *arguments, *options]) == code
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        for one in found:
            validator(f"dmarc-{name}").validate(one)
        return found

    return call


def test_reports_are_taken_in_once_and_hostile_ones_stop_nothing(run: Run, place: Path) -> None:
    found = run("import", str(place / "in"))
    assert sum(one["status"] == "new" for one in found) == 42
    refused = {Path(one["name"]).name: one["code"] for one in found if one["status"] == "refused"}
    assert refused == {"bomb.gz": "bomb", "entities.xml": "doctype", "lunch.eml": "no-report"}
    assert {one["status"] for one in run("import", str(place / "in"))} == {"known", "refused"}


def test_what_is_shown_adds_up(run: Run, place: Path) -> None:
    run("import", str(place / "in"))
    assert [one["domain"] for one in run("show")] == ["example.org"]
    (found,) = run("show", "Example.ORG.")
    assert (found["passed"], found["failed"]) == (42 * 52, 42 * 34)
    assert len(found["days"]) == 21
    assert {one["name"]: one["kind"] for one in found["sources"]} == {
        "example.org": "own",
        "198.51.100.0/24": "forwarder",
        "203.0.113.0/24": "unknown",  # its name does not lead back
        "mailer.example": "service",
    }
    assert [one["name"] for one in found["reporters"]] == ["one.example", "two<b>.example"]


def test_advice_names_the_sender_first_and_then_the_record(run: Run, place: Path) -> None:
    run("import", str(place / "in"))
    (found,) = run("advise", "example.org", code=1)
    assert (found["step"], found["current"]) == ("ask", "none")
    assert [one["name"] for one in found["questions"]] == ["mailer.example"]
    (named,) = run("advise", "example.org", "--known", "mailer.example", code=1)
    assert named["step"] == "fix"
    (without,) = run("advise", "example.org", "--since", "5d", code=1)
    assert without["step"] == "wait"


def test_the_record_keeps_what_stands_and_drops_what_is_gone(run: Run, place: Path) -> None:
    today = int(time.time() // DAY)
    ours = record("192.0.2.1", 50, "pass", "pass")
    for reporter in ("one.example", "two.example"):
        for day in range(today - 20, today):
            (place / f"{reporter}-{day}.xml").write_bytes(report(reporter, day, ours))
    run("import", *[str(path) for path in place.glob("*.xml")])
    (found,) = run("advise", "example.org")
    assert found["step"] == "move"
    assert found["next_record"] == "v=DMARC1; p=quarantine; np=reject; t=y; rua=mailto:dmarc@example.org"
    (place / "zone").write_text(ZONE.replace("p=none; pct=50", "p=quarantine; t=y"))
    (tested,) = run("advise", "example.org")
    assert tested["next_record"] == "v=DMARC1; p=quarantine; np=reject; rua=mailto:dmarc@example.org"


def test_dns_that_does_not_answer_is_said(run: Run, place: Path) -> None:
    run("import", str(place / "in"))
    (found,) = run("advise", "example.org", "--dns-timeout", "_dmarc.example.org", code=1)
    assert "does not answer" in found["dns"]
    assert (found["record"], found["next_record"], found["current"]) == ("", "", "none")


class Page(HTMLParser):
    """The tags and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_needs_nothing_else_and_shows_strangers_text_as_text(
    run: Run, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("import", str(place / "in"))
    target = place / "page.html"
    arguments = ["--folder", str(place / "store"), "--zone", str(place / "zone"), "--html", str(target)]
    assert main(["dmarc", "show", "example.org", *arguments]) == 0
    assert str(target) in capsys.readouterr().out
    page = Page(target.read_text("utf-8"))
    assert not page.tags & {"script", "img", "link", "iframe", "b>"}
    assert not page.attributes & {"src", "href", "onload"}
    assert "two<b>.example" in page.texts
    assert "rect" in page.tags


def test_people_see_no_control_character_and_one_line_a_thing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--folder", str(place / "store")]
    assert main(["dmarc", "import", str(place / "in"), *options]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[-1] == "42 new, 3 refused"
    assert main(["dmarc", "show", "example.org", "--zone", str(place / "zone"), *options]) == 0
    shown = capsys.readouterr().out
    assert "█" in shown
    assert "▒" in shown
    assert main(["dmarc", "advise", "example.org", "--zone", str(place / "zone"), *options]) == 1
    assert "NAME THE SENDERS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "example.org", "--since", "soon"], "--since"),
        (["import", "nowhere"], "is not there"),
        (["show", "--config", "a.toml"], "--folder"),
        (["advise"], "DOMAIN"),
    ],
)
def test_bad_input_is_one_clear_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["dmarc", *arguments, "--folder", str(place / "store")]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
