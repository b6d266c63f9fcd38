"""What becomes of a message, for one recipient, and which findings decided it.

In: made by `policy`. Out: the server's reply and the folder; printed by `inspect`.
Standard: DESIGN, "Findings and decisions". Not here: how it is reached (`policy`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from gatepost.finding import Finding


class Action(enum.StrEnum):
    """What the gate does, mildest first."""

    ACCEPT = "accept"
    TAG = "tag"
    QUARANTINE = "quarantine"
    DEFER = "defer"
    REJECT = "reject"

    @property
    def rank(self) -> int:
        """0 for accept to 4 for reject, for comparisons."""
        return _RANK[self]


_RANK = {action: index for index, action in enumerate(Action)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """An action that one finding demands whatever the score: a DMARC refusal, malware."""

    action: Action
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict. `decided_by` are the codes of the findings that led to `action`, heaviest first; for `accept`
    it is empty. `score` is the capped sum, rounded to two places."""

    action: Action
    score: float
    decided_by: tuple[str, ...]
    findings: tuple[Finding, ...]
    recipient: str | None = None

    def as_json(self) -> dict[str, Any]:
        """`{"action", "score", "decided_by"}`; the findings stand beside it in inspect's answer."""
        return {"action": self.action.value, "score": self.score, "decided_by": list(self.decided_by)}
