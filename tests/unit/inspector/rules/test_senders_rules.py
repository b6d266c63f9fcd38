"""The rules on senders, seen and not seen."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.finding import Severity
from gatepost.inspector.rules import senders as rules
from judging import dkim, dmarc, see

UNPROVEN: dict[str, Any] = {"dmarc": dmarc("none"), "dkim": dkim()}


def from_(text: str, more: str = "") -> str:
    return f"From: {text}\n{more}"


def test_unreadable_from() -> None:  # sender.unreadable-from
    assert see(rules.unreadable_from, header=from_("The Boss"))
    assert see(rules.unreadable_from, header=from_("a@example.org")) is None
    assert see(rules.unreadable_from, header="To: b@example.net\n") is None


def test_several_authors() -> None:  # sender.several-authors
    assert see(rules.several_authors, header=from_("a@example.org, b@example.com"))
    assert see(rules.several_authors, header=from_("a@example.org, b@example.org")) is None


@pytest.mark.parametrize(
    "text", ["<a@example.org> <b@example.com>", "a@b@example.org", "<a@example.org", "A a@b.example c"]
)
def test_odd_from(text: str) -> None:  # sender.odd-from
    assert see(rules.odd_from, header=from_(text))


def test_a_usual_from_is_not_odd() -> None:
    for text in ('"Doe, Ann" <ann@example.org>', "ann@example.org (Ann)", "=?utf-8?q?J=C3=B6rg?= <j@example.org>"):
        assert see(rules.odd_from, header=from_(text)) is None, text


@pytest.mark.parametrize(
    "text",
    [
        '"boss@bank.example" <x@evil.example>',
        "=?utf-8?q?boss=40bank.example?= <x@evil.example>",
        '"boss＠bank.example" <x@evil.example>',
        "boss @ bank.example <x@evil.example>",
    ],
)
def test_name_carries_address(text: str) -> None:  # sender.name-carries-address
    finding = see(rules.name_carries_address, header=from_(text))
    assert finding is not None
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        "Ann <ann@example.org>",
        '"ann@example.org" <ann@example.org>',
        '"ann@mail.example.org" <ann@example.org>',
        '"ann@example.co.uk" <bounce@news.example.co.uk>',
        '"Ann @ work" <ann@example.org>',
    ],
)
def test_a_name_without_another_address(text: str) -> None:
    assert see(rules.name_carries_address, header=from_(text)) is None


def test_reply_to_elsewhere() -> None:  # sender.reply-to-elsewhere
    elsewhere = "Reply-To: x@evil.example\n"
    finding = see(rules.reply_to_elsewhere, header=from_("a@example.org", elsewhere), **UNPROVEN)
    assert finding is not None
    assert finding.severity is Severity.INFO
    assert see(rules.reply_to_elsewhere, header=from_("a@example.org", "Reply-To: b@sub.example.org\n")) is None
    assert see(rules.reply_to_elsewhere, header=from_("a@example.org")) is None
    assert see(rules.reply_to_elsewhere, header=from_("a@example.org", elsewhere + "List-Id: <l.example>\n")) is None


def test_reply_to_elsewhere_in_the_name_of_a_colleague_is_grave() -> None:
    finding = see(rules.reply_to_elsewhere, header=from_("boss@example.net", "Reply-To: x@evil.example\n"), **UNPROVEN)
    assert finding is not None
    assert finding.severity is Severity.WARNING


def test_own_domain_spoofed() -> None:  # sender.own-domain-spoofed
    for author in ("boss@example.net", "boss@hr.Example.NET"):
        assert see(rules.own_domain_spoofed, header=from_(author), **UNPROVEN), author
    assert see(rules.own_domain_spoofed, header=from_("boss@example.net")) is None
    assert see(rules.own_domain_spoofed, header=from_("a@example.org"), **UNPROVEN) is None
    assert see(rules.own_domain_spoofed, header=from_("a@notexample.net"), **UNPROVEN) is None


def test_own_domain_through_a_mailing_list_is_milder() -> None:
    finding = see(rules.own_domain_spoofed, header=from_("a@example.net", "List-Id: <l.example>\n"), **UNPROVEN)
    assert finding is not None
    assert finding.severity is Severity.WARNING
