"""The classifier's findings: levels, what is shown, and what it may not do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.finding import Severity
from gatepost.inspector.classifier.model import Opinion
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import judge
from gatepost.inspector.policy import decide
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import classifier
from gatepost.inspector.settings import InspectorSettings
from judging import make_facts


def opinion(kind: str = "spam", score: float = 0.0, *, grave: bool = False) -> Opinion:
    against = (("s:free", 3.0), ("viagra", 2.5), ("click_here", 2.0), ("l:count-8", 1.0))
    return Opinion(kind=kind, score=score, against=against, favour=(("list", -2.0),), learned=False, grave=grave)


def weight(rule: Rule, given: Opinion | None) -> float | None:
    seen = rule.check(replace(make_facts(), opinion=given))
    return None if seen is None else rule.finding(seen, {}).weight


@pytest.mark.parametrize(("rule", "kind"), [(classifier.spam, "spam"), (classifier.phish, "phish")])
def test_the_score_gives_the_weight(rule: Rule, kind: str) -> None:
    weights = [weight(rule, opinion(kind, score)) for score, _, _ in classifier.LEVELS]
    assert weights == [5.2, 4.0, 3.0, 2.6]
    assert weight(rule, opinion(kind, classifier.LEVELS[-1][0] - 0.01)) is None
    assert weight(rule, opinion("phish" if kind == "spam" else "spam", 9.0)) is None
    assert weight(rule, None) is None


def test_good_mail_is_told_unless_something_grave_was_found() -> None:
    assert weight(classifier.ham, opinion(score=-9.0)) == -1.5
    assert weight(classifier.ham, opinion(score=-2.0)) == -0.5
    assert weight(classifier.ham, opinion(score=-9.0, grave=True)) is None
    assert weight(classifier.ham, opinion(score=0.0)) is None


def test_it_says_which_words_and_facts_weighed() -> None:
    seen = classifier.spam.check(replace(make_facts(), opinion=opinion(score=5.0)))
    assert seen is not None
    found = classifier.spam.finding(seen, {})
    assert found.summary.endswith("in the subject free, viagra, click here, of the links count-8.")
    assert found.evidence["against"][0] == "s:free"
    assert found.evidence["in_favour"] == ["list"]


def test_alone_it_tags_and_never_more() -> None:
    rule = classifier.phish
    seen = rule.check(replace(make_facts(), opinion=opinion("phish", 99.0)))
    assert seen is not None
    found = rule.finding(seen, {rule.code: 100.0})
    assert found.severity is Severity.WARNING
    assert decide([found], InspectorSettings()).action is Action.TAG


def test_an_ordinary_letter_of_a_few_words_has_no_opinion() -> None:
    assert not [f for f in judge(make_facts()).findings if f.group == "classifier" and f.weight > 0]


def test_it_can_be_switched_off() -> None:
    off = InspectorSettings(disabled_rules=("classifier.spam", "classifier.phish", "classifier.ham"))
    assert judge(make_facts(settings=off, body="Hello.")).facts.opinion is None
    assert judge(make_facts(body="Hello.")).facts.opinion is not None


def test_where_nobody_looked_inside_it_says_nothing() -> None:
    assert judge(make_facts()).facts.opinion is None


def test_without_any_header_it_says_nothing() -> None:
    assert judge(make_facts("", body="Hello.")).facts.opinion is None
