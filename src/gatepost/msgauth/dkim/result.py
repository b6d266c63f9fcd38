"""What DKIM verification says, for the message and for each signature.

In: made by `verify`. Out: frozen values in the words of RFC 8601 §2.7.1.
Standard: RFC 8601 §2.7.1, RFC 6376 §3.9. Not here: how it is written into a field (`authres`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple


class DkimStatus(enum.StrEnum):
    """The result of a signature or of a message."""

    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"  # a usable signature that does not fit the message
    NONE = "none"  # no signature
    NEUTRAL = "neutral"  # a signature that cannot be read
    POLICY = "policy"  # it fits, but in a way we do not accept
    TEMPERROR = "temperror"  # nobody knows now: the key could not be looked up
    PERMERROR = "permerror"  # it can never verify: no key, a revoked or weak one, a needed tag missing, expired


class SignatureResult(NamedTuple):
    """What became of one DKIM-Signature field. (A named tuple: seventeen fields would cost a dataclass 3 µs.)

    `domain` and `selector` are in A-labels and lower case, empty when the field does not say them readably.
    `identity` is `i=` decoded ("@" and the domain when absent). `reason` is one sentence for a person, "" on a plain
    pass. `body_length` is `l=`, `unsigned_body` how many octets of the canonical body it leaves out. `unsigned_fields`
    are fields that change what a reader sees and stand more often than they are signed. `key_bits` is 0 when no key
    was read. `testing` is the key's `t=y`: the signer asks that a failure be taken for no signature (RFC 6376 §3.6.1).
    """

    result: DkimStatus
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    reason: str = ""
    identity: str = ""
    body_length: int | None = None
    unsigned_body: int = 0
    signed_fields: tuple[str, ...] = ()
    unsigned_fields: tuple[str, ...] = ()
    key_bits: int = 0
    testing: bool = False
    expired: bool = False
    verified: bool = True  # False for signatures beyond the limit on their number
    signed_at: int | None = None
    expires_at: int | None = None
    signature_start: str = ""  # the first characters of b=, for `header.b` (RFC 6008 §4)

    def as_json(self) -> dict[str, Any]:
        """The five members that `gatepost verify dkim --json` promises."""
        return {
            "domain": self.domain,
            "selector": self.selector,
            "algorithm": self.algorithm,
            "result": self.result.value,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimResult:
    """`result` is pass if any signature passes, else that of the signature nearest to a pass; none without one."""

    result: DkimStatus
    signatures: tuple[SignatureResult, ...] = ()

    @property
    def passed(self) -> tuple[SignatureResult, ...]:
        """The signatures that pass, top to bottom."""
        return tuple(signature for signature in self.signatures if signature.result is DkimStatus.PASS)

    def as_json(self) -> dict[str, Any]:
        """The shape that `gatepost verify dkim --json` promises."""
        return {"result": self.result.value, "signatures": [signature.as_json() for signature in self.signatures]}


# A temporary error comes before a failure: another try may still find a pass (RFC 6376 §6.1, RFC 9989 needs to know).
_NEAREST = (
    DkimStatus.PASS,
    DkimStatus.TEMPERROR,
    DkimStatus.FAIL,
    DkimStatus.POLICY,
    DkimStatus.PERMERROR,
    DkimStatus.NEUTRAL,
    DkimStatus.NONE,
)


def summarize(signatures: tuple[SignatureResult, ...]) -> DkimResult:
    """The message's result from its signatures'."""
    if len(signatures) == 1:
        return DkimResult(result=signatures[0].result, signatures=signatures)
    results = {signature.result for signature in signatures}
    return DkimResult(result=next((s for s in _NEAREST if s in results), DkimStatus.NONE), signatures=signatures)
