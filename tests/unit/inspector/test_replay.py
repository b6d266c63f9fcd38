"""inspector.replay: other settings decide about what was kept as if they had ruled then."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from typing import Any

import pytest

from gatepost.finding import Finding, Severity
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import Judgement, judge
from gatepost.inspector.policy import outcomes
from gatepost.inspector.replay import REPLAYED, Basis, read_basis, replay, reweigh, write_basis
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings, OnMalware, OnTemperror
from gatepost.msgauth.arc import ArcResult, ArcSetResult, ArcStatus
from gatepost.msgauth.dmarc import Alignment, DmarcPolicy
from gatepost.ports import Scanned, ScanStatus
from judging import CLEAN_HEADER, dkim, dmarc, make_facts, signature, spf

SEALS = ArcSetResult(instance=1, sealer="list.example", selector="s", cv="none", results=b" x.example; dmarc=pass")
LIST = "List-Id: <x.example.com>\n" + CLEAN_HEADER
FAILS: dict[str, Any] = {"dkim": dkim(signature(domain="forward.example")), "spf_mail_from": spf("none", "o.example")}
MESSAGES: dict[str, dict[str, Any]] = {
    "honest": {},
    "spoofed": {"dmarc": dmarc("fail", "reject"), **FAILS},
    "through a list": {"dmarc": dmarc("fail", "reject"), "header": LIST, **FAILS},
    "asks for quarantine": {"dmarc": dmarc("fail", "quarantine"), **FAILS},
    "asks for nothing": {"dmarc": dmarc("fail", "none"), **FAILS},
    "test mode": {"dmarc": dmarc("fail", "reject", disposition=DmarcPolicy.QUARANTINE), **FAILS},
    "sealed": {
        "dmarc": dmarc("fail", "reject"),
        "arc": ArcResult(result=ArcStatus.PASS, instance=1, sealer="list.example", sets=(SEALS,)),
        **FAILS,
    },
    "nobody knows": {"dmarc": dmarc("temperror")},
    "nobody needs to know": {"dmarc": dmarc("temperror", alignment=Alignment(spf=False, dkim=True))},
    "two authors": {"header": "From: x@example.org\n" + CLEAN_HEADER},
}
SCANS = (None, Scanned(status=ScanStatus.FOUND, names=("x",)), Scanned(status=ScanStatus.ERROR, lasting=True))
POLICIES = {
    "default": InspectorSettings(),
    "strict": InspectorSettings(tag_at=0.5, quarantine_at=1, reject_at=3, malware=OnMalware.REJECT),
    "quarantine": InspectorSettings(dmarc=DmarcEnforcement.QUARANTINE, dmarc_temperror=OnTemperror.TAG),
    "report": InspectorSettings(
        dmarc=DmarcEnforcement.REPORT_ONLY, dmarc_temperror=OnTemperror.WEIGH, not_scanned=OnTemperror.WEIGH
    ),
    "trusting": InspectorSettings(
        trusted_forwarders=("forward.example",), trusted_sealers=("list.example",), not_scanned=OnTemperror.DEFER
    ),
    "other weights": InspectorSettings(weights={"auth.dmarc.fail": 1.0, "header.several-from": 9.0}, reject_codes=()),
    "caps": InspectorSettings(group_caps={"auth": 1.0}, default_group_cap=0.5, quarantine_codes=("auth.dmarc.fail",)),
}


def judged(message: str, policy: InspectorSettings, scanned: Scanned | None = None) -> Judgement:
    return judge(replace(make_facts(settings=policy, **MESSAGES[message]), scanned=scanned))


def kept(judgement: Judgement) -> Basis:
    """The basis as the journal gives it back."""
    basis = read_basis(write_basis(Basis(grounds=judgement.grounds, disabled=judgement.facts.settings.disabled_rules)))
    assert basis is not None
    assert basis.grounds == judgement.grounds
    return basis


@pytest.mark.parametrize("message", MESSAGES)
def test_a_replay_says_what_the_gate_would_have_said(message: str) -> None:
    """The heart of it: judged under one policy and replayed under another is the same as judged under the other."""
    for (was, becomes), scanned in itertools.product(itertools.permutations(POLICIES, 2), SCANS):
        then = judged(message, POLICIES[was], scanned)
        really = judged(message, POLICIES[becomes], scanned).decide()
        found = replay(then.findings, kept(then), ["a@x.example"], POLICIES[becomes])
        (decision,) = found.decisions
        what = (was, becomes, scanned)
        assert (decision.action, decision.score, decision.decided_by) == (
            really.action,
            really.score,
            really.decided_by,
        ), what
        assert found.actions == outcomes([really]), what
        assert found.not_run == ()


def test_a_rule_that_was_disabled_then_is_named_and_one_that_is_disabled_now_does_not_count() -> None:
    off = InspectorSettings(disabled_rules=("header.several-from",))
    then = judged("two authors", off)
    found = replay(then.findings, kept(then), ["a@x.example"], InspectorSettings())
    assert found.not_run == ("header.several-from",)
    assert found.actions == (Action.ACCEPT,)  # and really it would have been refused: that is why it is named
    then = judged("two authors", InspectorSettings())
    assert replay(then.findings, kept(then), ["a@x.example"], off).actions == (Action.ACCEPT,)


def finding(weight: float, recipient: str | None = None, **more: Any) -> Finding:
    return Finding(
        code="x.y", severity=Severity.WARNING, weight=weight, group="x", summary="", recipient=recipient, **more
    )


def test_recipients_are_decided_about_apart_and_share_one_reply() -> None:
    basis = kept(judged("honest", InspectorSettings()))
    settings = InspectorSettings(default_group_cap=20)
    findings = (finding(20, "a@x.example"), finding(6, "b@x.example"))
    both = ["a@x.example", "b@x.example"]
    assert replay(findings, basis, both, settings).actions == (Action.QUARANTINE, Action.TAG)
    assert replay(findings, basis, both[:1], settings).actions == (Action.REJECT,)


def test_a_weight_that_was_set_by_hand_goes_back_to_what_the_rule_gave() -> None:
    basis = kept(judged("honest", InspectorSettings()))
    (found,) = reweigh([finding(9.0, given_weight=1.5)], basis.grounds, InspectorSettings())
    assert found.weight == 1.5


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"dmarc":"maybe"}', '{"dmarc":"pass","seals":[1]}', "7", "null"]
)
def test_a_basis_that_cannot_be_read_is_none(text: str) -> None:
    assert read_basis(text) is None


def test_every_option_is_replayed_or_known_not_to_be() -> None:
    """A new option of the inspector has to be put on one side."""
    known = {"trusted_relays", "own_domains", "date_past_days", "date_future_hours"}
    names = {field.name for field in fields(InspectorSettings)}
    assert names >= REPLAYED
    assert known <= names - REPLAYED
