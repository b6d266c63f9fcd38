"""Rules on how the host of a link is written."""

from __future__ import annotations

import pytest

from gatepost.finding import Severity
from gatepost.inspector.links.settings import LinkSettings
from gatepost.inspector.rules import hosts as rules
from gatepost.inspector.settings import InspectorSettings
from judging import see
from pages import linked


@pytest.mark.parametrize(
    ("target", "imitated", "severity"),
    [
        ("https://paypa1.com/", "paypal.com", Severity.DANGER),
        ("https://xn--80ak6aa92e.com/", "apple.com", Severity.DANGER),
        ("https://paypal.com.evil.example/", "paypal.com", Severity.DANGER),
        ("https://micorsoft.com/", "microsoft.com", Severity.WARNING),
        ("https://paypal-help.example/", "paypal.com", Severity.NOTICE),
        ("https://paypal-help.example/login", "paypal.com", Severity.WARNING),
        ("https://exarnple.net/", "example.net", Severity.DANGER),  # the organisation's own
        ("https://www.google.com/url?q=https://paypa1.com/", "paypal.com", Severity.DANGER),
    ],
)
def test_lookalike(target: str, imitated: str, severity: Severity) -> None:  # link.lookalike
    seen = see(rules.lookalike, content=linked(target))
    assert seen is not None
    assert (seen.evidence["imitated"], seen.severity) == (imitated, severity)


def test_a_lookalike_of_what_the_administrator_names() -> None:
    target = linked("https://smal1-bank.example/")
    assert see(rules.lookalike, content=target) is None
    named = InspectorSettings(links=LinkSettings(protected_domains=("small-bank.example",)))
    assert see(rules.lookalike, content=target, settings=named) is not None
    partner = InspectorSettings(partner_domains=("small-bank.example",))
    assert see(rules.lookalike, content=target, settings=partner) is not None


@pytest.mark.parametrize("target", ["https://www.paypal.com/", "https://amazon.de/", "https://example.com/paypa1"])
def test_no_lookalike(target: str) -> None:
    assert see(rules.lookalike, content=linked(target)) is None


def test_the_gravest_of_several_is_told() -> None:
    seen = see(rules.lookalike, content=linked("https://paypal-help.example/", "https://paypa1.com/"))
    assert seen is not None
    assert seen.evidence["host"] == "paypa1.com"


def test_mixed_script() -> None:  # link.mixed-script
    assert see(rules.mixed_script, content=linked("https://exаmple.com/")) is not None
    assert see(rules.mixed_script, content=linked("https://хосе.com/")) is not None
    for target in ("https://bücher.de/", "https://москва.ru/", "https://例え.jp/", "https://example.com/"):
        assert see(rules.mixed_script, content=linked(target)) is None


def test_punycode() -> None:  # link.punycode
    seen = see(rules.punycode, content=linked("https://xn--bcher-kva.de/"))
    assert seen is not None
    assert (seen.weight, seen.evidence["host"]) == (0.0, "bücher.de")
    assert see(rules.punycode, content=linked("https://buecher.de/")) is None


def test_ip_host() -> None:  # link.ip-host
    def weight(target: str) -> float:
        seen = see(rules.ip_host, content=linked(target))
        assert seen is not None
        return seen.weight

    assert weight("http://10.0.0.1/") == 0.0 < weight("http://8.8.8.8/") < weight("http://8.8.8.8/login")
    assert weight("http://134744072/") > weight("http://8.8.8.8/login")
    assert see(rules.ip_host, content=linked("http://example.com/8.8.8.8")) is None


def test_encoded_host() -> None:  # link.encoded-host
    assert see(rules.encoded_host, content=linked("http://%65xample.com/")) is not None
    assert see(rules.encoded_host, content=linked("http://example.com/%65")) is None
    assert see(rules.encoded_host, content=linked("http://%%HOST%%/")) is None


def test_user_info() -> None:  # link.user-info
    seen = see(rules.user_info, content=linked("http://www.paypal.com@evil.example/"))
    assert seen is not None
    assert seen.severity is Severity.DANGER
    plain = see(rules.user_info, content=linked("http://ann:secret@evil.example/"))
    assert plain is not None
    assert plain.weight < seen.weight
    assert see(rules.user_info, content=linked("http://evil.example/@ann")) is None
    assert see(rules.user_info, content=linked("ftp://anonymous@ftp.example/")) is None


def test_invisible_characters() -> None:  # link.invisible-characters
    seen = see(rules.invisible_characters, content=linked("http://ex\u200bample.com/"))
    assert seen is not None
    path = see(rules.invisible_characters, content=linked("http://example.com/a\u200bb"))
    assert path is not None
    assert path.weight < seen.weight
    assert see(rules.invisible_characters, content=linked("http://example.com/ä")) is None
