"""What can be done with mail in the spool: a table.

In: nothing. Out: `Operation`s: what each is called, which copies it concerns, what the journal says of it.
Not here: doing it (`room`, `store.spool.quarantine`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatepost.store.spool import Spool, State, quarantine

Change = Callable[[Spool, str, float, str | None], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`change` does it; `done` says it of copies ("2 copies released"); `concerns` are the states it takes copies from;
    `noted` is the journal's word, empty for what is not worth one."""

    change: Change
    done: str
    concerns: tuple[State, ...]
    noted: str = ""


RELEASE = Operation(change=quarantine.release, done="released", concerns=(State.QUARANTINED,), noted="released")
DELETE = Operation(change=quarantine.delete, done="deleted", concerns=(State.QUARANTINED,), noted="deleted")
RETRY = Operation(change=quarantine.retry, done="due now", concerns=(State.QUEUED,))
HOLD = Operation(change=quarantine.hold, done="held", concerns=(State.QUEUED,), noted="held")
UNHOLD = Operation(change=quarantine.unhold, done="queued again", concerns=(State.HELD,), noted="unheld")
DROP = Operation(change=quarantine.drop, done="deleted", concerns=(State.QUEUED, State.HELD), noted="deleted")
