"""The rules on the client, seen and not seen."""

from __future__ import annotations

import pytest

from gatepost.inspector.rules import client as rules
from judging import IP, ehlo, iprev, see


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
