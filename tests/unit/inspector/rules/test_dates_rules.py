"""The rules on the Date field, seen and not seen. The message arrived on Mon, 24 Nov 2025 16:00:00 +0000."""

from __future__ import annotations

import pytest

from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import dates as rules
from gatepost.inspector.settings import InspectorSettings
from judging import DATE, see


@pytest.mark.parametrize(
    ("rule", "date", "seen"),
    [
        (rules.unreadable, "sometime", True),  # date.unreadable
        (rules.unreadable, "Mon, 31 Feb 2025 00:00:00 +0000", True),
        (rules.unreadable, DATE, False),
        (rules.malformed, "Tue, 24 Nov 2025 16:00:00 +0000", True),  # date.malformed
        (rules.malformed, "Mon, 24 Nov 2025 16:00:00", True),
        (rules.malformed, "24 Nov 2025 16:00 +0000", False),
        (rules.malformed, "Mon, 24 Nov 2025 16:00:00 GMT", False),
        (rules.in_future, "Tue, 25 Nov 2025 16:00:00 +0000", True),  # date.in-future
        (rules.in_future, "Mon, 24 Nov 2025 20:00:00 +0000", False),
        (rules.in_future, "Mon, 24 Nov 2025 23:00:00 +0900", False),
        (rules.long_ago, "Mon, 03 Nov 2025 16:00:00 +0000", True),  # date.long-ago
        (rules.long_ago, "Thu, 20 Nov 2025 16:00:00 +0000", False),
        (rules.long_ago, "sometime", False),
    ],
)
def test_dates(rule: Rule, date: str, seen: bool) -> None:
    assert (see(rule, header=f"From: a@example.org\nDate: {date}\n") is not None) is seen


def test_no_date_is_another_rules_business() -> None:
    for rule in (rules.unreadable, rules.malformed, rules.in_future, rules.long_ago):
        assert see(rule, header="From: a@example.org\n") is None


def test_the_limits_are_settings() -> None:
    settings = InspectorSettings(date_future_hours=1, date_past_days=1)
    later, earlier = "Mon, 24 Nov 2025 18:00:00 +0000", "Sat, 22 Nov 2025 16:00:00 +0000"
    assert see(rules.in_future, header=f"Date: {later}\n", settings=settings)
    assert see(rules.long_ago, header=f"Date: {earlier}\n", settings=settings)
