"""The list of rules: complete, unique, explained and tested."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from gatepost.finding import Severity
from gatepost.inspector import rules
from gatepost.inspector.rule import Rule
from gatepost.inspector.settings import InspectorSettings
from judging import judged

HERE = Path(__file__).parent


def test_every_rule_that_is_written_is_in_the_list_once() -> None:
    written = [
        value
        for module in pkgutil.iter_modules(rules.__path__)
        for value in vars(importlib.import_module(f"gatepost.inspector.rules.{module.name}")).values()
        if isinstance(value, Rule)
    ]
    assert sorted(r.code for r in written) == sorted(r.code for r in rules.RULES)
    assert len({r.code for r in rules.RULES}) == len(rules.RULES)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_every_rule_explains_itself_and_is_tested(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", rule.code)
    assert rule.summary.endswith(".")
    assert rule.why.endswith(".")
    assert rule.reference
    assert rule.remedy or rule.severity in (Severity.PASS, Severity.INFO)
    assert (rule.weight == 0) or rule.severity is not Severity.PASS
    tests = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
    assert re.search(rf"{re.escape(rule.code)}(?![\w-])", tests), f"no test names {rule.code}"


def test_a_disabled_rule_is_not_run_and_a_weight_can_be_changed() -> None:
    settings = InspectorSettings(disabled_rules=("auth.spf.pass",), weights={"header.no-date": 3.5})
    findings = {f.code: f for f in judged(header="From: a@example.org\n", settings=settings).findings}
    assert "auth.spf.pass" not in findings
    assert findings["header.no-date"].weight == 3.5
