"""The resolver's options.

In: gatepost.toml, table [dns]. Out: `ResolverSettings`.
Standard: DESIGN, "Configuration". Not here: reading the file (`config`), reading resolv.conf (`net.resolver.servers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverSettings:
    """Which servers are asked, how long they may take, and how long answers are kept."""

    servers: tuple[str, ...] = ("system",)
    """Name servers to ask: "ADDRESS", "ADDRESS:PORT" or "[IPv6]:PORT"; "system" stands for those in /etc/resolv.conf.
    A resolver of your own on this machine is best: block lists refuse the large public ones, and only its answers
    cannot be forged on the way."""
    authentic_from: tuple[str, ...] = ()
    """Those of `servers` that validate DNSSEC and are reached over a path nobody else can write to (this machine, a
    tunnel): their authentic-data bit is believed. Written as in `servers`."""
    timeout: float = 2.0
    """Seconds to wait for one server before the next one is asked."""
    attempts: int = 2
    """Rounds through all servers before a question counts as unanswered."""
    deadline: float = 8.0
    """Seconds after which a question is given up whatever servers and rounds are left."""
    max_ttl: int = 86400
    """Seconds for which an answer is kept at most, whatever its own time to live."""
    max_negative_ttl: int = 3600
    """Seconds for which "there is no such name or record" is kept at most (RFC 2308 suggests one to three hours)."""
    failure_ttl: int = 5
    """Seconds for which "nobody knows" is kept, so that a dead domain does not cost a time-out for every message."""
    stale_for: int = 0
    """Seconds for which an expired answer still serves when no server answers (RFC 8767); 0 switches that off."""
    cache_size: int = 50_000
    """Answers kept in memory; one above 1 KB counts as several. The one not used for longest goes first."""
    in_flight: int = 512
    """Questions asked at the same time at most (each holds a socket); further ones wait."""
    lookups_per_message: int = 200
    """Questions that one message may cause; what is asked beyond counts as unanswered."""
    mixed_case: Literal["auto", "always", "never"] = "auto"
    """Whether letters of a question are sent in random case, which a forger must guess: "auto" does so for servers
    that are not on this machine."""
