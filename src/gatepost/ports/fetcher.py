"""Where a link leads, as pure rooms ask it.

In: URLs. Out: `Followed`. Not here: who follows (`net.fetch`), with its limits: it never reaches a private address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The URLs in the order in which they led to each other, the asked one first. `reason` says why it ended early:
    too many, a private address, no answer; empty when the last one answered with something else than a redirect."""

    hops: tuple[str, ...]
    reason: str = ""


class Fetcher(Protocol):
    """Follows redirects."""

    async def follow_all(self, urls: Sequence[str], deadline: float) -> tuple[Followed, ...]:
        """All at once, answers in the same order, within `deadline` seconds. Never raises."""
        ...
