"""The policy time machine: what another policy would have made of the mail of the last days.

In: the journal, the policy of today and another one, a span of time. Out: `Trial`: what would change, how often and
why; what people said of those messages; what cannot be told. Nothing is changed. Blocks on the disk.
Standard: DESIGN, "so a changed policy can be tried against the last days' mail before it is used".
Not here: one message under another policy (`inspector.replay`), printing it (`cli.policy`).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatepost.finding import Finding
from gatepost.inspector.decision import Action, Decision
from gatepost.inspector.enforcement import forced_by
from gatepost.inspector.replay import REPLAYED, Basis, Replayed, read_basis, replay, reweigh
from gatepost.inspector.settings import InspectorSettings
from gatepost.server.settings import GateSettings
from gatepost.store.journal import Entry, Journal

FALSE_ALARM = ("released", "learnt-ham")  # people said: this should not have been stopped
MISSED = ("learnt-spam", "learnt-phish")  # people said: this should have been
STOPPED = (Action.TAG, Action.QUARANTINE, Action.DEFER, Action.REJECT)
_ACTIONS = frozenset(action.value for action in Action)

Turn = tuple[Action, Action]
"""What became of a copy, and what would have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One message that the other policy treats otherwise. `turns` maps each recipient concerned to his `Turn`.
    `because` says in plain words what led to it; `today` whether the policy of today would do the same; `said` is what
    people said of it."""

    entry: Entry
    turns: Mapping[str, Turn]
    decision: Decision
    because: tuple[str, ...]
    today: bool
    said: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Count:
    """How many messages make one turn, and what people said of those."""

    messages: int = 0
    copies: int = 0
    today: int = 0
    false_alarms: int = 0
    missed: int = 0


@dataclass(slots=True, kw_only=True)
class Said:
    """Of the messages that people spoke about: how many there are, and how many each policy stops."""

    messages: int = 0
    stopped: int = 0
    would_stop: int = 0
    would_refuse: int = 0


@dataclass(slots=True, kw_only=True)
class Trial:
    """`without_basis` were judged by a version that kept too little. `not_run` counts messages by the rule that was
    disabled then and is active in the other policy; `not_replayed` names options that differ and whose change cannot be
    seen in what was kept."""

    since: float
    until: float
    messages: int = 0
    unchanged: int = 0
    without_basis: int = 0
    turns: dict[Turn, Count] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)
    false_alarms: Said = field(default_factory=Said)
    missed: Said = field(default_factory=Said)
    not_run: Counter[str] = field(default_factory=Counter)
    not_replayed: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """How many messages would change."""
        return self.messages - self.unchanged


def try_policy(
    journal: Journal,
    today: GateSettings,
    other: GateSettings,
    *,
    since: float,
    until: float,
    tables: frozenset[str],
    examples: int = 20,
    advance: Callable[[int], None] = lambda done: None,
) -> Trial:
    """Walks the journal. `tables` are those that the other policy's file names: only they are compared for what cannot
    be replayed. The newest `examples` messages that change are kept in the answer. Raises StoreError."""
    trial = Trial(since=since, until=until, not_replayed=tuple(not_replayed(today, other, tables)))
    said = journal.said(since, FALSE_ALARM + MISSED)
    for done, entry in enumerate(journal.walk(since, until)):
        if entry.action in _ACTIONS and entry.recipients and (entry.findings or entry.basis):
            _try_entry(trial, entry, frozenset(said.get(entry.id, ())), today.inspector, other.inspector)
            del trial.changed[:-examples]
        advance(done + 1)
    return trial


def _try_entry(
    trial: Trial, entry: Entry, said: frozenset[str], today: InspectorSettings, other: InspectorSettings
) -> None:
    basis = read_basis(entry.basis)
    if basis is None:
        trial.without_basis += 1
        return
    trial.messages += 1
    then = outcome_of(entry, basis)
    found = replay(entry.findings, basis, entry.recipients, other)
    trial.not_run.update(found.not_run)
    turns = {
        recipient: turn
        for recipient, turn in zip(entry.recipients, zip(then, found.actions, strict=True), strict=True)
        if turn[0] is not turn[1]
    }
    _listen(trial.false_alarms, said, FALSE_ALARM, then, found)
    _listen(trial.missed, said, MISSED, then, found)
    if not turns:
        trial.unchanged += 1
        return
    same_today = replay(entry.findings, basis, entry.recipients, today).actions == found.actions
    for turn, copies in Counter(turns.values()).items():
        count = trial.turns.setdefault(turn, Count())
        count.messages += 1
        count.copies += copies
        count.today += same_today
        count.false_alarms += not said.isdisjoint(FALSE_ALARM)
        count.missed += not said.isdisjoint(MISSED)
    place = entry.recipients.index(next(iter(turns)))
    decision = found.decisions[place]
    because = tuple(_because(entry, basis, decision, other))
    trial.changed.append(
        Changed(entry=entry, turns=turns, decision=decision, because=because, today=same_today, said=said)
    )


def outcome_of(entry: Entry, basis: Basis) -> tuple[Action, ...]:
    """What became of each recipient's copy then."""
    whole = Action(entry.action)
    if whole in (Action.REJECT, Action.DEFER):
        return (whole,) * len(entry.recipients)
    return tuple(basis.actions.get(recipient, whole) for recipient in entry.recipients)


def _listen(
    said: Said, words: frozenset[str], meant: tuple[str, ...], then: tuple[Action, ...], found: Replayed
) -> None:
    if words.isdisjoint(meant):
        return
    said.messages += 1
    said.stopped += any(action in STOPPED for action in then)
    said.would_stop += any(action in STOPPED for action in found.actions)
    said.would_refuse += any(action is Action.REJECT for action in found.actions)


def _because(entry: Entry, basis: Basis, decision: Decision, other: InspectorSettings) -> Iterator[str]:
    """What differs: weights, what is forced, and if it is neither, thresholds and caps."""
    told = False
    for was, becomes in _pairs(entry.findings, reweigh(entry.findings, basis.grounds, other), other):
        if becomes is None:
            yield f"{was.code} is disabled ({was.weight:g})"
            told = True
        elif becomes.weight != was.weight:
            yield f"{was.code} weighs {becomes.weight:g} instead of {was.weight:g}"
            told = True
    if decision.score != entry.score:
        yield f"the score is {decision.score:g} instead of {entry.score:g}"
    forced = forced_by(basis.grounds, other)
    if any(one.code in decision.decided_by for one in forced):
        yield f"{decision.decided_by[0]} demands {decision.action.value}"
    elif decision.decided_by != entry.decided_by or not told:
        by = ", ".join(decision.decided_by[:4])
        limits = f"tag_at {other.tag_at:g}, quarantine_at {other.quarantine_at:g}, reject_at {other.reject_at:g}"
        yield f"decided by {by} at {limits}" if by else f"nothing decides against it at {limits}"


def _pairs(
    before: Sequence[Finding], after: Sequence[Finding], other: InspectorSettings
) -> Iterator[tuple[Finding, Finding | None]]:
    """Each finding with what it became; None where its rule is disabled now. Both are in the same order."""
    rest = iter(after)
    for finding in before:
        yield finding, None if finding.code in other.disabled_rules else next(rest)


def not_replayed(today: GateSettings, other: GateSettings, tables: frozenset[str]) -> Iterator[str]:
    """Options that differ and whose change is not seen, as `path (today → other)`."""
    for table in sorted(tables):
        for path, was, becomes in _differences(getattr(today, table), getattr(other, table), table):
            if table == "inspector" and path.split(".")[1].partition('"')[0] in REPLAYED:
                continue
            yield f"{path} ({_short(was)} → {_short(becomes)})"


def _differences(was: Any, becomes: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if was == becomes:
        return
    if dataclasses.is_dataclass(was) and type(was) is type(becomes):
        for one in dataclasses.fields(was):
            yield from _differences(getattr(was, one.name), getattr(becomes, one.name), f"{path}.{one.name}")
    else:
        yield path, was, becomes


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:40] + "…"
