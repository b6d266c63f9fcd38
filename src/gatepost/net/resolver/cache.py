"""Decoded answers, kept for their time to live.

In: answers and the time (monotonic seconds, an argument). Out: answers.
Standard: RFC 2308 §5 and §7 (negative answers and failures), RFC 9520 §3.2 (failures are kept for some seconds),
RFC 8767 (stale answers), RFC 2181 §8. Not here: asking (`net.resolver.upstream`).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from gatepost.net.resolver.settings import ResolverSettings
from gatepost.ports import Answer, DnsStatus

STALE_TTL = 30  # seconds a stale answer is given for (RFC 8767 §4)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Answer
    expires: float
    weight: int


class AnswerCache:
    """Least recently used goes first; the sum of weights (1 a started KB) stays below the setting."""

    __slots__ = ("_entries", "_settings", "_weight")

    def __init__(self, settings: ResolverSettings) -> None:
        self._settings = settings
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now: float) -> Answer | None:
        """The answer if it is still good."""
        entry = self._entries.get(key)
        if entry is None or entry.expires <= now:
            return None
        self._entries.move_to_end(key)
        return entry.answer

    def get_stale(self, key: Key, now: float) -> Answer | None:
        """The expired answer, if stale ones may serve and it is not too old."""
        entry = self._entries.get(key)
        if entry is None or now >= entry.expires + self._settings.stale_for:
            return None
        return replace(entry.answer, ttl=STALE_TTL)

    def put(self, key: Key, answer: Answer, now: float) -> Answer:
        """Keeps `answer`; returns it with its time to live capped. A failure never displaces what may serve stale."""
        answer = self._capped(answer)
        if answer.ttl <= 0:
            return answer
        if answer.status is DnsStatus.TEMPFAIL and self.get_stale(key, now) is not None:
            return answer
        self._remove(key)
        weight = 1 + _size(answer) // 1024
        self._entries[key] = _Entry(answer, now + answer.ttl, weight)
        self._weight += weight
        while self._weight > self._settings.cache_size and self._entries:
            self._remove(next(iter(self._entries)))
        return answer

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._weight -= entry.weight

    def _capped(self, answer: Answer) -> Answer:
        settings = self._settings
        if answer.status is DnsStatus.TEMPFAIL:
            return replace(answer, ttl=settings.failure_ttl)
        cap = settings.max_ttl if answer.status is DnsStatus.OK else settings.max_negative_ttl
        return answer if answer.ttl <= cap else replace(answer, ttl=cap)


def _size(answer: Answer) -> int:
    """Octets, roughly."""
    return sum(len(record) if isinstance(record, bytes | str) else 64 for record in answer.records)
