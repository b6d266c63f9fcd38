"""inspector.enforcement: what a DMARC result makes the gate do, weighed with signs of forwarding."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.inspector.decision import Action
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings, OnTemperror
from gatepost.msgauth.arc import ArcResult, ArcSetResult, ArcStatus
from gatepost.msgauth.dmarc import Alignment, DmarcPolicy
from judging import CLEAN_HEADER, codes, dkim, dmarc, judged, signature, spf

FAILS: dict[str, Any] = {"dkim": dkim(), "spf_mail_from": spf("none", "other.example")}


def action(policy: str = "reject", header: str = "", **options: Any) -> Action:
    given = {"dmarc": dmarc("fail", policy), **FAILS, **options}
    return judged(header=header + CLEAN_HEADER, **given).decide().action


def test_a_refusal_is_obeyed_where_nothing_hints_at_forwarding() -> None:
    assert action() is Action.REJECT


@pytest.mark.parametrize(
    "header",
    [
        "List-Id: <x.example.com>\n",
        "List-Post: <mailto:x@example.com>\n",
        "Resent-From: c@example.com\n",
        "X-Forwarded-To: c@example.com\n",
        "ARC-Seal: i=1; a=rsa-sha256\n",
    ],
)
def test_a_sign_of_forwarding_makes_it_quarantine(header: str) -> None:
    assert action(header=header) is Action.QUARANTINE


def test_srs_is_a_sign_and_a_plain_envelope_is_none() -> None:
    assert action(mail_from="SRS0=abc=de=example.org=ann@forward.example") is Action.QUARANTINE
    assert action(mail_from="srs0nothing@forward.example") is Action.REJECT


def test_list_unsubscribe_alone_is_no_sign() -> None:
    assert action(header="List-Unsubscribe: <https://example.com/u>\n") is Action.REJECT


@pytest.mark.parametrize(
    ("setting", "policy", "expected"),
    [
        (DmarcEnforcement.REJECT, "quarantine", Action.QUARANTINE),
        (DmarcEnforcement.REJECT, "none", Action.ACCEPT),
        (DmarcEnforcement.QUARANTINE, "reject", Action.QUARANTINE),
        (DmarcEnforcement.QUARANTINE, "quarantine", Action.QUARANTINE),
    ],
)
def test_settings_and_policies(setting: DmarcEnforcement, policy: str, expected: Action) -> None:
    assert action(policy, settings=InspectorSettings(dmarc=setting)) is expected


def test_report_only_tells_and_does_nothing() -> None:
    judgement = judged(dmarc=dmarc("fail"), settings=InspectorSettings(dmarc=DmarcEnforcement.REPORT_ONLY), **FAILS)
    assert judgement.forced == ()
    assert judgement.decide().action is Action.ACCEPT
    assert "auth.dmarc.fail" in codes(judgement)


def test_test_mode_lowers_the_policy_by_one_step() -> None:
    milder = dmarc("fail", "reject", disposition=DmarcPolicy.QUARANTINE, test_mode=True)
    assert judged(dmarc=milder, **FAILS).decide().action is Action.QUARANTINE


def test_a_trusted_forwarder_counts_only_when_it_is_proven() -> None:
    settings = InspectorSettings(trusted_forwarders=("forward.example",))
    proven = {"dkim": dkim(signature(domain="forward.example"))}
    assert judged(dmarc=dmarc("fail"), settings=settings, **(FAILS | proven)).decide().action is Action.TAG
    forged = {"dkim": dkim(signature("fail", domain="forward.example"))}
    assert judged(dmarc=dmarc("fail"), settings=settings, **(FAILS | forged)).decide().action is Action.REJECT


def chain(*sets: tuple[str, bytes]) -> ArcResult:
    made = tuple(
        ArcSetResult(instance=i, sealer=sealer, selector="s", cv="pass", results=results)
        for i, (sealer, results) in enumerate(sets, 1)
    )
    return ArcResult(result=ArcStatus.PASS, instance=len(made), sealer=made[-1].sealer, sets=made)


SAW_PASS = b" mx.list.example; dmarc=pass header.from=example.org"
SAW_FAIL = b" mx.next.example; dmarc=fail header.from=example.org"


@pytest.mark.parametrize(
    ("trusted", "sets", "expected"),
    [
        (("list.example",), (("list.example", SAW_PASS),), Action.ACCEPT),
        ((), (("list.example", SAW_PASS),), Action.QUARANTINE),
        (("list.example",), (("list.example", SAW_FAIL),), Action.QUARANTINE),
        (("list.example", "next.example"), (("list.example", SAW_PASS), ("next.example", SAW_FAIL)), Action.ACCEPT),
        (("list.example",), (("list.example", SAW_PASS), ("stranger.example", SAW_FAIL)), Action.QUARANTINE),
        (("list.example",), (("notlist.example", SAW_PASS),), Action.QUARANTINE),
    ],
)
def test_a_chain_overrides_dmarc_only_when_all_its_sealers_down_to_the_pass_are_trusted(
    trusted: tuple[str, ...], sets: tuple[tuple[str, bytes], ...], expected: Action
) -> None:
    settings = InspectorSettings(trusted_sealers=trusted)
    assert action(settings=settings, arc=chain(*sets)) is expected


def test_a_trusted_chain_is_told() -> None:
    settings = InspectorSettings(trusted_sealers=("list.example",))
    judgement = judged(dmarc=dmarc("fail"), settings=settings, arc=chain(("list.example", SAW_PASS)), **FAILS)
    assert "auth.arc.trusted" in codes(judgement)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [(OnTemperror.DEFER, Action.DEFER), (OnTemperror.TAG, Action.TAG), (OnTemperror.WEIGH, Action.ACCEPT)],
)
def test_a_temporary_error_is_never_a_refusal(setting: OnTemperror, expected: Action) -> None:
    assert action(dmarc=dmarc("temperror"), settings=InspectorSettings(dmarc_temperror=setting)) is expected


def test_a_temporary_error_does_not_matter_where_the_author_is_proven_anyway() -> None:
    assert action(dmarc=dmarc("temperror", alignment=Alignment(dkim=True))) is Action.ACCEPT
