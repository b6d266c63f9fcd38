"""What is remembered of a sender, as pure rooms ask it.

In: who writes to whom. Out: `Acquaintance`. Not here: who remembers (`store.history`), what it weighs (`inspector`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """`messages` proven messages came from the author's address since `first_seen` (seconds since the epoch, None:
    never), `domain_messages` from anybody of the author's domain since `domain_first_seen`. `by_recipient` counts
    those each recipient of this message got; `replied` are the recipients who wrote to the author themselves.
    `day` is the number of the day (since 1970) of the last message, `day_messages` how many came on it.
    `known_references` are those of the asked message ids that were seen here before, in either direction. `since` is
    when the memory itself began: before that, "never wrote" means nothing. `sent_since` is when it first saw mail of
    our own people, None if it never did: without that, a reply to a message nobody knows means nothing."""

    first_seen: float | None = None
    messages: int = 0
    domain_first_seen: float | None = None
    domain_messages: int = 0
    day: int = 0
    day_messages: int = 0
    by_recipient: Mapping[str, int] = field(default_factory=dict)
    replied: frozenset[str] = frozenset()
    known_references: frozenset[str] = frozenset()
    since: float | None = None
    sent_since: float | None = None


class History(Protocol):
    """Remembers senders. Only mail with an aligned pass is remembered (TRAPS, "Spoofers inherit trust")."""

    async def lookup(self, author: str, recipients: Sequence[str], references: Sequence[str]) -> Acquaintance:
        """`author` is the address in From, `references` the message ids it claims to answer. Never raises: a store
        that is away answers an empty Acquaintance with `since` None."""
        ...
