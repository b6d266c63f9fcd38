"""inspector.policy: thresholds, caps, what forces and what never decides alone."""

from __future__ import annotations

import pytest

from gatepost.errors import ConfigError
from gatepost.finding import Finding, Severity
from gatepost.inspector.decision import Action, Forced
from gatepost.inspector.policy import decide, decide_transaction, for_delivery
from gatepost.inspector.settings import InspectorSettings

SETTINGS = InspectorSettings()


def finding(code: str, weight: float, group: str, recipient: str | None = None) -> Finding:
    return Finding(code=code, severity=Severity.NOTICE, weight=weight, group=group, summary=code, recipient=recipient)


def test_nothing_seen_is_accepted() -> None:
    decision = decide((), SETTINGS)
    assert decision.as_json() == {"action": "accept", "score": 0.0, "decided_by": []}


@pytest.mark.parametrize(
    ("weights", "action"),
    [
        ((4.9,), Action.ACCEPT),
        ((5.0,), Action.TAG),
        ((4.0, 4.0), Action.QUARANTINE),
        ((6.0, 6.0, 3.0), Action.REJECT),
    ],
)
def test_thresholds_on_the_sum_of_groups(weights: tuple[float, ...], action: Action) -> None:
    findings = [finding(f"c.{i}", weight, f"g{i}") for i, weight in enumerate(weights)]
    assert decide(findings, SETTINGS).action is action


def test_a_group_is_capped() -> None:
    findings = [finding(f"l.{i}", 3.0, "lists") for i in range(20)]
    decision = decide(findings, SETTINGS)
    assert decision.score == 4.0
    assert decision.action is Action.ACCEPT


@pytest.mark.parametrize(("group", "most"), [("lists", Action.ACCEPT), ("classifier", Action.TAG)])
def test_no_list_and_no_classifier_decides_alone_whatever_is_configured(group: str, most: Action) -> None:
    settings = InspectorSettings(group_caps={group: 100.0}, reject_codes=("header.nul",))
    assert decide([finding("header.nul", 50.0, group)], settings).action is most


def test_a_classifier_that_is_not_sure_only_strengthens_signs_in_the_message() -> None:
    unsure, sure = finding("c.1", 3.0, "classifier"), finding("c.1", 4.0, "classifier")
    way = [finding("p.1", 2.0, "path"), finding("a.1", 1.0, "auth")]
    assert decide([unsure, *way], InspectorSettings()).score == 4.0
    assert decide([sure, *way], InspectorSettings()).score == 7.0
    assert decide([unsure, finding("s.1", 2.0, "shape")], InspectorSettings()).score == 5.0
    assert decide([unsure, finding("s.1", 0.5, "shape")], InspectorSettings()).score == 2.0


def test_lists_and_classifier_together_do_not_decide_without_a_third() -> None:
    both = [finding("l.1", 9.0, "lists"), finding("c.1", 9.0, "classifier")]
    assert decide(both, SETTINGS).action is Action.TAG
    assert decide([*both, finding("p.1", 1.0, "path")], SETTINGS).action is Action.QUARANTINE


def test_negative_weights_never_offset_a_forced_action() -> None:
    good = [finding("g.1", -6.0, "known")]
    decision = decide(good, SETTINGS, (Forced(action=Action.REJECT, code="auth.dmarc.fail"),))
    assert decision.action is Action.REJECT
    assert decision.decided_by == ("auth.dmarc.fail",)


def test_a_forced_action_is_a_floor_not_a_ceiling() -> None:
    bad = [finding("a.1", 6.0, "a"), finding("b.1", 4.0, "b")]
    decision = decide(bad, SETTINGS, (Forced(action=Action.TAG, code="x"),))
    assert decision.action is Action.QUARANTINE
    assert decision.decided_by == ("a.1", "b.1")


def test_a_deferral_outranks_the_score_but_not_a_refusal() -> None:
    bad = [finding("a.1", 6.0, "a"), finding("b.1", 6.0, "b"), finding("c.1", 6.0, "c")]
    assert decide(bad, SETTINGS, (Forced(action=Action.DEFER, code="t"),)).action is Action.DEFER
    both = (Forced(action=Action.DEFER, code="t"), Forced(action=Action.REJECT, code="malware"))
    assert decide((), SETTINGS, both).action is Action.REJECT


def test_the_administrator_may_let_one_code_decide() -> None:
    settings = InspectorSettings(quarantine_codes=("header.nul",))
    decision = decide([finding("header.nul", 0.1, "header")], settings)
    assert (decision.action, decision.decided_by) == (Action.QUARANTINE, ("header.nul",))


def test_a_decision_is_per_recipient() -> None:
    findings = [finding("a", 4.0, "a"), finding("b", 4.0, "b", recipient="x@example.org")]
    assert decide(findings, SETTINGS, recipient="x@example.org").action is Action.QUARANTINE
    assert decide(findings, SETTINGS, recipient="y@example.org").action is Action.ACCEPT


def test_one_data_has_one_reply() -> None:
    reject = decide((), SETTINGS, (Forced(action=Action.REJECT, code="x"),))
    accept = decide((), SETTINGS)
    defer = decide((), SETTINGS, (Forced(action=Action.DEFER, code="x"),))
    assert decide_transaction([reject, reject]) is Action.REJECT
    assert decide_transaction([reject, accept]) is Action.ACCEPT
    assert decide_transaction([reject, accept, defer]) is Action.DEFER
    assert for_delivery(reject) is Action.QUARANTINE
    assert for_delivery(accept) is Action.ACCEPT


@pytest.mark.parametrize("option", ["disabled_rules", "quarantine_codes", "reject_codes"])
def test_a_code_that_no_rule_has_is_refused_with_the_nearest(option: str) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'auth\.dmarc\.fail'"):
        InspectorSettings(**{option: ("auth.dmark.fail",)})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="gatepost rules"):
        InspectorSettings(weights={"nonsense": 1.0})


def test_thresholds_that_go_down_are_refused() -> None:
    with pytest.raises(ConfigError, match="must not go down"):
        InspectorSettings(tag_at=9.0)


@pytest.mark.parametrize("ending", [".exe", "EXE", ""])
def test_endings_are_written_without_the_dot(ending: str) -> None:
    with pytest.raises(ConfigError, match="blocked_extensions"):
        InspectorSettings(blocked_extensions=(ending,))
