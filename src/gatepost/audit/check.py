"""A check: one small function, and what it means as data beside it.

In: `Facts`. Out: `Finding`s, none when there is nothing to say (what was not gathered, for instance).
Standard: DESIGN, "Findings and decisions". The `weight` of an audit's finding is what it takes off its area's grade
(`grade`), its `group` is the area.
Not here: the checks (`checks/`), the list of them (`checks.CHECKS`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gatepost.audit.facts import Facts
from gatepost.finding import Finding, Severity


class Area(enum.StrEnum):
    """What is graded apart; each is one of the practices, or a part of one."""

    SERVERS = "servers"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    TRANSPORT = "transport"
    ACCESS = "access"
    LISTS = "lists"
    ZONE = "zone"

    @property
    def words(self) -> str:
        """In words, with the practice."""
        return _TITLES[self]


_TITLES = {
    Area.SERVERS: "Mail servers: names, addresses, fail-over (practice 10)",
    Area.SPF: "SPF: who may send (practice 3)",
    Area.DKIM: "DKIM: signing keys (practice 3)",
    Area.DMARC: "DMARC: what holds when both fail (practice 3)",
    Area.TRANSPORT: "Encryption on the way: TLS, MTA-STS, DANE (practice 5)",
    Area.ACCESS: "Access for people: submission, IMAP, POP3 (practice 7)",
    Area.LISTS: "Block lists (practice 8)",
    Area.ZONE: "The domain itself: DNSSEC, CAA, brand",
}

COST = {Severity.PASS: 0.0, Severity.INFO: 0.0, Severity.NOTICE: 5.0, Severity.WARNING: 15.0, Severity.DANGER: 40.0}
MAX_FINDINGS = 50  # of one check; a domain with more of a kind is told the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a check saw. `evidence` fills the braces of summary and remedy; the rest replaces what the check says in
    general, where this case is milder, graver or good."""

    evidence: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None
    summary: str | None = None
    remedy: str | None = None
    area: Area | None = None


Look = Callable[[Facts], Seen | Iterable[Seen] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`code`, `severity`, `remedy` and `reference` as in `Finding`; `summary` and `remedy` may name evidence in braces;
    `why` says what harm comes of it, for the reference page."""

    code: str
    area: Area
    severity: Severity
    summary: str
    why: str
    remedy: str
    reference: str
    look: Look
    cost: float | None = None  # points, where the severity's usual ones do not do

    def findings(self, facts: Facts) -> tuple[Finding, ...]:
        """What it has to say of a domain."""
        seen = self.look(facts)
        if seen is None:
            return ()
        if isinstance(seen, Seen):
            return (self._finding(seen),)
        return tuple([self._finding(one) for one in islice(seen, MAX_FINDINGS)])

    def _finding(self, seen: Seen) -> Finding:
        severity = seen.severity or self.severity
        shown = _Forgiving(seen.evidence)
        remedy = self.remedy if seen.remedy is None else seen.remedy
        return Finding(
            code=self.code,
            severity=severity,
            weight=COST[severity] if self.cost is None else self.cost,
            group=(seen.area or self.area).value,
            summary=(seen.summary or self.summary).format_map(shown),
            evidence=seen.evidence,
            remedy="" if severity is Severity.PASS else remedy.format_map(shown),
            reference=self.reference,
        )


class _Forgiving(dict[str, Any]):
    """A sentence that names evidence which this case lacks shows a dash; lists are shown with commas."""

    def __missing__(self, key: str) -> str:
        return "-"

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key) if key in self else "-"
        return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def check(
    *,
    code: str,
    area: Area,
    severity: Severity,
    summary: str,
    why: str,
    remedy: str = "",
    reference: str = "",
    cost: float | None = None,
) -> Callable[[Look], Check]:
    """Makes the function below it a `Check`. It is run only when `checks.CHECKS` names it."""

    def make(look: Look) -> Check:
        return Check(
            code=code,
            area=area,
            severity=severity,
            summary=summary,
            why=why,
            remedy=remedy,
            reference=reference,
            look=look,
            cost=cost,
        )

    return make


def run_checks(checks: Sequence[Check], facts: Facts) -> tuple[Finding, ...]:
    """Every check on `facts`, in order."""
    return tuple(finding for one in checks for finding in one.findings(facts))
