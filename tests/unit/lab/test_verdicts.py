"""lab.verdicts: the gate in the lab has one right answer to each visit, one that any good server may give."""

from __future__ import annotations

import pytest

from gatepost.lab.scenario import Scenario
from gatepost.lab.scenarios import SCENARIOS
from gatepost.lab.verdicts import CHOICES, for_gate


def test_every_choice_is_of_a_scenario() -> None:
    assert set(CHOICES) <= {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_one_answer_among_the_right_ones(scenario: Scenario) -> None:
    expected = for_gate(scenario).expected
    assert len(expected.outcomes) == 1
    assert len(expected.actions) <= 1
    assert set(expected.outcomes) <= set(scenario.expected.outcomes)
    assert not scenario.expected.actions or set(expected.actions) <= set(scenario.expected.actions)
