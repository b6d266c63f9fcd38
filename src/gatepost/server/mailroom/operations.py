"""What can be done with mail in the spool: a table.

In: nothing. Out: `Operation`s: what each is called, which copies it concerns, what the journal says of it.
Not here: doing it (`room`, `store.spool.quarantine`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatepost.store.spool import Spool, State, quarantine, waiting

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperation:
    """The same for waiting mail, of which there may be much: all copies of a selection at once. `text` stands in the
    journal beside who did it."""

    change: waiting.Change
    done: str
    noted: str = ""
    text: str = ""


RETRY = BulkOperation(change=waiting.RETRY, done="due now")
HOLD = BulkOperation(change=waiting.HOLD, done="held", noted="held")
UNHOLD = BulkOperation(change=waiting.UNHOLD, done="queued again", noted="unheld")
DROP = BulkOperation(change=waiting.DROP, done="deleted", noted="deleted")


def bounce(reason: str) -> BulkOperation:
    """The sender is told at once that delivery has failed, and why."""
    return BulkOperation(change=waiting.bounce(reason), done="to be returned", noted="returned", text=reason)


def reroute(route: str) -> BulkOperation:
    """Another way; empty: the usual one again."""
    where = route or "as configured"
    return BulkOperation(change=waiting.reroute(route), done=f"to go by {where}", noted="rerouted", text=where)
