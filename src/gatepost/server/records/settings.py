"""The options of the records that the gate prints and publishes.

In: gatepost.toml, table [records]. Out: `RecordsSettings`. Standard: RFC 9989 §4.7 (rua), RFC 8460 §3 (rua).
Not here: where changes go ([publish]), the keys' records ([signing]).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSettings:
    """What `gatepost records` puts into the domain's records."""

    reports_to: str = ""
    """The address that DMARC and TLS reports are asked for at, as "dmarc@example.org"; its mailbox is what `gatepost
    dmarc import` reads. Empty: postmaster of the domain."""
