"""Strangers, acquaintances and threads that never were: only an aligned pass earns trust, and a young memory says
nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.finding import Finding
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import judge
from gatepost.inspector.rules import acquaintance as rules
from gatepost.ports import Acquaintance
from judging import CLEAN_HEADER, NOW, dmarc, make_facts, see, see_all

DAY = 86400.0
BOB, CARL = "bob@example.net", "carl@example.net"
OLD = NOW - 100 * DAY
EMPTY = Acquaintance(since=OLD, by_recipient={BOB: 0, CARL: 0})
KNOWN = Acquaintance(
    since=OLD,
    first_seen=NOW - 50 * DAY,
    messages=9,
    domain_first_seen=NOW - 50 * DAY,
    domain_messages=9,
    by_recipient={BOB: 9, CARL: 0},
)
UNPROVEN = {"dmarc": dmarc("fail", "none")}
REPLY = CLEAN_HEADER + "Subject: Re: offer\nIn-Reply-To: <old@example.net>\n"


def by_recipient(found: list[Finding]) -> dict[str | None, float]:
    return {finding.recipient: finding.weight for finding in found}


def test_sender_first_time() -> None:  # sender.first-time
    found = see(rules.first_time, acquaintance=EMPTY)
    assert found is not None
    assert 0 < found.weight < 1
    assert see(rules.first_time, acquaintance=EMPTY, **UNPROVEN) is not None
    assert see(rules.first_time, acquaintance=KNOWN) is None
    assert see(rules.first_time, acquaintance=replace(EMPTY, replied=frozenset({BOB}))) is None
    assert see(rules.first_time) is None


def test_a_young_memory_says_nothing() -> None:
    for since in (None, NOW - DAY, NOW - 13.9 * DAY):
        young = replace(EMPTY, since=since)
        assert see(rules.first_time, acquaintance=young) is None
        assert see_all(rules.first_time_to_you, make_facts(acquaintance=replace(KNOWN, since=since))) == []
        assert see(rules.unknown_thread, header=REPLY, acquaintance=replace(young, sent_since=since)) is None


def test_newsletters_and_colleagues_of_the_known_are_no_strangers() -> None:
    for options in ({"header": CLEAN_HEADER + "List-Id: <x.example.org>\n"}, {}):
        known = replace(EMPTY, domain_messages=0 if options else 5)
        found = see(rules.first_time, acquaintance=known, **options)
        assert found is not None
        assert found.weight == 0


def test_sender_first_time_to_you() -> None:  # sender.first-time-to-you
    assert by_recipient(see_all(rules.first_time_to_you, make_facts(acquaintance=KNOWN))) == {CARL: 0}
    both = replace(KNOWN, by_recipient={BOB: 0, CARL: 0})
    assert by_recipient(see_all(rules.first_time_to_you, make_facts(acquaintance=both))) == {None: 0}
    answered = replace(KNOWN, replied=frozenset({CARL}))
    assert see_all(rules.first_time_to_you, make_facts(acquaintance=answered)) == []


def test_sender_acquainted() -> None:  # sender.acquainted
    found = by_recipient(see_all(rules.acquainted, make_facts(acquaintance=KNOWN)))
    assert found == {BOB: -1.5, CARL: -0.5}
    answered = replace(KNOWN, replied=frozenset({CARL}))
    assert by_recipient(see_all(rules.acquainted, make_facts(acquaintance=answered))) == {BOB: -1.5, CARL: -2.5}
    only = replace(KNOWN, by_recipient={BOB: 9})
    assert by_recipient(see_all(rules.acquainted, make_facts(acquaintance=only))) == {None: -1.5}


@pytest.mark.parametrize(
    "known",
    [
        EMPTY,
        replace(KNOWN, first_seen=NOW - 6 * DAY),
        replace(KNOWN, messages=2, by_recipient={BOB: 2}),
        Acquaintance(),
    ],
)
def test_few_or_fresh_messages_make_no_acquaintance(known: Acquaintance) -> None:
    assert see_all(rules.acquainted, make_facts(acquaintance=known)) == []


def test_a_spoofer_inherits_no_trust() -> None:
    answered = replace(KNOWN, replied=frozenset({BOB, CARL}))
    for unproven in ({"dmarc": dmarc("fail", "none")}, {"dmarc": dmarc("none")}, {"dmarc": dmarc("temperror")}):
        facts = make_facts(acquaintance=answered, recipients=(BOB, CARL), **unproven)
        assert all(finding.weight >= 0 for finding in judge(facts).findings)


def test_acquaintance_takes_no_forced_action_back_and_counts_for_each_recipient_alone() -> None:
    answered = replace(KNOWN, replied=frozenset({BOB}))
    header = CLEAN_HEADER.replace("From: Ann", "From: PayPal") + "From: Eve <eve@example.org>\n"
    judgement = judge(make_facts(header=header, acquaintance=answered, recipients=(BOB, CARL)))
    assert judgement.decide(BOB).action is Action.REJECT
    mild = judge(make_facts(acquaintance=answered, recipients=(BOB, CARL)))
    assert mild.decide(BOB).score < mild.decide(CARL).score


def test_sender_volume_jump() -> None:  # sender.volume-jump
    today: dict[str, Any] = {"day": int(NOW // DAY), "day_messages": 40, "messages": 60}
    found = see(rules.volume_jump, acquaintance=replace(KNOWN, **today))
    assert found is not None
    assert found.evidence["today"] == 40
    assert see(rules.volume_jump, acquaintance=replace(KNOWN, **(today | {"messages": 900}))) is None
    assert see(rules.volume_jump, acquaintance=replace(KNOWN, **(today | {"day_messages": 9}))) is None
    assert see(rules.volume_jump, acquaintance=replace(KNOWN, **(today | {"day": 3}))) is None
    bulk = CLEAN_HEADER + "List-Unsubscribe: <https://example.org/u>\n"
    assert see(rules.volume_jump, header=bulk, acquaintance=replace(KNOWN, **today)) is None
    assert see(rules.volume_jump, acquaintance=replace(KNOWN, **today), **UNPROVEN) is None


@pytest.mark.parametrize(
    "subject", ["Re: offer", "AW: Angebot", "Antw: offer", "RE : offre", "=?utf-8?q?R=C3=A9p=3A_o?="]
)
def test_sender_unknown_thread(subject: str) -> None:  # sender.unknown-thread
    known = replace(EMPTY, sent_since=OLD)
    header = CLEAN_HEADER + f"Subject: {subject}\nReferences: <a@example.net> <b@example.net>\n"
    found = see(rules.unknown_thread, header=header, acquaintance=known)
    assert found is not None
    assert found.evidence["references"] == ["<a@example.net>", "<b@example.net>"]


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (REPLY, replace(EMPTY, sent_since=OLD, known_references=frozenset({"<old@example.net>"}))),
        (REPLY, EMPTY),  # no mail of our own people was ever seen
        (REPLY, replace(EMPTY, sent_since=NOW - DAY)),
        (REPLY, replace(KNOWN, sent_since=OLD)),
        (REPLY + "List-Id: <x.example.org>\n", replace(EMPTY, sent_since=OLD)),
        (REPLY + "X-Forwarded-To: bob@example.net\n", replace(EMPTY, sent_since=OLD)),
        (REPLY.replace("Re: offer", "Fwd: offer"), replace(EMPTY, sent_since=OLD)),
        (CLEAN_HEADER + "Subject: Re: offer\n", replace(EMPTY, sent_since=OLD)),
    ],
)
def test_honest_answers_are_no_false_threads(header: str, known: Acquaintance) -> None:
    assert see(rules.unknown_thread, header=header, acquaintance=known) is None
