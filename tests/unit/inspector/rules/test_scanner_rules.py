"""The rules on the virus scanner, seen and not seen, and what they force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.inspector.decision import Action, Decision
from gatepost.inspector.judge import judge
from gatepost.inspector.rules import scanner as rules
from gatepost.inspector.settings import InspectorSettings, OnMalware, OnTemperror
from gatepost.ports import Scanned, ScanStatus
from judging import make_facts

CLEAN = Scanned(status=ScanStatus.CLEAN)
FOUND = Scanned(status=ScanStatus.FOUND, names=("Eicar-Test",))
DOWN = Scanned(status=ScanStatus.ERROR, reason="clamd cannot be reached")
LARGE = Scanned(status=ScanStatus.ERROR, reason="too large", lasting=True)


def decided(scanned: Scanned | None, **settings: object) -> Decision:
    facts = make_facts(settings=InspectorSettings(**settings))  # type: ignore[arg-type]
    return judge(replace(facts, scanned=scanned)).decide()


def test_malware() -> None:  # malware.found
    finding = judge(replace(make_facts(), scanned=FOUND)).findings[0]
    assert finding.code == "malware.found"
    assert "Eicar-Test" in finding.summary
    for other in (None, CLEAN, DOWN):
        assert rules.malware_found.check(replace(make_facts(), scanned=other)) is None


def test_nobody_looked() -> None:  # malware.not-scanned
    assert rules.not_scanned.check(replace(make_facts(), scanned=DOWN))
    for other in (None, CLEAN, FOUND):
        assert rules.not_scanned.check(replace(make_facts(), scanned=other)) is None


def test_malware_is_decisive_whatever_speaks_for_the_message() -> None:
    friendly = {"weights": {"auth.dmarc.pass": -100.0}, "group_caps": {"auth": 100.0}}
    assert decided(CLEAN, **friendly).score == -100
    assert decided(FOUND, **friendly).action is Action.QUARANTINE
    assert decided(FOUND, **friendly).decided_by == ("malware.found",)
    assert decided(FOUND, malware=OnMalware.REJECT, **friendly).action is Action.REJECT


@pytest.mark.parametrize(
    ("setting", "scanned", "expected"),
    [
        (OnTemperror.TAG, DOWN, Action.TAG),
        (OnTemperror.DEFER, DOWN, Action.DEFER),
        (OnTemperror.WEIGH, DOWN, Action.ACCEPT),
        (OnTemperror.TAG, LARGE, Action.TAG),
        (OnTemperror.DEFER, LARGE, Action.TAG),  # it would be as large tomorrow
        (OnTemperror.WEIGH, LARGE, Action.ACCEPT),
        (OnTemperror.DEFER, CLEAN, Action.ACCEPT),
        (OnTemperror.DEFER, None, Action.ACCEPT),
    ],
)
def test_not_scanned_is_what_the_setting_says(setting: OnTemperror, scanned: Scanned | None, expected: Action) -> None:
    decision = decided(scanned, not_scanned=setting)
    assert decision.action is expected
    if scanned in (DOWN, LARGE):
        assert "malware.not-scanned" in {finding.code for finding in decision.findings}
