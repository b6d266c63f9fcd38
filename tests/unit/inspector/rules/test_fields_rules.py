"""The rules on the header section as a whole, seen and not seen."""

from __future__ import annotations

import pytest

from gatepost.finding import Severity
from gatepost.inspector.facts import LineEnds
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import fields as rules
from judging import CLEAN_HEADER, see


def test_several_from() -> None:  # header.several-from
    finding = see(rules.several_from, header=CLEAN_HEADER + "from: b@example.com\n")
    assert finding is not None
    assert finding.evidence["count"] == 2
    assert see(rules.several_from) is None


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (rules.no_from, "From"),  # header.no-from
        (rules.no_message_id, "Message-ID"),  # header.no-message-id
        (rules.no_date, "Date"),  # header.no-date
    ],
)
def test_missing(rule: Rule, name: str) -> None:
    without = "".join(line + "\n" for line in CLEAN_HEADER.splitlines() if not line.startswith(name))
    assert see(rule, header=without)
    assert see(rule) is None


@pytest.mark.parametrize("name", ["Subject", "to", "DATE", "Message-ID", "Reply-To"])
def test_duplicate_field(name: str) -> None:  # header.duplicate-field
    finding = see(rules.duplicate_field, header=CLEAN_HEADER + f"{name}: x\n{name}: x\n")
    assert finding is not None
    assert name.lower() in finding.evidence["counts"]
    assert see(rules.duplicate_field, header=CLEAN_HEADER + "Received: a\nReceived: b\n") is None


def test_duplicate_mime_field() -> None:  # header.duplicate-mime-field
    for name in ("Content-Type", "Content-Transfer-Encoding"):
        assert see(rules.duplicate_mime_field, header=CLEAN_HEADER + f"{name}: a\n{name}: b\n"), name
    assert see(rules.duplicate_mime_field, header=CLEAN_HEADER + "Content-Type: text/plain\n") is None


def test_nul() -> None:  # header.nul
    finding = see(rules.nul, header=b"Subject: a\0b\n")
    assert finding is not None
    assert finding.evidence == {"offset": 10}
    assert see(rules.nul) is None


def test_raw_8bit() -> None:  # header.raw-8bit
    utf8, latin = "Subject: Grüße\n".encode(), "Subject: Grüße\n".encode("latin-1")
    assert see(rules.raw_8bit, header=utf8)
    assert see(rules.raw_8bit, header=utf8, smtputf8=True) is None
    finding = see(rules.raw_8bit, header=latin)
    assert finding is not None
    assert (finding.evidence["utf8"], finding.weight) == (False, 1.0)
    assert see(rules.raw_8bit) is None


def test_malformed() -> None:  # header.malformed
    finding = see(rules.malformed, header=CLEAN_HEADER + "no field at all\n")
    assert finding is not None
    assert finding.severity is Severity.NOTICE
    assert see(rules.malformed) is None


def test_bare_line_ends() -> None:  # header.bare-line-ends
    assert see(rules.bare_line_ends, line_ends=LineEnds(10, 1, 0))
    assert see(rules.bare_line_ends, line_ends=LineEnds(10, 0, 1))
    assert see(rules.bare_line_ends, line_ends=LineEnds(0, 10, 1))
    assert see(rules.bare_line_ends, line_ends=LineEnds(0, 10, 0)) is None
    assert see(rules.bare_line_ends, line_ends=LineEnds(10, 0, 0)) is None
