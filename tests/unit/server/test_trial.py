"""The policy time machine on a journal: what would change, why, what people said, and what cannot be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from gatepost.cli.policy import trial_data
from gatepost.finding import Finding, Severity
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import Judgement
from gatepost.inspector.policy import for_delivery
from gatepost.inspector.replay import Basis, write_basis
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.trial import Trial, try_policy
from gatepost.store.journal import Attempt, Entry, Journal
from gatepost.store.spool.ids import IdSource, write_id
from judging import dkim, dmarc, iprev, judged, spf
from schemas import validator

NOW = 1_790_000_000.0
ANN, BOB = "ann@gate.example", "bob@gate.example"
SPOOFED: dict[str, Any] = {"dmarc": dmarc("fail", "reject"), "dkim": dkim(), "spf_mail_from": spf("none", "o.example")}
_ids = IdSource(0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(tmp_path)
    yield opened
    opened.close()


def keep(journal: Journal, judgement: Judgement, *recipients: str, said: str = "", basis: bool = True) -> str:
    """What the gate's recorder keeps of a message (`server.pipeline.record`)."""
    everybody = recipients or (ANN,)
    decision = judgement.decide()
    refused = decision.action in (Action.REJECT, Action.DEFER)
    apart = {r: judgement.decide(r) for r in {f.recipient for f in judgement.findings} if r is not None}
    entry = Entry(
        id=write_id(_ids.next(NOW)),
        at=NOW,
        recipients=everybody,
        action=decision.action.value,
        score=decision.score,
        decided_by=decision.decided_by,
        findings=judgement.findings,
        basis=write_basis(
            Basis(
                grounds=judgement.grounds,
                disabled=judgement.facts.settings.disabled_rules,
                actions={} if refused else {r: for_delivery(one) for r, one in apart.items()},
            )
        )
        if basis
        else "",
    )
    journal.write([entry], [Attempt(id=entry.id, at=NOW + 60, rcpt_to=ANN, status=said, text="root")] if said else [])
    return entry.id


def run(journal: Journal, other: InspectorSettings, today: InspectorSettings | None = None, **more: Any) -> Trial:
    settings = GateSettings(inspector=today or InspectorSettings())
    new = replace(settings, inspector=other, **more)
    tables = frozenset({"inspector", *more})
    trial = try_policy(journal, settings, new, since=NOW - 1, until=NOW + 999, tables=tables)
    validator("policy-try").validate(json.loads(json.dumps(trial_data(trial))))
    return trial


def test_counts_reasons_and_the_same_policy_changes_nothing(journal: Journal) -> None:
    for _ in range(3):
        keep(journal, judged())
    spoofed = keep(journal, judged(**SPOOFED))
    same = run(journal, InspectorSettings())
    assert (same.messages, same.unchanged, same.turns) == (4, 4, {})
    trial = run(journal, InspectorSettings(dmarc=DmarcEnforcement.QUARANTINE))
    assert trial.changes == 1
    assert {turn: count.messages for turn, count in trial.turns.items()} == {(Action.REJECT, Action.QUARANTINE): 1}
    (changed,) = trial.changed
    assert changed.entry.id == spoofed
    assert changed.because == ("auth.dmarc.fail demands quarantine",)
    assert not changed.today


def test_weights_thresholds_and_disabled_rules_are_named_as_reasons(journal: Journal) -> None:
    keep(journal, judged(iprev=iprev("permerror", "")))
    heavier = run(journal, InspectorSettings(weights={"path.no-reverse-dns": 6.0}, group_caps={"path": 9.0}))
    (changed,) = heavier.changed
    assert any("path.no-reverse-dns weighs 6 instead of" in reason for reason in changed.because)
    assert any("the score is" in reason for reason in changed.because)
    (changed,) = run(journal, InspectorSettings(tag_at=0.5)).changed
    assert any("tag_at 0.5" in reason for reason in changed.because)
    off = run(journal, InspectorSettings(tag_at=0.5, disabled_rules=("path.no-reverse-dns",)))
    assert off.unchanged == 1


def finding(weight: float, recipient: str) -> Finding:
    return Finding(code="x.y", severity=Severity.WARNING, weight=weight, group="x", summary="", recipient=recipient)


def test_two_recipients_with_different_decisions(journal: Journal) -> None:
    settings = InspectorSettings(default_group_cap=20)
    plain = judged(settings=settings)
    keep(journal, replace(plain, findings=(*plain.findings, finding(20, ANN), finding(6, BOB))), ANN, BOB)
    assert run(journal, settings, settings).unchanged == 1
    trial = run(journal, replace(settings, tag_at=7), settings)
    (changed,) = trial.changed
    assert changed.turns == {BOB: (Action.TAG, Action.ACCEPT)}
    trial = run(journal, replace(settings, quarantine_at=5, reject_at=5.5, tag_at=5), settings)
    (changed,) = trial.changed
    assert changed.turns == {ANN: (Action.QUARANTINE, Action.REJECT), BOB: (Action.TAG, Action.REJECT)}
    assert trial.turns[(Action.TAG, Action.REJECT)].copies == 1


def test_what_people_said(journal: Journal) -> None:
    quarantining = InspectorSettings(dmarc=DmarcEnforcement.QUARANTINE)
    keep(journal, judged(settings=quarantining, **SPOOFED), said="released")
    keep(journal, judged(settings=quarantining, **SPOOFED))
    keep(journal, judged(), said="learnt-spam")
    trial = run(journal, InspectorSettings(), quarantining)
    alarms = trial.false_alarms
    assert (alarms.messages, alarms.stopped, alarms.would_stop, alarms.would_refuse) == (1, 1, 1, 1)
    assert (trial.missed.messages, trial.missed.stopped, trial.missed.would_stop) == (1, 0, 0)
    count = trial.turns[(Action.QUARANTINE, Action.REJECT)]
    assert (count.messages, count.false_alarms, count.missed) == (2, 1, 0)
    trial = run(journal, InspectorSettings(dmarc=DmarcEnforcement.REPORT_ONLY), quarantining)
    assert (trial.false_alarms.stopped, trial.false_alarms.would_stop) == (1, 0)


def test_what_cannot_be_told_is_said(journal: Journal) -> None:
    keep(journal, judged(), basis=False)
    keep(journal, judged(settings=InspectorSettings(disabled_rules=("header.several-from",))))
    journal.write([Entry(at=NOW, action="refuse-recipient"), Entry(at=NOW, action="reject", recipients=(ANN,))])
    trial = run(
        journal,
        InspectorSettings(date_past_days=3, tag_at=4),
        domains={"x.example": DomainSettings()},
    )
    assert (trial.messages, trial.without_basis) == (1, 1)
    assert trial.not_run == {"header.several-from": 1}
    assert len(trial.not_replayed) == 2
    assert trial.not_replayed[1] == "inspector.date_past_days (7.0 → 3)"


def test_changes_that_the_policy_of_today_makes_already_are_told_apart(journal: Journal) -> None:
    keep(journal, judged(**SPOOFED))
    lax = InspectorSettings(dmarc=DmarcEnforcement.QUARANTINE)
    (changed,) = run(journal, lax, lax).changed
    assert changed.today


def test_the_command_line(journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gatepost.toml").write_text(f'[domains."gate.example"]\n[store]\nfolder = "{tmp_path}"\n')
    (tmp_path / "new.toml").write_text('[inspector]\ndmarc = "quarantine"\n')
    keep(journal, judged(**SPOOFED))
    arguments = ["policy", "try", str(tmp_path / "new.toml"), "--config", str(tmp_path / "gatepost.toml")]
    assert main([*arguments, "--last", "100000d"]) == 0
    shown = capsys.readouterr().out
    assert "1 messages" in shown
    assert "reject" in shown
    assert "because auth.dmarc.fail demands quarantine" in shown
    assert main([*arguments, "--last", "soon"]) == 2
    (tmp_path / "new.toml").write_text("[inspector]\ndmark = 1\n")
    assert main(arguments) == 2
    assert "did you mean 'dmarc'?" in capsys.readouterr().err
    assert main(["policy", "show", "--config", str(tmp_path / "gatepost.toml"), "--json"]) == 0
    validator("policy").validate(json.loads(capsys.readouterr().out))
    (tmp_path / "gatepost.toml").write_text('[inspector]\nweights = { "auth.dmarc.fail" = 2.0 }\n')
    assert main(["policy", "show", "--config", str(tmp_path / "gatepost.toml")]) == 0
    assert "auth.dmarc.fail: weighs 2 instead of 6" in capsys.readouterr().out
