"""The rules on the path, seen and not seen."""

from __future__ import annotations

from gatepost.inspector.rules import path as rules
from judging import CLEAN_HEADER, DATE, see, spf


def received(*times: str) -> str:
    """Received fields, the oldest time first."""
    lines = [f"Received: from a.example ([192.0.2.7]) by h{i}.example with ESMTP; {t}\n" for i, t in enumerate(times)]
    return "".join(reversed(lines)) + CLEAN_HEADER


def test_time_goes_backward() -> None:  # path.time-goes-backward
    late, early = "Mon, 24 Nov 2025 15:00:00 +0000", "Mon, 24 Nov 2025 14:00:00 +0000"
    finding = see(rules.time_goes_backward, header=received(late, early))
    assert finding is not None
    assert finding.evidence == {"by": "h1.example", "seconds": 3600.0, "hop": 2}
    assert see(rules.time_goes_backward, header=received(early, late)) is None
    assert see(rules.time_goes_backward, header=received(late, "Mon, 24 Nov 2025 14:58:00 +0000")) is None


def test_a_time_that_cannot_be_read_is_skipped() -> None:
    late, early = "Mon, 24 Nov 2025 15:00:00 +0000", "Mon, 24 Nov 2025 14:00:00 +0000"
    finding = see(rules.time_goes_backward, header=received(late, "yesterday", early))
    assert finding is not None
    assert finding.evidence["hop"] == 3


def test_long_delay() -> None:  # path.long-delay
    slow = received("Mon, 24 Nov 2025 08:00:00 +0000", DATE)
    finding = see(rules.long_delay, header=slow)
    assert finding is not None
    assert "8.0 hours" in finding.summary
    assert see(rules.long_delay, header=received(DATE, DATE)) is None


def test_many_hops() -> None:  # path.many-hops
    assert see(rules.many_hops, header=received(*[DATE] * 31))
    assert see(rules.many_hops, header=received(*[DATE] * 30)) is None


def test_what_a_saved_file_tells() -> None:  # path.judged-by-received, path.sender-unknown, path.envelope-unknown
    assert see(rules.judged_by_received, header=received(DATE), ip="", saved=True)
    assert see(rules.judged_by_received) is None
    assert see(rules.sender_unknown, ip="", saved=True)
    assert see(rules.sender_unknown) is None
    assert see(rules.envelope_unknown, mail_from=None, spf_mail_from=spf())
    assert see(rules.envelope_unknown, mail_from="") is None
