"""What TLS a destination demands: the shared words of those who find out (`dane`, `sts`, the configuration), of who
connects (`connect`, `secure`) and of who counts (`tlsrpt`).

In: a destination domain with its hosts. Out: a `Demand` for each host; the strictest source has won already.
Standard: RFC 7672 §2 (DANE), RFC 8461 §5 (MTA-STS), RFC 7435 (opportunistic security), RFC 8460 §4.3 (what is counted).
Not here: asking DNS or a web server, the handshake.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gatepost.msgauth.tlsa import Tlsa
from gatepost.names import Tls

__all__ = ["Demand", "Level", "MxHost", "Protection", "Tlsa", "lowered"]


class Level(enum.StrEnum):
    """How much TLS, from least to most."""

    NONE = "none"  # never, not even where it is offered
    OPPORTUNISTIC = "opportunistic"  # where it is offered; in the clear where it is not or fails
    ENFORCED = "enforced"  # always, whoever shows a certificate
    VERIFIED = "verified"  # always, with a certificate that a known authority gave to one of the names
    DANE = "dane"  # always, with a certificate that one of the TLSA records names


@dataclass(frozen=True, slots=True)
class MxHost:
    """A host that takes a domain's mail. `authentic` says that the answer that named it was DNSSEC-authentic; an
    implicit MX (RFC 5321 §5.1) has preference 0 and the domain's own name."""

    name: str
    preference: int
    authentic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a connection to one host must have. `names` are the reference identifiers (VERIFIED, and DANE usage 2); the
    first is also told to the server (SNI). `source` is who demands it ("configuration", "dane", "mta-sts"), for the
    log. `unusable` says why the host must not be used now ("not in the policy of …", "TLSA look-up failed"); `code` is
    the enhanced code of that and of a failed handshake. `testing`: a failure is counted and does not stop the mail (RFC
    8461 §5, mode testing); then `floor`, what the configuration demands, still holds. DANE without `tlsa` is TLS
    without a check of the certificate (RFC 7672 §2.2)."""

    level: Level
    names: tuple[str, ...] = ()
    tlsa: tuple[Tlsa, ...] = ()
    source: str = "configuration"
    unusable: str = ""
    code: str = "4.7.5"
    testing: bool = False
    floor: Level = Level.OPPORTUNISTIC


def lowered(demand: Demand) -> Demand:
    """For a message with "TLS-Required: No" (RFC 8689 §5): what the configuration alone demands."""
    return replace(demand, level=demand.floor, tlsa=(), source="configuration", unusable="", testing=False)


class Protection(Protocol):
    """Knows what destinations demand, and takes note of how it went."""

    async def demands(self, domain: str, hosts: Sequence[MxHost]) -> Sequence[Demand]:
        """One for each of `hosts`, in order. Never raises: what cannot be found out makes a host unusable, or falls
        back to the configuration, as the standard says. Cached: asked again for each connection."""
        ...

    def took(self, domain: str, host: MxHost, address: str, demand: Demand, tls: Tls | None, failure: str) -> None:
        """A session to `host` was opened as `demand` says (`failure` empty), or was not: `failure` is one of the result
        types of RFC 8460 §4.3 with, after a colon, words of ours ("certificate-expired: …")."""
        ...
