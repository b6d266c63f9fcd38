"""Counts sessions: in memory for half a minute, then in the store.

In: sessions as `delivery.demands` tells them. Out: rows of `store.tlsrpt`. Bounded; what the disk does not take is
lost, since counts are no mail. Standard: RFC 8460 §4.2, §4.3. Not here: sending (`sending`).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable

from gatepost.errors import StoreError
from gatepost.server.delivery.demands import PolicySeen, SessionSeen
from gatepost.server.logs import Log
from gatepost.store.tlsrpt import Count, TlsReports

DAY = 86_400
FLUSH_SECONDS = 30.0
MAX_WAITING = 10_000  # different counts in memory
MAX_REASON = 120  # characters of our words on a failure


class Tally:
    """One for the delivery process. `clock` is the time of day."""

    def __init__(self, store: TlsReports, log: Log, clock: Callable[[], float]) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._counts: Counter[Count] = Counter()

    def count(self, seen: SessionSeen) -> None:
        """Takes a session."""
        result, _, reason = seen.failure.partition(": ")
        details = (seen.host, seen.address, reason[:MAX_REASON]) if result else ("", "", "")
        count = Count(int(self._clock() // DAY), seen.domain, write_policy(seen.policy), result, *details)
        if count in self._counts or len(self._counts) < MAX_WAITING:
            self._counts[count] += 1

    async def run(self) -> None:
        """Writes down every half minute, and what is left when it is cancelled."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                counts = self._take()
                await asyncio.to_thread(self._write, counts)
        finally:
            self._write(self._take())

    def _take(self) -> Counter[Count]:
        counts, self._counts = self._counts, Counter()
        return counts

    def _write(self, counts: Counter[Count]) -> None:
        if counts:
            try:
                self._store.add(counts)
            except StoreError as error:
                self._log.error("tlsrpt-failed", doing="count", reason=error)


def write_policy(policy: PolicySeen) -> str:
    """A policy as it stands in the store."""
    return json.dumps({"kind": policy.kind, "text": policy.text, "mx": policy.mx})


def read_policy(text: str) -> PolicySeen:
    """The same back."""
    found = json.loads(text)
    return PolicySeen(kind=found["kind"], text=tuple(found.get("text", ())), mx=tuple(found.get("mx", ())))
