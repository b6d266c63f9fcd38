"""A small cache that cannot grow: two generations, bounded by weight.

In: keys, values and how much each weighs (octets of the record, say). Out: the value, or None.
Standard: none. Why not `lru_cache`: it counts entries, and an attacker chooses how large an entry is; and a hit here
is one dictionary look-up. Not here: DNS answers and their lifetimes (`net.resolver`); what is kept here depends on its
key alone, so it never grows old.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Generations(Generic[K, V]):
    """Keeps what was used lately. When the young generation weighs more than `limit` it becomes the old one, and the
    old one is forgotten; so at most twice `limit` is held, and what is in use survives."""

    __slots__ = ("_limit", "_old", "_weight", "_young")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """The value, or None when it is not kept."""
        found = self._young.get(key)
        if found is not None:
            return found[0]
        found = self._old.get(key)
        if found is None:
            return None
        self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Keeps `value`; one that weighs more than a quarter of the limit is not worth its room."""
        if weight > self._limit // 4:
            return
        if self._weight + weight > self._limit:
            self._old, self._young, self._weight = self._young, {}, 0
        self._young[key] = (value, weight)
        self._weight += weight
