"""What was learnt here of words, as pure rooms ask for it.

In: features of a message. Out: `Learned`, how many learnt messages of each kind have each.
Not here: who keeps them (`store.learned`), what they weigh (`inspector.classifier`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Counts = tuple[int, int, int]
"""Of ham, spam and phish, in this order."""

NOTHING: Counts = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """`messages` are all that were learnt here; `counts` has the features that are in any of them."""

    messages: Counts = NOTHING
    counts: Mapping[str, Counts] = field(default_factory=dict)


class Memory(Protocol):
    """Remembers which words stood in messages that people here called ham, spam or phish."""

    async def recall(self, features: Sequence[str]) -> Learned:
        """What is known of `features`. Never raises: a store that is away knows nothing."""
        ...
