"""What the administrator may choose about mail that goes on to people elsewhere.

Standard: SRS as libsrs2 and postsrsd write it; RFC 8617 (ARC). Not here: who is forwarded where (`server.aliases`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSettings:
    """Mail that an alias or a catch-all sends on to people elsewhere; the table `[forward]`."""

    srs: bool = True
    """Whether the envelope sender of forwarded mail is rewritten (SRS) to an address of ours, so that SPF passes where
    it goes. Senders in domains of ours and the null sender stay as they are. Off: bounces to addresses that were
    rewritten before are refused too."""
    srs_domain: str = ""
    """The domain of rewritten senders; its MX must lead here and its SPF record allow the way out. It need not be one
    of `domains`: it takes nothing but bounces then. Empty: the domain of the address that forwards."""
    srs_days: int = 21
    """Days for which a rewritten address takes bounces. What has not come back by then never will (5 days is what
    servers try), and old addresses are what spammers collect."""
    secret_file: str = ""
    """The file with the secret of rewritten addresses, readable by its owner alone: of several lines the first makes
    addresses, all are known. Empty: `srs.secret` in the store's folder, made when it is needed. A file of postsrsd
    serves as it is."""
    bounces_from: Literal["null", "any"] = "null"
    """From whom rewritten addresses take mail: from the null sender only, which is what bounces have (RFC 5321 §4.5.5),
    or from anybody, as postsrsd does."""
    arc: bool = True
    """Whether forwarded mail gets an ARC set (RFC 8617) that says what we found of its sender, sealed with the key of
    the domain that forwards. Other mail is never sealed."""
    junk: Literal["quarantine", "send"] = "quarantine"
    """What becomes of mail for the Junk folder when it would be forwarded: whoever sends on spam is taken for its
    source."""
