"""What DMARC evaluation found.

In: made by `evaluate`. Out: `DmarcResult`, frozen.
Standard: RFC 9989 §5.3 (pass and fail), §8.2 (the words for results). Not here: enforcement (`inspector.policy`).
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from gatepost.msgauth.dmarc.record import DmarcPolicy, DmarcRecord


class DmarcResultWord(enum.StrEnum):
    """The results that Authentication-Results knows for DMARC."""

    NONE = "none"  # DMARC does not apply: no policy is published, or there is no author domain
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"  # the record cannot be used, or there are too many author domains


class Alignment(NamedTuple):
    """Whether a passing SPF or DKIM result belongs to the author domain's organization."""

    spf: bool = False
    dkim: bool = False


class DmarcResult(NamedTuple):
    """`policy` is what the owner asks for this domain (p, sp or np: `policy_tag`), None when no policy applies.
    `disposition` is what follows if the policy is obeyed: none unless the result is fail, and one step milder in test
    mode. `policy_domain` is where the record was found, `record` that record. `organizational_domain` is empty when
    DNS did not let it be found. `walk` are the names whose records were looked at, in order.

    `alignment` holds without a policy too; there it means that a passing domain is the author domain itself. (A named
    tuple, since every message makes one: twelve fields would cost a dataclass 2 µs.)
    """

    result: DmarcResultWord
    author_domain: str = ""
    organizational_domain: str = ""
    policy_domain: str = ""
    policy: DmarcPolicy | None = None
    policy_tag: str = ""
    disposition: DmarcPolicy = DmarcPolicy.NONE
    alignment: Alignment = Alignment()
    record: DmarcRecord | None = None
    reason: str = ""
    test_mode: bool = False
    walk: tuple[str, ...] = ()

    @property
    def aligned(self) -> bool:
        """The author domain is proven, by SPF or by DKIM."""
        return self.alignment.spf or self.alignment.dkim

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "result": self.result.value,
            "author_domain": self.author_domain,
            "organizational_domain": self.organizational_domain,
            "policy_domain": self.policy_domain,
            "policy": self.policy.value if self.policy is not None else None,
            "policy_tag": self.policy_tag,
            "disposition": self.disposition.value,
            "alignment": {"spf": self.alignment.spf, "dkim": self.alignment.dkim},
            "test_mode": self.test_mode,
            "record": self.record.text if self.record is not None else None,
            "walk": list(self.walk),
            "reason": self.reason,
        }
