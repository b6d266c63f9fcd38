"""Compares what happened on a visit with what a good server does.

In: a scenario, its visit, and what is known of the verdict and the delivered mail. Out: the differences, in words.
Standard: none. Not here: playing (`lab.player`), finding the verdict (`lab.gate`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatepost.lab.scenario import Outcome, Scenario, Stage
from gatepost.ports.visitor import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known from behind the server's door. `action` is empty when the mail was not judged; `delivered` is the
    mail as it lies in the mailbox, None when it is not there."""

    action: str = ""
    score: float = 0.0
    decided_by: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    delivered: bytes | None = None
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row of the table."""

    scenario: Scenario
    visit: Visit
    seen: Seen | None
    differences: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        scenario, visit, seen = self.scenario, self.visit, self.seen
        return {
            "name": scenario.name,
            "title": scenario.title,
            "good": scenario.good,
            "source": scenario.source,
            "expected": scenario.expected.words,
            "outcome": visit.outcome.value,
            "reply": visit.decisive.text if visit.decisive else visit.reason,
            "action": seen.action if seen else None,
            "score": seen.score if seen else None,
            "decided_by": list(seen.decided_by) if seen else [],
            "findings": list(seen.codes) if seen else [],
            "why": scenario.why,
            "as_expected": self.as_expected,
            "differences": list(self.differences),
        }


def judge(scenario: Scenario, visit: Visit, seen: Seen | None, stage: Stage) -> Result:
    """`seen` is None where nobody can look behind the door: then only the replies are judged."""
    differences = _by_replies(scenario, visit)
    if seen is not None and visit.outcome is not Outcome.NOT_OFFERED:
        differences += _by_verdict(scenario, visit, seen, stage)
    return Result(scenario=scenario, visit=visit, seen=seen, differences=tuple(differences))


def _by_replies(scenario: Scenario, visit: Visit) -> list[str]:
    expected = scenario.expected
    if visit.outcome not in expected.outcomes:
        said = visit.decisive.text if visit.decisive and not visit.reason else visit.reason
        return [f"it was {visit.outcome.value} ({said[:120]})"]
    code = visit.decisive.code if visit.decisive else ""
    negative = visit.outcome in (Outcome.REFUSED, Outcome.DEFERRED)
    if negative and expected.reply_codes and not code.startswith(expected.reply_codes):
        return [f"the reply was {code}, not {'/'.join(expected.reply_codes)}"]
    return []


def _by_verdict(scenario: Scenario, visit: Visit, seen: Seen, stage: Stage) -> list[str]:
    expected = scenario.expected
    differences = []
    if expected.actions and seen.action not in expected.actions:
        differences.append(f"the verdict was {seen.action or 'none'}")
    missing = [code for code in expected.codes if code not in seen.codes]
    if missing:
        differences.append(f"not found: {', '.join(missing)}")
    taken = visit.outcome is Outcome.ACCEPTED and seen.action in ("accept", "tag")
    if taken and seen.delivered is None:
        differences.append("it is not in the mailbox")
    if not taken and seen.delivered is not None:
        differences.append("it is in the mailbox all the same")
    if expected.delivered and seen.delivered is not None:
        problem = expected.delivered(seen.delivered, stage)
        differences += [problem] if problem else []
    return differences
