"""What is remembered of the addresses of next hops: dead ones are not called for a while, shaky ones are called last.

In: how each call went, seconds that never go back. Out: whether to call, and the order. Shared by all lanes, so that a
dead host is found dead once and not by every domain that it serves; bounded. Standard: RFC 5321 §4.5.4.1 (a host that
cannot be reached is not to be tried for every message). Not here: calling (`connect`), a whole destination's pause
(`lane`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_REMEMBERED = 20_000  # addresses, some 200 octets each
LONGEST_PAUSE = 600.0  # seconds; a host that is back should not wait longer for its mail
DOUBT = 300.0  # seconds for which an address that broke off in the middle comes after the others
Key = tuple[str, int]  # address and port


@dataclass(slots=True)
class _Record:
    until: float = 0.0  # not called before
    pause: float = 0.0  # of the last time
    reason: str = ""
    doubted_until: float = 0.0


class Standing:
    """`pause` is the first of the pauses, which double; `probe` the seconds for which one caller may find out whether a
    dead address is back before the next one may."""

    def __init__(self, pause: float, clock: Callable[[], float], probe: float = 30.0) -> None:
        self._pause = pause
        self._clock = clock
        self._probe = probe
        self._records: OrderedDict[Key, _Record] = OrderedDict()

    def why_not(self, key: Key) -> str:
        """Why `key` is not to be called now, empty when it may be. When its pause is over the first who asks may."""
        record = self._records.get(key)
        if record is None or not record.reason:
            return ""
        now = self._clock()
        if now < record.until:
            return record.reason
        record.until = now + min(self._probe, record.pause)
        return ""

    def died(self, key: Key, reason: str) -> None:
        """No connection, or none that was of use."""
        record, now = self._record(key), self._clock()
        record.pause = min(record.pause * 2 or self._pause, LONGEST_PAUSE)
        record.until, record.reason = now + record.pause, reason

    def wavered(self, key: Key) -> None:
        """It took the connection and broke off later: others first, for a while."""
        self._record(key).doubted_until = self._clock() + DOUBT

    def lives(self, key: Key) -> None:
        """It took a connection: whatever was is forgotten, but for doubts."""
        record = self._records.get(key)
        if record is not None and record.doubted_until <= self._clock():
            del self._records[key]
        elif record is not None:
            record.until, record.pause, record.reason = 0.0, 0.0, ""

    def in_order(self, keys: Sequence[Key]) -> list[Key]:
        """`keys` with those in doubt behind the others."""
        now = self._clock()
        return sorted(keys, key=lambda key: key in self._records and self._records[key].doubted_until > now)

    def _record(self, key: Key) -> _Record:
        record = self._records.setdefault(key, _Record())
        self._records.move_to_end(key)
        while len(self._records) > MAX_REMEMBERED:
            self._records.popitem(last=False)
        return record

    def __len__(self) -> int:
        return len(self._records)
