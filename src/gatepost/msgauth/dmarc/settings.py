"""What may be set about DMARC evaluation.

In: the `[dmarc]` table of the configuration. Out: `DmarcSettings`.
Standard: RFC 9989 §10.5 (limits on authors). Not here: whether a policy is enforced (`inspector.policy`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcSettings:
    """Limits on what evaluating one message may cost."""

    deadline: float = 10.0
    """Seconds that one tree walk (at most eight DNS questions, asked at once) may take."""

    max_authors: int = 4
    """Author domains of one message that are evaluated when From names several. More make the result permerror, since
    the strictest policy could be one that was not looked at."""

    max_identifiers: int = 12
    """Domains with a valid signature that are compared with the author domain; the rest is ignored."""
