"""From what happened to what it means.

In: a scenario and what playing it brought. Out: `Result` with its finding. Pure.
Standard: DESIGN, "Findings and decisions". Not here: judgements of single scenarios (beside them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatepost.audit.check import COST
from gatepost.audit.grade import Grade, grade_area, grade_mean
from gatepost.audit.probe.aim import Aim
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, Status
from gatepost.finding import Finding, Severity
from gatepost.ports.prober import Target
from gatepost.ports.visitor import Kind, Outcome, Said, Visit

MAX_LINES = 24  # of a transcript that a finding carries
MAX_LINE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One scenario at one port."""

    scenario: Scenario
    target: Target
    judged: Judged
    visits: tuple[Visit, ...] = ()
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        """What came of it."""
        return self.judged.status

    @property
    def severity(self) -> Severity:
        """Of the finding: pass or info where nothing is wrong."""
        if self.status is Status.FAILED:
            return self.judged.severity or self.scenario.severity
        return Severity.PASS if self.status is Status.PASSED else Severity.INFO

    @property
    def finding(self) -> Finding:
        """The same as everybody's findings are."""
        scenario, failed = self.scenario, self.status is Status.FAILED
        where = f"{self.target.host or self.target.address}:{self.target.port}"
        evidence: dict[str, Any] = {"where": where, "status": self.status.value, "said": self.judged.said}
        evidence |= self.judged.evidence
        if failed and self.visits:
            evidence["transcript"] = transcript(self.visits)
        words = {
            Status.FAILED: scenario.bad,
            Status.PASSED: f"{_capital(scenario.title)}: {self.judged.said}.",
            Status.UNTESTED: f"{_capital(scenario.title)} could not be tested: {self.judged.said}.",
        }
        return Finding(
            code=scenario.code,
            severity=self.severity,
            weight=COST[self.severity],
            group=scenario.group.value,
            summary=words[self.status],
            evidence=evidence,
            remedy=(self.judged.remedy or scenario.remedy) if failed else "",
            reference=scenario.reference,
        )

    def as_json(self) -> dict[str, Any]:
        """As the schema docs/schema/probe.json has it."""
        return {
            "name": self.scenario.name,
            "group": self.scenario.group.value,
            "title": self.scenario.title,
            "where": f"{self.target.host or self.target.address}:{self.target.port}",
            "status": self.status.value,
            "said": self.judged.said,
            "seconds": round(self.seconds, 3),
            "finding": self.finding.as_json(),
        }


def judge(scenario: Scenario, played: Played, aim: Aim) -> Judged:
    """The scenario's own judgement where it has one, else by how its visit ended."""
    if scenario.judge is not None:
        return scenario.judge(played, aim, scenario)
    return by_outcome(played.visits[0], scenario)


def by_outcome(visit: Visit, scenario: Scenario) -> Judged:
    """A visit that ended before its question tells nothing; then the outcome decides."""
    said = describe(visit)
    if visit.outcome is Outcome.NOT_OFFERED or not visit.reached:
        return untested(said)
    if not visit.asked and visit.decisive is not None and visit.decisive.code in scenario.closed:
        return passed(said)
    if not visit.asked:
        return untested(f"it ended before the question: {said}")
    if visit.outcome in scenario.good:
        return Judged(status=Status.PASSED, said=said)
    if visit.outcome in scenario.unclear:
        return untested(said)
    return Judged(status=Status.FAILED, said=said)


def passed(said: str, **evidence: Any) -> Judged:
    """Nothing wrong."""
    return Judged(status=Status.PASSED, said=said, evidence=evidence)


def failed(said: str, severity: Severity | None = None, **evidence: Any) -> Judged:
    """Something wrong, by the scenario's severity or another."""
    return Judged(status=Status.FAILED, said=said, severity=severity, evidence=evidence)


def untested(said: str, **evidence: Any) -> Judged:
    """Nobody knows."""
    return Judged(status=Status.UNTESTED, said=said, evidence=evidence)


def describe(visit: Visit) -> str:
    """How a visit ended, in half a sentence."""
    words = visit.words[:MAX_LINE].rstrip(". ")
    return f"{visit.outcome.value} ({words})" if words else visit.outcome.value


def transcript(visits: tuple[Visit, ...]) -> list[str]:
    """Who said what, shortened; of several visits the first ones. Secrets are not in it."""
    lines: list[str] = []
    for visit in visits:
        for said in visit.said:
            lines += _lines_of(said)
        if visit.reason:
            lines.append(f"-- {visit.outcome.value}: {visit.reason}"[:MAX_LINE])
        if len(lines) > MAX_LINES:
            break
    if len(lines) <= MAX_LINES:
        return lines
    # The end is where it was decided.
    return [*lines[:6], f"-- {len(lines) - MAX_LINES + 1} lines left out", *lines[7 - MAX_LINES :]]


def _lines_of(said: Said) -> list[str]:
    sent = said.sent
    if said.secret:
        sent = b" ".join(sent.split(b" ")[:2]) + b" (not shown)"
    lines = [f"C: {_shown(line)}" for line in sent.split(b"\r\n") if line][:8]
    for reply in said.replies:
        lines.append(f"S: {reply.code} {' '.join(reply.lines)}"[:MAX_LINE].rstrip())
    if said.received:
        lines.append(f"S: {len(said.received)} octets {said.received[:24].hex()}")
    return lines


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:MAX_LINE])
    return shown + ("…" if len(text) > MAX_LINE else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a server stands: the whole, and each group that was tested."""

    whole: Grade
    groups: Mapping[Group, Grade] = field(default_factory=dict)


def grade(results: tuple[Result, ...]) -> Standing | None:
    """As the audit grades (`audit.grade`), by group. None where nothing was tested."""
    groups = {
        group: grade_area(result.finding for result in results if result.scenario.group is group)
        for group in dict.fromkeys(result.scenario.group for result in results if result.status is not Status.UNTESTED)
    }
    return Standing(whole=grade_mean(groups.values()), groups=groups) if groups else None


def is_angry(visit: Visit) -> bool:
    """Whether the server hung up, or sent us away."""
    farewell = visit.decisive is not None and visit.decisive.kind is Kind.FAREWELL
    return farewell or visit.outcome is Outcome.CLOSED
