"""The rules on the path, seen and not seen."""

from __future__ import annotations

import pytest

from gatepost.inspector.rules import path as rules
from judging import CLEAN_HEADER, DATE, IP, ehlo, iprev, see, spf


def received(*times: str) -> str:
    """Received fields, the oldest time first."""
    lines = [f"Received: from a.example ([192.0.2.7]) by h{i}.example with ESMTP; {t}\n" for i, t in enumerate(times)]
    return "".join(reversed(lines)) + CLEAN_HEADER


def test_reverse_confirmed() -> None:  # path.reverse-confirmed
    assert see(rules.reverse_confirmed)
    assert see(rules.reverse_confirmed, iprev=iprev("fail")) is None


def test_no_reverse_dns() -> None:  # path.no-reverse-dns
    assert see(rules.no_reverse_dns, iprev=iprev("permerror", ""))
    assert see(rules.no_reverse_dns, iprev=iprev("fail")) is None
    assert see(rules.no_reverse_dns, iprev=iprev("temperror", "")) is None


def test_reverse_unconfirmed() -> None:  # path.reverse-unconfirmed
    assert see(rules.reverse_unconfirmed, iprev=iprev("fail"))
    assert see(rules.reverse_unconfirmed) is None
    assert see(rules.reverse_unconfirmed, iprev=iprev("permerror", "")) is None


def test_reverse_temperror_weighs_nothing() -> None:  # path.reverse-temperror
    finding = see(rules.reverse_temperror, iprev=iprev("temperror", "", reason="no answer"))
    assert finding is not None
    assert finding.weight == 0
    assert see(rules.reverse_temperror) is None


@pytest.mark.parametrize("name", ["localhost", "WIN-ABC", "192.0.2.10", "a..b", "-x.example", "user pc.example"])
def test_ehlo_that_is_no_name(name: str) -> None:  # path.ehlo-not-a-name
    assert see(rules.ehlo_not_a_name, ehlo_domain=name)


@pytest.mark.parametrize(
    "name", ["mail.example.org", "mail.example.org.", "a_b.example.org", "bücher.example", "[x]", ""]
)
def test_ehlo_that_is_a_name(name: str) -> None:
    assert see(rules.ehlo_not_a_name, ehlo_domain=name) is None


@pytest.mark.parametrize(
    ("name", "seen"),
    [(f"[{IP}]", False), ("[198.51.100.1]", True), ("[IPv6:2001:db8::1]", True), ("[nonsense", True), ("a.b", False)],
)
def test_ehlo_literal(name: str, seen: bool) -> None:  # path.ehlo-literal-differs
    assert (see(rules.ehlo_literal_differs, ehlo_domain=name) is not None) is seen


def test_ehlo_literal_in_ipv6() -> None:
    assert see(rules.ehlo_literal_differs, ip="2001:db8::1", ehlo_domain="[IPv6:2001:DB8:0::1]") is None


def test_ehlo_is_ours() -> None:  # path.ehlo-is-ours
    assert see(rules.ehlo_is_ours, ehlo_domain="Example.NET", spf_ehlo=ehlo("none"))
    assert see(rules.ehlo_is_ours, ehlo_domain="mx.example.net", spf_ehlo=ehlo("none"))
    assert see(rules.ehlo_is_ours, ehlo_domain="example.net", spf_ehlo=ehlo("pass")) is None
    own = iprev(name="mx.example.net")
    assert see(rules.ehlo_is_ours, ehlo_domain="mx.example.net", spf_ehlo=ehlo("none"), iprev=own) is None
    assert see(rules.ehlo_is_ours, spf_ehlo=ehlo("none")) is None


def test_ehlo_not_in_dns() -> None:  # path.ehlo-not-in-dns
    assert see(rules.ehlo_not_in_dns, ehlo_found=False)
    assert see(rules.ehlo_not_in_dns, ehlo_found=None) is None
    assert see(rules.ehlo_not_in_dns, ehlo_found=True) is None


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
