"""The rules on what the door saw, seen and not seen."""

from __future__ import annotations

import dataclasses

import pytest

from gatepost.finding import Finding
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import door as rules
from gatepost.names import DoorSign
from judging import make_facts

EARLY = DoorSign(check="early-talker", words="it talked before the greeting")
PIPELINING = DoorSign(check="pipelining", words="it did not wait")
HELLO = DoorSign(check="hello", words="it introduced itself as x, which is no full host name")


def see(rule: Rule, *signs: DoorSign) -> Finding | None:
    facts = dataclasses.replace(make_facts(), door=signs)
    assert rule.when is not None
    seen = rule.check(facts) if rule.when(facts) else None
    return rule.finding(seen, {}) if seen is not None else None


@pytest.mark.parametrize(
    ("rule", "sign"),
    [
        (rules.early_talker, EARLY),  # door.early-talker
        (rules.pipelining, PIPELINING),  # door.pipelining
        (rules.watched, HELLO),  # door.watched
    ],
)
def test_each_sign_has_its_rule(rule: Rule, sign: DoorSign) -> None:
    assert see(rule, sign) is not None
    for other in {EARLY, PIPELINING, HELLO} - {sign}:
        assert see(rule, other) is None
    assert see(rule) is None


def test_what_is_only_watched_weighs_nothing_and_says_what_it_was() -> None:
    finding = see(rules.watched, EARLY, HELLO)
    assert finding is not None
    assert finding.weight == 0
    assert finding.evidence["checks"] == ["hello"]
    assert "no full host name" in finding.summary
