"""What the store needs done now and then: old mail leaves the quarantine, old entries the journal, senders
who wrote long ago the history, old reports of others their store.

In: the spool, the journal, the history, who prunes reports, the time. Out: what went. Every hour is enough.
Standard: none. Not here: the limits (`settings`), the removal itself (`spool.expiry`, `journal`, `history`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatepost.store.history import SenderHistory
from gatepost.store.journal import Attempt, Journal
from gatepost.store.spool import Spool
from gatepost.store.spool.expiry import expire

EVERY = 3600.0  # seconds between two rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """How much went: messages from the quarantine, entries from the journal, rows from the history,
    reports of others."""

    expired: int
    forgotten: int
    unremembered: int = 0
    reports: int = 0


def keep_up(
    spool: Spool,
    journal: Journal,
    history: SenderHistory,
    now: float,
    prune_reports: Callable[[float], int] = lambda _now: 0,
) -> Upkeep:
    """One round; the journal gets a line for each held copy that went. Blocks on the disk. Raises StoreError."""
    expired = expire(spool, now)
    notes = [
        Attempt(id=one.id, at=now, rcpt_to=address, status="expired", text=one.why)
        for one in expired
        for address in one.addresses
    ]
    if notes:
        journal.write([], notes)
    return Upkeep(
        expired=len(expired),
        forgotten=journal.prune(now),
        unremembered=history.prune(now),
        reports=prune_reports(now),
    )
