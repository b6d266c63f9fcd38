"""Senders who pretend to be a colleague, a brand or our own house; honest ones with similar names are let be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.inspector.people import People
from gatepost.inspector.rules import pretending as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.ports import Acquaintance
from judging import DATE, NOW, dmarc, make_facts, see, spf

DAY = 86400.0
PEOPLE = People(
    {"Ann Miller": ["ann@example.net", "ann.private@gmail.com"]}, ["john.smith@example.net", "info@example.net"]
)
STRANGER = Acquaintance(since=NOW - 99 * DAY, by_recipient={"bob@example.net": 0})
FRIEND = replace(STRANGER, first_seen=NOW - 50 * DAY, messages=9)
UNPROVEN: dict[str, Any] = {"dmarc": dmarc("none", domain="evil.example")}


def mail(author: str, more: str = "") -> str:
    return f"From: {author}\nTo: bob@example.net\nDate: {DATE}\nMessage-ID: <1@x>\n{more}"


@pytest.mark.parametrize(
    "name", ["Ann Miller", "MILLER, Ann", "Ann Miller (CEO)", "Änn Mıller", "Аnn Miller", "John Smith", "Smith John"]
)
def test_sender_colleagues_name(name: str) -> None:  # sender.colleagues-name
    found = see(rules.colleagues_name, header=mail(f'"{name}" <ceo@evil.example>'), people=PEOPLE)
    assert found is not None
    assert found.evidence["address"] == "ceo@evil.example"


@pytest.mark.parametrize(
    "author",
    [
        "Ann Miller <ann@example.net>",
        "Ann Miller <Ann.Private@gmail.com>",
        "Ann Smith <x@evil.example>",
        "Miller <x@evil.example>",
        "info <info@elsewhere.example>",
        "ann.miller@elsewhere.example",
    ],
)
def test_own_addresses_and_other_names_are_no_false_colleagues(author: str) -> None:
    assert see(rules.colleagues_name, header=mail(author), people=PEOPLE) is None


def test_a_false_colleague_who_never_wrote_is_graver_and_a_known_one_milder() -> None:
    header = mail("Ann Miller <ann@evil.example>")
    plain = see(rules.colleagues_name, header=header, people=PEOPLE)
    stranger = see(rules.colleagues_name, header=header, people=PEOPLE, acquaintance=STRANGER)
    friend = see(rules.colleagues_name, header=header, people=PEOPLE, acquaintance=FRIEND)
    spoofed = see(rules.colleagues_name, header=header, people=PEOPLE, acquaintance=FRIEND, **UNPROVEN)
    assert plain is not None
    assert stranger is not None
    assert friend is not None
    assert spoofed is not None
    assert stranger.weight > plain.weight == spoofed.weight > friend.weight == 0


def test_who_was_answered_is_let_be_only_when_proven() -> None:
    answered = replace(STRANGER, replied=frozenset({"bob@example.net"}))
    header = mail("Ann Miller <ann@home.example>")
    proven = see(rules.colleagues_name, header=header, people=PEOPLE, acquaintance=answered)
    spoofed = see(rules.colleagues_name, header=header, people=PEOPLE, acquaintance=answered, **UNPROVEN)
    assert proven is not None
    assert spoofed is not None
    assert proven.weight == 0 < spoofed.weight


def test_sharp_s_and_capitals_are_one_name() -> None:
    people = People({"Jörg Groß": ["jg@example.net"]})
    assert see(rules.colleagues_name, header=mail('"JÖRG GROSS" <x@evil.example>'), people=people) is not None


def test_our_own_domain_counts_only_when_proven() -> None:
    header = mail("Ann Miller <other@example.net>")
    assert see(rules.colleagues_name, header=header, people=PEOPLE, dmarc=dmarc(domain="example.net")) is None
    assert (
        see(rules.colleagues_name, header=header, people=PEOPLE, dmarc=dmarc("fail", domain="example.net")) is not None
    )


def test_the_people_of_the_settings_are_known() -> None:
    settings = InspectorSettings(people={"Ann Miller": ("ann@example.net",)})
    assert see(rules.colleagues_name, header=mail("Ann Miller <x@evil.example>"), settings=settings) is not None


@pytest.mark.parametrize(
    "name", ["PayPal", "PayPal Service", "PаyPal", "DocuSign via Mail", "Net flix", "Paypa1 Support", "Deutsche Post"]
)
def test_sender_brands_name(name: str) -> None:  # sender.brands-name
    found = see(rules.brands_name, header=mail(f'"{name}" <x@evil.example>'), **UNPROVEN)
    assert found is not None
    assert found.weight >= 2


@pytest.mark.parametrize(
    "author",
    [
        "PayPal <service@paypal.de>",
        "PayPal <service@mail.paypal.com>",
        "Apple Smith <apple@example.org>",
        "Chase Miller <chase@example.org>",
        "Ann <ann@example.org>",
        "The paypal users group <x@example.org>",
        "paypal-users <list@paypal-users.example>",
        "service@example.org",
    ],
)
def test_brands_themselves_and_people_are_let_be(author: str) -> None:
    assert see(rules.brands_name, header=mail(author)) is None


@pytest.mark.parametrize(
    ("domain", "least"),
    [
        ("examp1e.net", 0),
        ("gate-house.example", 0),
        ("gatehovse.example", 4),
        ("gatehouze.example", 4),
        ("paypa1.com", 3),
    ],
)
def test_sender_lookalike_domain(domain: str, least: float) -> None:  # sender.lookalike-domain
    found = see(rules.lookalike_domain, header=mail(f"Ann <ann@{domain}>"), own_domains=("gatehouse.example",))
    assert (found.weight if found is not None else 0) >= least


def test_look_alikes_in_reply_to_and_return_path_count_and_partners_are_protected() -> None:
    settings = InspectorSettings(partner_domains=("partnerfirm.example",))
    header = mail("Ann <ann@example.org>", "Reply-To: ann@partnerfiirm.example\n")
    found = see(rules.lookalike_domain, header=header, settings=settings)
    assert found is not None
    assert found.evidence["field"] == "Reply-To"
    found = see(rules.lookalike_domain, mail_from="x@partnerf1rm.example", settings=settings)
    assert found is not None
    assert found.evidence["field"] == "Return-Path"
    assert see(rules.lookalike_domain, header=mail("Ann <ann@partnerfirm.example>"), settings=settings) is None


def test_sender_own_reply_to() -> None:  # sender.own-reply-to
    header = mail("Eve <eve@evil.example>", "Reply-To: ann@example.net\n")
    assert see(rules.own_reply_to, header=header, **UNPROVEN) is not None
    assert see(rules.own_reply_to, header=header) is None  # a proven one, a ticket system for us, may do so
    assert see(rules.own_reply_to, header=header + "List-Id: <x.y>\n", **UNPROVEN) is None
    assert (
        see(rules.own_reply_to, header=mail("Ann <ann@example.net>", "Reply-To: x@example.net\n"), **UNPROVEN) is None
    )


def test_sender_own_return_path() -> None:  # sender.own-return-path
    options: dict[str, Any] = {"header": mail("Eve <eve@evil.example>"), "mail_from": "bounce@example.net"}
    assert see(rules.own_return_path, spf_mail_from=spf("fail"), **options) is not None
    assert see(rules.own_return_path, spf_mail_from=spf("pass"), **options) is None
    assert see(rules.own_return_path, spf_mail_from=spf("temperror"), **options) is None
    assert see(rules.own_return_path) is None


@pytest.mark.parametrize(
    "name", ["Billing Department", "Müller GmbH", "IT-Support", "Example Invoices", "Sécurité Service"]
)
def test_sender_office_on_freemail(name: str) -> None:  # sender.office-on-freemail
    found = see(rules.office_on_freemail, header=mail(f'"{name}" <x@gmail.com>'))
    assert found is not None
    graver = see(rules.office_on_freemail, header=mail(f'"{name}" <x@gmail.com>'), acquaintance=STRANGER)
    assert graver is not None
    assert graver.weight > found.weight


@pytest.mark.parametrize("author", ["Ann Miller <x@gmail.com>", "Billing <x@firm.example>", "x@gmail.com"])
def test_people_at_freemail_and_offices_at_home_are_let_be(author: str) -> None:
    assert see(rules.office_on_freemail, header=mail(author)) is None


def test_sender_reply_to_freemail() -> None:  # sender.reply-to-freemail
    header = mail("Ann <ann@example.org>", "Reply-To: ann.example@gmail.com\n")
    found = see(rules.reply_to_freemail, header=header)
    assert found is not None
    assert found.weight == 1
    private = see(rules.reply_to_freemail, header=header.replace("ann@example.org", "ann@gmx.de"))
    assert private is not None
    assert private.weight < 1
    assert see(rules.reply_to_freemail, header=header + "List-Id: <x.y>\n") is None
    assert see(rules.reply_to_freemail, header=mail("Ann <ann@gmail.com>", "Reply-To: bob@gmail.com\n")) is None


def test_hostile_names_cost_nothing() -> None:
    for name in ("a" * 60_000, "ann " * 20_000, "\u202e" * 5000, "=?utf-8?q?" + "=E2=80=AE" * 500 + "?="):
        facts = make_facts(mail(f'"{name}" <x@evil.example>'), people=PEOPLE)
        assert rules.colleagues_name.check(facts) is None
        rules.brands_name.check(facts)
