"""Advertising nobody asked for, in four languages, and honest mail that uses some of its phrases."""

from __future__ import annotations

import asyncio

import pytest

import gatepost
import letters_of_today as letters
from by_hand import open_by_hand
from gatepost.inspector import rules as all_rules
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import judge
from gatepost.inspector.policy import decide
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import advert as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.wording import fold
from gatepost.inspector.wording.adverts import Family, find_adverts
from gatepost.ports import Acquaintance
from judging import CLEAN_HEADER, NOW, make_facts, plain_content, see

# advert.urge advert.bargain advert.income advert.loan advert.cure advert.adult advert.gambling advert.goods
# advert.mailing advert.stock advert.excuse advert.removal advert.stranger
ADVERTS: list[tuple[Rule, str]] = [
    (rules.urge, "Act now! Limited time offer, supplies are limited."),
    (rules.urge, "Jetzt bestellen, nur solange der Vorrat reicht. Letzte Chance!"),
    (rules.bargain, "Risk free, no obligation, 100% guaranteed or your money back."),
    (rules.bargain, "Sin riesgo y sin compromiso: totalmente gratis."),
    (rules.income, "Be your own boss: make money at home, no experience needed."),
    (rules.income, "Travail à domicile : gagnez de l'argent, liberté financière assurée."),
    (rules.loan, "Bad credit? Consolidate your debt, lower your monthly bill. Guaranteed approval."),
    (rules.loan, "Sofortkredit ohne Schufa, mit Sofortzusage."),
    (rules.cure, "Lose weight while you sleep. Burns fat, clinically proven, no prescription required."),
    (rules.cure, "Baje de peso sin dietas, 100% natural, quema grasa."),
    (rules.adult, "XXX hardcore, nude girls, live sex. You must be 18."),
    (rules.gambling, "Online casino: free chips, deposit bonus, hit the jackpot."),
    (rules.goods, "Replica watches, cheap OEM software, university diplomas."),
    (rules.mailing, "Bulk email: ten million email addresses, and the top of Google for your site."),
    (rules.mailing, "Suchmaschinenoptimierung: mehr Besucher, auf Seite 1 bei Google."),
    (rules.stock, "Stock alert: this penny stock is undervalued, a strong buy."),
    (rules.excuse, "This is not spam. It complies with bill S.1618 title III, passed by the 105th Congress."),
    (rules.removal, "To be removed, reply with remove in the subject; you will get no future mailings."),
    (rules.stranger, "Dear friend, you won't believe it, it really works, no questions asked."),
]
HONEST = (
    "The minutes of the meeting are attached. Shall we talk on Thursday?",
    "Your train leaves at 9:14 from platform 3.",
    "The patch fixes the crash in the parser; see the second commit.",
    "Anbei die Unterlagen für das Gespräch am Montag.",
    "Merci pour votre message, je vous réponds demain.",
)


@pytest.mark.parametrize(("rule", "text"), ADVERTS)
def test_an_advertisement_is_known_by_several_phrases(rule: Rule, text: str) -> None:
    found = see(rule, body=text)
    assert found is not None
    assert found.weight >= 0.3
    assert len(found.evidence["phrases"]) > 1


@pytest.mark.parametrize("text", HONEST)
def test_ordinary_words_are_none(text: str) -> None:
    assert not find_adverts(fold(text))
    for rule, _ in ADVERTS:
        assert see(rule, body=text) is None


def test_one_phrase_weighs_little_and_case_accents_and_signs_do_not_count() -> None:
    for family, weights in rules._WEIGHTS.items():
        assert weights[0] <= 0.5 < 5, family
    found = see(rules.income, body="W\u200bork—AT   home")
    assert found is not None
    assert found.weight == 0.5


def test_a_phrase_within_another_counts_once() -> None:
    assert find_adverts(fold("a money back guarantee"))[Family.BARGAIN] == ("money back guarantee",)


def test_the_subject_counts_too() -> None:
    header = CLEAN_HEADER + "Subject: =?utf-8?q?Online_casino?=\n"
    assert see(rules.gambling, header=header, body="Hello there.") is not None


def test_many() -> None:  # advert.many
    text = " ".join(text for _, text in ADVERTS)
    found = see(rules.many, body=text)
    assert found is not None
    assert found.weight == 1.6
    assert see(rules.many, body="Act now: free trial.") is None


def test_all_together_do_not_tag_alone() -> None:
    facts = make_facts(body=" ".join(text for _, text in ADVERTS))
    findings = [f for f in judge(facts).findings if f.code.startswith("advert.")]
    assert len(findings) > 10
    assert decide(findings, InspectorSettings()).action is Action.ACCEPT


def test_an_acquaintance_may_write_so() -> None:
    friend = Acquaintance(since=NOW - 9e6, first_seen=NOW - 5e6, messages=9, by_recipient={})
    text = "Be your own boss, make money at home."
    stranger, known = see(rules.income, body=text), see(rules.income, body=text, acquaintance=friend)
    assert stranger is not None
    assert known is not None
    assert known.weight < stranger.weight / 3


def test_without_opened_texts_there_is_nothing_to_see() -> None:
    assert see(rules.income) is None
    assert see(rules.many) is None


@pytest.mark.parametrize("number", range(len(letters.LETTERS)))
def test_an_ordinary_letter_of_today_stays_in_the_inbox(number: int) -> None:
    """With all rules and the classifier, where nothing is known of the sender."""
    for raw in (letters.plain(number), letters.rich(number)):
        found = asyncio.run(_judged(raw))
        against = [f for f in found if not f.code.startswith(("auth.", "path.", "date."))]
        assert decide(against, InspectorSettings()).action is Action.ACCEPT, against


async def _judged(raw: bytes) -> tuple[gatepost.Finding, ...]:
    class Hand:
        def begin(self, raw: bytes):  # type: ignore[no-untyped-def]
            async def opened():  # type: ignore[no-untyped-def]
                return open_by_hand(raw)

            return opened()

    return (await gatepost.inspect_message(raw, resolver=gatepost.ZoneResolver(""), opener=Hand(), now=NOW)).findings


@pytest.mark.parametrize("unit", ["money ", "act now ", "a" * 50, "work at ", "\u0301", "$ "])
def test_hostile_text_costs_little_and_gives_few_phrases(unit: str) -> None:
    """Quadratic matching of these would run into the tests' time limit."""
    found = plain_content(unit * 50_000).adverts
    assert all(len(phrases) <= 20 for phrases in found.values())


def test_every_family_has_a_rule() -> None:
    codes = {rule.code for rule in all_rules.RULES}
    assert {f"advert.{family.value}" for family in Family} <= codes
