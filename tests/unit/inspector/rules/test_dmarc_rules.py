"""The rules on DMARC, seen and not seen. What is enforced is tested in test_enforcement."""

from __future__ import annotations

import pytest

from gatepost.finding import Severity
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import dmarc as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.msgauth.dmarc import Alignment, DmarcPolicy
from judging import dkim, dmarc, see, signature


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (rules.dmarc_pass, "pass"),  # auth.dmarc.pass
        (rules.dmarc_fail, "fail"),  # auth.dmarc.fail
        (rules.dmarc_none, "none"),  # auth.dmarc.none
        (rules.dmarc_temperror, "temperror"),  # auth.dmarc.temperror
        (rules.dmarc_permerror, "permerror"),  # auth.dmarc.permerror
    ],
)
def test_each_result_has_its_rule_and_no_other(rule: Rule, word: str) -> None:
    words = ("pass", "fail", "none", "temperror", "permerror")
    assert [w for w in words if see(rule, dmarc=dmarc(w))] == [word]
    finding = see(rule, dmarc=dmarc(word))
    assert finding is not None
    assert "{" not in finding.summary
    assert "example.org" in finding.summary


@pytest.mark.parametrize(
    ("policy", "severity"),
    [("none", Severity.WARNING), ("quarantine", Severity.DANGER), ("reject", Severity.DANGER)],
)
def test_a_failure_is_as_grave_as_its_policy(policy: str, severity: Severity) -> None:
    finding = see(rules.dmarc_fail, dmarc=dmarc("fail", policy))
    assert finding is not None
    assert finding.severity is severity
    assert finding.evidence["policy"] == policy


def test_test_mode_makes_it_milder() -> None:
    finding = see(rules.dmarc_fail, dmarc=dmarc("fail", "quarantine", disposition=DmarcPolicy.NONE))
    assert finding is not None
    assert finding.severity is Severity.WARNING


def test_a_trusted_forwarder_makes_it_a_notice() -> None:
    settings = InspectorSettings(trusted_forwarders=("list.example",))
    proven = dkim(signature(domain="mx.list.example"))
    finding = see(rules.dmarc_fail, dmarc=dmarc("fail"), dkim=proven, settings=settings)
    assert finding is not None
    assert finding.severity is Severity.NOTICE
    assert finding.evidence["enforced"] == "tag"


def test_aligned_without_policy() -> None:  # auth.dmarc.aligned-without-policy
    assert see(rules.dmarc_aligned, dmarc=dmarc("none", alignment=Alignment(dkim=True)))
    assert see(rules.dmarc_aligned, dmarc=dmarc("none")) is None
    assert see(rules.dmarc_aligned) is None


def test_no_author_domain_is_no_missing_policy() -> None:
    assert see(rules.dmarc_none, dmarc=dmarc("none", domain="")) is None
