"""`gatepost rules`: every rule, as a table and as data."""

from __future__ import annotations

import json

import pytest

from gatepost.cli.main import main
from gatepost.inspector.rules import RULES
from schemas import validator


def test_all_rules_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [rule["code"] for rule in found] == [rule.code for rule in RULES]
    for rule in found:
        validator("rule").validate(rule)


def test_a_word_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "dmarc"]) == 0
    shown = capsys.readouterr().out
    assert "auth.dmarc.fail" in shown
    assert "auth.spf.fail" not in shown
    assert main(["rules", "no-such-rule"]) == 2
