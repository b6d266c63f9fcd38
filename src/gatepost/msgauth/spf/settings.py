"""What may be set about SPF.

In: the `[spf]` table of the configuration. Out: `SpfSettings`.
Standard: RFC 7208 §4.6.4 (limits), §6.2 (explanations), §7.2 (the `r` macro). Not here: what a result leads to
(`inspector.policy`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfSettings:
    """Limits on what checking one sender may cost, and what the domain's owner may learn of us."""

    max_lookups: int = 10
    """Terms of a policy that may ask DNS (include, a, mx, ptr, exists, redirect and the p macro) before the result is
    permerror. RFC 7208 says 10; another number disagrees with the rest of the world."""

    max_void_lookups: int = 2
    """Terms that may ask DNS in vain (no such name, no such record) before the result is permerror."""

    max_mx_names: int = 10
    """Mail exchangers that one `mx` term may name; more are a permerror."""

    max_ptr_names: int = 10
    """Reverse names of the client that are confirmed for `ptr` and the p macro; the rest is ignored."""

    deadline: float = 20.0
    """Seconds that the parallel address look-ups of one `mx` or `ptr` term may take."""

    explanations: bool = True
    """Whether the domain's own explanation of a fail (its `exp` modifier) is fetched."""

    max_explanation: int = 400
    """Characters of an explanation that are kept; it has to fit into an SMTP reply."""

    receiver: str = ""
    """The name of this host, given to the r macro of explanations. Empty: the server's `hostname`; without a server
    "unknown" (RFC 7208 §7.4)."""
