"""message.dates: the RFC's examples, obsolete forms, and what is no date."""

from __future__ import annotations

import pytest

from gatepost.message.dates import parse_date, write_date

NOON = 1793880000  # Thu, 5 Nov 2026 12:00:00 UTC


@pytest.mark.parametrize(
    ("text", "zone", "defects"),
    [
        ("Thu, 5 Nov 2026 12:00:00 +0000", 0, ()),
        ("Thu,  5 Nov 2026 13:00:00 +0100 (CET)", 60, ()),
        ("5 Nov 2026 07:00:00 -0500", -300, ()),
        ("Thu, 05 Nov 2026 12:00:00 -0000", None, ()),
        ("Thu, 5 Nov 2026 12:00 +0000", 0, ("no-seconds",)),
        ("Thu, 5 Nov 26 12:00:00 GMT", 0, ("obsolete-year", "obsolete-zone")),
        ("Thu, 5 Nov 126 12:00:00 GMT", 0, ("obsolete-year", "obsolete-zone")),
        ("Thu, 5 Nov 2026 04:00:00 PST", -480, ("obsolete-zone",)),
        ("Thu, 5 Nov 2026 12:00:00 Q", None, ("obsolete-zone",)),
        ("Thu, 5 Nov 2026 12:00:00 XYZ", None, ("unknown-zone",)),
        ("Thu, 5 Nov 2026 12:00:00", None, ("no-zone",)),
        ("Fri, 5 Nov 2026 12:00:00 +0000", 0, ("wrong-day-name",)),
        ("Thu Nov  5 12:00:00 2026", None, ("order", "no-zone")),
        ("Thu, 5 Nov 2026 13:00:00 GMT+0100", 60, ()),
        ("5-Nov-2026 12:00:00 +0000", 0, ()),
        ("Thu (day), 5 (of) Nov 2026 12 : 00 : 00 +0000 (a (b))", None, ("no-date",)),
    ],
)
def test_dates(text: str, zone: int | None, defects: tuple[str, ...]) -> None:
    parsed = parse_date(text)
    assert parsed.defects == defects
    assert parsed.epoch == (None if "no-date" in defects else NOON)
    assert parsed.zone == zone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "31 Feb 2026 12:00:00 +0000",
        "5 Nov 2026 25:00:00 +0000",
        "5 Nov 0 12:00:00",
        "5 Nov 99999999999 1:1 +0000",
        "5 Nov ٢٠٢٦ 12:00:00 +0000",
        "9" * 5000,
    ],
)
def test_what_is_no_date(text: str) -> None:
    parsed = parse_date(text)
    assert parsed.epoch is None or "obsolete-year" in parsed.defects


def test_what_is_written_is_read_back() -> None:
    assert write_date(NOON) == "Thu, 5 Nov 2026 12:00:00 +0000"
    assert write_date(NOON, -90) == "Thu, 5 Nov 2026 10:30:00 -0130"
    assert parse_date(write_date(NOON + 17, 345)).epoch == NOON + 17
    assert write_date(1e300).startswith("Fri, 31 Dec 9999")
