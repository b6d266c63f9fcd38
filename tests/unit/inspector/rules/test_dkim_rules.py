"""The rules on DKIM, seen and not seen."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.finding import Severity
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import dkim as rules
from judging import dkim, see, signature


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (rules.dkim_pass, {}, {"result": "fail"}),  # auth.dkim.pass
        (rules.dkim_fail, {"result": "fail"}, {"result": "fail", "testing": True}),  # auth.dkim.fail
        (rules.dkim_permerror, {"result": "permerror"}, {"result": "temperror"}),  # auth.dkim.permerror
        (rules.dkim_permerror, {"result": "neutral"}, {"result": "permerror", "expired": True}),
        (rules.dkim_policy, {"result": "policy"}, {}),  # auth.dkim.policy
        (rules.dkim_temperror, {"result": "temperror"}, {}),  # auth.dkim.temperror
        (rules.dkim_expired, {"result": "permerror", "expired": True}, {"result": "permerror"}),  # auth.dkim.expired
        (rules.dkim_weak_key, {"key_bits": 1024}, {"key_bits": 2048}),  # auth.dkim.weak-key
        (
            rules.dkim_weak_key,
            {"key_bits": 512, "result": "permerror"},
            {"key_bits": 256, "algorithm": "ed25519-sha256"},
        ),
        (rules.dkim_body_length, {"body_length": 3, "unsigned_body": 9}, {}),  # auth.dkim.body-length
        (rules.dkim_unsigned_fields, {"unsigned_fields": ("subject",)}, {}),  # auth.dkim.unsigned-fields
    ],
)
def test_signatures(rule: Rule, bad: dict[str, Any], good: dict[str, Any]) -> None:
    finding = see(rule, dkim=dkim(signature(**bad)))
    assert finding is not None
    assert "{" not in finding.summary
    assert finding.evidence["signatures"][0]["domain"] == "example.org"
    assert see(rule, dkim=dkim(signature(**good))) is None
    assert see(rule, dkim=dkim()) is None


def test_none() -> None:  # auth.dkim.none
    assert see(rules.dkim_none, dkim=dkim())
    assert see(rules.dkim_none) is None


def test_a_second_signature_that_passes_takes_the_weight_of_the_first() -> None:
    finding = see(rules.dkim_fail, dkim=dkim(signature("fail"), signature()))
    assert finding is not None
    assert (finding.severity, finding.weight) == (Severity.INFO, 0.0)


def test_l_that_covers_the_whole_body_is_only_noted() -> None:
    finding = see(rules.dkim_body_length, dkim=dkim(signature(body_length=8)))
    assert finding is not None
    assert finding.severity is Severity.INFO


def test_of_several_passes_the_authors_own_is_named() -> None:
    finding = see(rules.dkim_pass, dkim=dkim(signature(domain="provider.example"), signature()))
    assert finding is not None
    assert "signed by example.org" in finding.summary
