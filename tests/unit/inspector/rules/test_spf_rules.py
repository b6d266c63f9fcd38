"""The rules on SPF, seen and not seen."""

from __future__ import annotations

import pytest

from gatepost.finding import Severity
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import spf as rules
from judging import dkim, dmarc, ehlo, see, spf

UNPROVEN = {"dmarc": dmarc("none"), "dkim": dkim()}


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (rules.spf_pass, "pass"),  # auth.spf.pass
        (rules.spf_fail, "fail"),  # auth.spf.fail
        (rules.spf_softfail, "softfail"),  # auth.spf.softfail
        (rules.spf_neutral, "neutral"),  # auth.spf.neutral
        (rules.spf_none, "none"),  # auth.spf.none
        (rules.spf_temperror, "temperror"),  # auth.spf.temperror
        (rules.spf_permerror, "permerror"),  # auth.spf.permerror
    ],
)
def test_each_result_has_its_rule_and_no_other(rule: Rule, word: str) -> None:
    words = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror")
    seen = [w for w in words if see(rule, spf_mail_from=spf(w), **UNPROVEN)]
    assert seen == [word]
    finding = see(rule, spf_mail_from=spf(word, "x.example"), **UNPROVEN)
    assert finding is not None
    assert finding.evidence["domain"] == "x.example"


def test_an_unknown_envelope_is_no_result() -> None:
    assert see(rules.spf_none, spf_mail_from=None) is None
    assert see(rules.spf_none, spf_mail_from=spf("none"), ip="") is None


def test_a_fail_matters_less_where_dkim_proves_the_author() -> None:
    finding = see(rules.spf_fail, spf_mail_from=spf("fail"))
    assert finding is not None
    assert (finding.severity, finding.weight) == (Severity.INFO, 0.5)


def test_ehlo_fail() -> None:  # auth.spf.ehlo-fail
    assert see(rules.spf_ehlo_fail, spf_ehlo=ehlo("fail"))
    assert see(rules.spf_ehlo_fail, spf_ehlo=ehlo("none")) is None
    assert see(rules.spf_ehlo_fail, spf_ehlo=None) is None
