"""A finding: one thing that was seen, in words a person understands.

In: made by rules, checks and parsers. Out: printed, logged, weighed by `inspector.policy`.
Standard: DESIGN, "Findings and decisions". Not here: the decision (`inspector.decision`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Severity(enum.StrEnum):
    """How much a finding matters, mildest first."""

    PASS = "pass"  # noqa: S105 - a severity, not a password
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    DANGER = "danger"

    @property
    def rank(self) -> int:
        """0 for pass to 4 for danger, for comparisons."""
        return _RANK[self]


_RANK = {severity: index for index, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen, why it matters and what to do.

    `code` is stable and dotted ("auth.dmarc.fail"). `weight` adds to the score (negative speaks for the message).
    `group` names the findings whose sum is capped together. `summary` is one sentence for somebody who is no
    expert. `evidence` is facts as JSON values. `remedy` says what to do. `reference` is RFC and section, or the
    practice. `given_weight` is what the rule gave, where the administrator's `weights` say otherwise: kept so that
    other weights can be tried later.
    """

    code: str
    severity: Severity
    weight: float
    group: str
    summary: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""
    reference: str = ""
    recipient: str | None = None  # set where it concerns one recipient only
    given_weight: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values; the schema is docs/schema/finding.json."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "weight": self.weight,
            "group": self.group,
            "summary": self.summary,
            "evidence": dict(self.evidence),
            "remedy": self.remedy,
            "reference": self.reference,
            **({"recipient": self.recipient} if self.recipient is not None else {}),
        }
