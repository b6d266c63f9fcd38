"""What the administrator may choose about DKIM and ARC signatures.

In: the `[dkim]` table of gatepost.toml. Out: `DkimSettings`, with the RFC's values as defaults.
Standard: RFC 6376 §6.1, RFC 8301 §3. Not here: what is done with a failed signature (`inspector.policy`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSettings:
    """Limits and strictness of signature verification."""

    max_signatures: int = 8
    """How many signatures of a message are verified, from the top. The rest are reported, not verified."""

    min_rsa_bits: int = 1024
    """Smallest RSA key that counts. RFC 8301 §3.2 sets 1024; less is for tests with old messages only."""

    max_rsa_bits: int = 8192
    """Largest RSA key that is tried, because verification takes longer the larger the key is."""

    allow_sha1: bool = False
    """Whether rsa-sha1 signatures count. RFC 8301 §3.1 forbids it; for tests with old messages only."""

    body_length: Literal["note", "refuse"] = "note"
    """What becomes of a signature with `l=`, which leaves the end of the body unsigned (RFC 6376 §8.2): "note" says so
    in the result, "refuse" does not let it pass."""

    clock_skew: int = 300
    """Seconds by which a signer's clock may be ahead of ours, and by which an expiry may be past."""

    max_arc_keys: int = 20
    """How many different keys an ARC chain may need. A longer chain fails; it would cost too many look-ups."""

    lookup_timeout: float = 10.0
    """Seconds in which all keys of a message must have been looked up; what is late is a temporary error."""
