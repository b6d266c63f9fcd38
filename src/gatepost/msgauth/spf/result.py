"""What an SPF check found.

In: made by `check`. Out: `SpfResult`, frozen.
Standard: RFC 7208 §2.6 (results), §2.2 to §2.4 (identities), §9.1 (the words for the identities).
Not here: how it is written into Authentication-Results (`authres`).
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple


class SpfResultWord(enum.StrEnum):
    """The seven results of check_host (RFC 7208 §2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SpfIdentity(enum.StrEnum):
    """Which name was checked."""

    MAIL_FROM = "mailfrom"
    HELO = "helo"


class SpfResult(NamedTuple):
    """`domain` is the name that was checked (A-labels, lower case; for the null sender the EHLO name). `mechanism` is
    the term that matched as its owner wrote it, empty when none did. `explanation` is the domain's own text for a fail,
    in printable ASCII. `lookups` and `void_lookups` are the terms that asked DNS, and those that asked in vain.
    `reason` says in plain words how the result came about. (A named tuple: two a message, in a third of the time.)"""

    result: SpfResultWord
    domain: str
    mechanism: str = ""
    explanation: str = ""
    lookups: int = 0
    void_lookups: int = 0
    reason: str = ""
    identity: SpfIdentity = SpfIdentity.MAIL_FROM

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "result": self.result.value,
            "identity": self.identity.value,
            "domain": self.domain,
            "mechanism": self.mechanism,
            "explanation": self.explanation,
            "lookups": self.lookups,
            "void_lookups": self.void_lookups,
            "reason": self.reason,
        }
