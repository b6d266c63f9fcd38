"""What ARC chain validation says.

In: made by `verify`. Out: frozen values in the words of RFC 8617 §4.4.
Standard: RFC 8617 §4.4, §5.2, §7.2 (`arc.oldest-pass`). Not here: whether a sealer is trusted (`dmarc`, `inspector`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class ArcStatus(enum.StrEnum):
    """The chain validation status; temperror is ours for "nobody knows now" (a key could not be looked up)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    TEMPERROR = "temperror"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcSetResult:
    """One set of a chain. `cv` is what its sealer said of the chain below it, `results` what it saw: the body of its
    ARC-Authentication-Results after `i=…;` (octets, folded as they came). `message_signature` tells whether its
    ARC-Message-Signature still fits the message, None when that was not looked at."""

    instance: int
    sealer: str
    selector: str
    cv: str
    results: bytes
    signer: str = ""
    message_signature: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcResult:
    """The chain's status. `instance` is its highest instance and `sealer` who sealed that (0 and "" without a chain).

    `oldest_pass` is the lowest instance from which on every message signature still fits, 0 when all do (nothing was
    changed since the first sealer) or the chain does not pass (RFC 8617 §5.2).
    """

    result: ArcStatus
    instance: int = 0
    sealer: str = ""
    sets: tuple[ArcSetResult, ...] = ()
    oldest_pass: int = 0
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The shape that `gatepost verify arc --json` promises."""
        return {"result": self.result.value, "instance": self.instance, "sealer": self.sealer}
