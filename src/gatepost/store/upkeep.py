"""What the store needs done now and then: old mail leaves the quarantine, old entries the journal.

In: the spool, the journal, the time. Out: what went. Every hour is enough. Standard: none.
Not here: the limits (`settings`), the removal itself (`spool.quarantine`, `journal`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.store.journal import Journal
from gatepost.store.spool import Spool, quarantine

EVERY = 3600.0  # seconds between two rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """How much went: messages from the quarantine, entries from the journal."""

    expired: int
    forgotten: int


def keep_up(spool: Spool, journal: Journal, now: float) -> Upkeep:
    """One round. Blocks on the disk. Raises StoreError."""
    return Upkeep(expired=quarantine.expire(spool, now), forgotten=journal.prune(now))
