"""`gatepost policy`: the policy in force, and what another one would have made of the last days' mail.

In: the gate's configuration, another file. Out: options and weights; or a table of changes with reasons; or JSON.
Not here: the walk through the journal (`server.trial`), the decision (`inspector.policy`).
"""

from __future__ import annotations

import dataclasses
import json
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from gatepost.cli.clock import clock, read_moment
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.progress import progress
from gatepost.cli.terminal import console, safe, visible
from gatepost.errors import InputError
from gatepost.inspector.rules import RULES
from gatepost.inspector.settings import InspectorSettings

if TYPE_CHECKING:
    from gatepost.server.trial import Changed, Trial


@click.group()
def command() -> None:
    """Show the policy in force, or try another one on the mail of the last days."""


@command.command()
@gate_option
@json_option
def show(config: Path, as_json: bool) -> None:
    """The policy in force: every option, and each rule whose weight or part was changed."""
    settings = read_gate(config).inspector
    if as_json:
        click.echo(json.dumps(policy_data(settings)))
        return
    default = InspectorSettings()
    for name, value in policy_data(settings)["options"].items():
        mark = "" if getattr(settings, name) == getattr(default, name) else "   (not the default)"
        click.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}{mark}")
    for rule in policy_data(settings)["rules"]:
        if not rule["active"]:
            click.echo(f"{rule['code']}: disabled")
        elif rule["weight"] != rule["given_weight"]:
            click.echo(f"{rule['code']}: weighs {rule['weight']:g} instead of {rule['given_weight']:g}")


def policy_data(settings: InspectorSettings) -> dict[str, Any]:
    """The policy as JSON values; the schema is docs/schema/policy.json."""
    return {
        "options": {f.name: _plain(getattr(settings, f.name)) for f in dataclasses.fields(settings)},
        "rules": [
            {
                "code": rule.code,
                "group": rule.group,
                "active": rule.code not in settings.disabled_rules,
                "weight": settings.weights.get(rule.code, rule.weight),
                "given_weight": rule.weight,
                "alone": _alone(rule.code, settings),
            }
            for rule in RULES
        ],
    }


def _alone(code: str, settings: InspectorSettings) -> str:
    """What a finding of this code does by itself."""
    if code in settings.reject_codes:
        return "reject"
    if code in settings.quarantine_codes:
        return "quarantine"
    return "defer" if code in settings.defer_codes else ""


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list | frozenset):
        return [_plain(one) for one in value]
    return {str(k): _plain(v) for k, v in value.items()} if hasattr(value, "items") else value


@command.command("try")
@gate_option
@json_option
@click.option("--last", default="14d", show_default=True, metavar="TIME", help="How far back: 12h, 14d.")
@click.option(
    "--limit", type=click.IntRange(0, 100_000), default=20, show_default=True, help="Changed messages shown, newest."
)
@click.argument("other", metavar="NEW.toml", type=click.Path(path_type=Path, dir_okay=False))
def try_(config: Path, as_json: bool, last: str, limit: int, other: Path) -> None:
    """What the [inspector] table of NEW.toml would have made of the last days' mail. Nothing is changed.

    NEW.toml may be a whole gatepost.toml or only the tables that differ.
    """
    from gatepost.server.trial import try_policy
    from gatepost.store.journal import Journal

    today, new = read_gate(config), read_gate(other)
    folder = Path(today.store.folder)
    if not (folder / "journal.db").exists():
        raise InputError("store.folder", folder, "holds no journal yet; has the gate been started with this file?")
    now = time.time()
    since = read_moment("--last", last) or now
    journal = Journal.open(folder, today.store.journal)
    try:
        with progress(journal.count(since, now), "replaying", octets=False) as advance:
            trial = try_policy(
                journal,
                today,
                new,
                since=since,
                until=now,
                tables=frozenset(tomllib.loads(other.read_text("utf-8"))),
                examples=limit,
                advance=advance,
            )
    finally:
        journal.close()
    if as_json:
        click.echo(json.dumps(trial_data(trial)))
    else:
        _show_trial(trial)


def trial_data(trial: Trial) -> dict[str, Any]:
    """The trial as JSON values; the schema is docs/schema/policy-try.json."""
    return {
        "since": trial.since,
        "until": trial.until,
        "messages": trial.messages,
        "unchanged": trial.unchanged,
        "changes": [
            {"was": was.value, "becomes": becomes.value, **dataclasses.asdict(count)}
            for (was, becomes), count in sorted(trial.turns.items(), key=lambda item: -item[1].messages)
        ],
        "changed": [changed_data(changed) for changed in reversed(trial.changed)],
        "false_alarms": dataclasses.asdict(trial.false_alarms),
        "missed": dataclasses.asdict(trial.missed),
        "cannot_tell": {
            "without_basis": trial.without_basis,
            "not_run": dict(trial.not_run.most_common()),
            "options": list(trial.not_replayed),
        },
    }


def changed_data(changed: Changed) -> dict[str, Any]:
    """One message that changes, as JSON values."""
    entry, decision = changed.entry, changed.decision
    return {
        "id": entry.id,
        "at": entry.at,
        "mail_from": entry.mail_from,
        "subject": entry.subject,
        "recipients": [
            {"address": address, "was": was.value, "becomes": becomes.value}
            for address, (was, becomes) in changed.turns.items()
        ],
        "score": {"was": entry.score, "becomes": decision.score},
        "decided_by": {"was": list(entry.decided_by), "becomes": list(decision.decided_by)},
        "because": list(changed.because),
        "today": changed.today,
        "said": sorted(changed.said),
    }


def _show_trial(trial: Trial) -> None:
    click.echo(
        f"{trial.messages} messages from {clock(trial.since)} to {clock(trial.until)} (UTC): "
        f"{trial.unchanged} would be treated the same, {trial.changes} otherwise."
    )
    if trial.turns:
        console().print(_turns(trial))
    _show_said(trial)
    for changed in reversed(trial.changed):
        _show_changed(changed)
    if trial.changes > len(trial.changed):
        click.echo(f"… {trial.changes - len(trial.changed)} more; --limit shows them, --json too")
    _show_limits(trial)


def _turns(trial: Trial) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("was", "would be", "messages", "copies", "by today's policy too", "said to be false alarms", "missed"):
        table.add_column(name, justify="left" if name in ("was", "would be") else "right")
    for (was, becomes), count in sorted(trial.turns.items(), key=lambda item: -item[1].messages):
        numbers = (count.messages, count.copies, count.today, count.false_alarms, count.missed)
        table.add_row(was.value, becomes.value, *map(str, numbers))
    return table


def _show_said(trial: Trial) -> None:
    alarms, missed = trial.false_alarms, trial.missed
    if alarms.messages:
        click.echo(
            f"False alarms that releases revealed: {alarms.messages}; stopped then {alarms.stopped}, "
            f"now {alarms.would_stop} ({alarms.would_refuse} of them refused)."
        )
    if missed.messages:
        click.echo(
            f"Spam that people pointed out: {missed.messages}; stopped then {missed.stopped}, now {missed.would_stop}."
        )


def _show_changed(changed: Changed) -> None:
    entry = changed.entry
    said = f"   people said: {', '.join(sorted(changed.said))}" if changed.said else ""
    click.echo(f"\n{clock(entry.at)}  {entry.id}  <{visible(entry.mail_from)}>  {visible(entry.subject)!r}{said}")
    for address, (was, becomes) in changed.turns.items():
        click.echo(f"  <{visible(address)}> {was.value} → {becomes.value}")
    today = "; the policy of today does so already" if changed.today else ""
    click.echo(f"  because {'; '.join(changed.because)}{today}")


def _show_limits(trial: Trial) -> None:
    """What this cannot tell, so that nobody takes silence for an answer."""
    if trial.without_basis:
        click.echo(f"\nNot counted: {trial.without_basis} messages kept by a version that noted too little.")
    for code, count in trial.not_run.most_common():
        click.echo(
            f"Cannot tell: {code} was disabled when {count} messages came; what it would have found is not known."
        )
    for text in trial.not_replayed:
        click.echo(f"Cannot tell: {safe(text).plain} decides what a rule sees; rules are not run again.")
