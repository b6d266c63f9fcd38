"""A rule: one small function, and what it means as data beside it.

In: `Facts`. Out: a `Finding` (one a recipient, where it concerns only some), or None when there is nothing to see.
Standard: DESIGN, "Findings and decisions".
Not here: the rules (`rules/`), the list of them (`rules.RULES`), what is made of their findings (`policy`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from gatepost.finding import Finding, Severity
from gatepost.inspector.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a rule saw. `evidence` fills the summary's braces; the rest replaces what the rule says in general,
    where this case is milder or graver. `recipient` is set where it concerns one recipient only."""

    evidence: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None
    weight: float | None = None
    summary: str | None = None
    recipient: str | None = None


Check = Callable[[Facts], Seen | Sequence[Seen] | None]
When = Callable[[Facts], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`code`, `severity`, `weight`, `group`, `remedy` and `reference` as in `Finding`; `summary` may name evidence
    in braces; `why` says what harm comes of it, for the reference page. `when` is a cheap question before the check:
    where it says no, there is nothing to see. Neighbours with the same one are asked together, since most messages are
    ordinary and most rules have nothing to do with them."""

    code: str
    severity: Severity
    weight: float
    group: str
    summary: str
    why: str
    remedy: str
    reference: str
    check: Check
    when: When | None = None

    def finding(self, seen: Seen, weights: Mapping[str, float]) -> Finding:
        """The finding for what was seen; `weights` are the administrator's own, by code."""
        weight = self.weight if seen.weight is None else seen.weight
        return Finding(
            code=self.code,
            severity=seen.severity or self.severity,
            weight=weights.get(self.code, weight),
            group=self.group,
            summary=_filled(seen.summary or self.summary, seen.evidence),
            evidence=seen.evidence,
            remedy=self.remedy,
            reference=self.reference,
            recipient=seen.recipient,
            given_weight=weight if self.code in weights else None,
        )


def _filled(summary: str, evidence: Mapping[str, Any]) -> str:
    try:
        return summary.format_map(evidence)
    except KeyError:
        return summary.format_map(_Forgiving(evidence))


class _Forgiving(dict[str, Any]):
    """A summary that names evidence which this case lacks shows a dash."""

    def __missing__(self, key: str) -> str:
        return "-"


def rule(
    *,
    code: str,
    severity: Severity,
    weight: float = 0.0,
    group: str,
    summary: str,
    why: str,
    remedy: str = "",
    reference: str = "",
    when: When | None = None,
) -> Callable[[Check], Rule]:
    """Makes the function below it a `Rule`. It is run only when `rules.RULES` names it."""

    def make(check: Check) -> Rule:
        return Rule(
            code=code,
            severity=severity,
            weight=weight,
            group=group,
            summary=summary,
            why=why,
            remedy=remedy,
            reference=reference,
            check=check,
            when=when,
        )

    return make


Runs = tuple[tuple[When | None, tuple[Rule, ...]], ...]
"""Rules in order, neighbours with the same `when` together."""


def for_recipients(found: Seen, concerned: Iterable[str], everybody: Sequence[str]) -> Seen | tuple[Seen, ...] | None:
    """`found` once if it concerns everybody, else once for each recipient whom it concerns; None for nobody."""
    some = tuple(dict.fromkeys(concerned))
    if not some or set(some) >= set(everybody):
        return found if some else None
    return tuple(replace(found, recipient=recipient) for recipient in some)


def in_runs(rules: Iterable[Rule]) -> Runs:
    """`rules` as `run_rules` wants them."""
    return tuple((when, tuple(run)) for when, run in groupby(rules, key=lambda rule: rule.when))


def run_rules(runs: Runs, facts: Facts) -> tuple[Finding, ...]:
    """Every rule on `facts`, in order."""
    weights = facts.settings.weights
    findings = []
    for when, rules in runs:
        if when is not None and not when(facts):
            continue
        for each in rules:
            seen = each.check(facts)
            if seen is None:
                continue
            for one in (seen,) if isinstance(seen, Seen) else seen:
                findings.append(each.finding(one, weights))
    return tuple(findings)
