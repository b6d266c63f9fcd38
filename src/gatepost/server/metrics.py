"""Counters that every process adds to and the monitor shows.

In: `metrics.add(NAME)` on the hot path (one addition in shared memory, no lock). Out: sums over all processes, as
Prometheus text. Each process writes its own column only; the sum is what is read.
Not here: the counters that limits need (`smtp.counters`); the HTTP listener (`monitor`).
"""

from __future__ import annotations

import enum
import mmap
from collections.abc import Iterator
from typing import Any


class Metric(enum.IntEnum):
    """What is counted; the place in a column. The docstring of each is its help text in `HELP`."""

    CONNECTIONS = 0
    CONNECTIONS_REFUSED = 1
    TLS_HANDSHAKES = 2
    MESSAGES_ACCEPTED = 3
    MESSAGES_TAGGED = 4
    MESSAGES_QUARANTINED = 5
    MESSAGES_REJECTED = 6
    MESSAGES_DEFERRED = 7
    RECIPIENTS_REFUSED = 8
    DELIVERED = 9
    DELIVERY_DEFERRED = 10
    DELIVERY_FAILED = 11
    OCTETS_ACCEPTED = 12
    SPOOL_REFUSED = 13
    WORKER_RESTARTS = 14
    DOOR_STOPPED = 15
    DOOR_WATCHED = 16
    BANS = 17
    CONTENT_CHILDREN_LOST = 18
    LIST_HITS = 19
    LOGINS = 20
    LOGINS_FAILED = 21
    SUBMITTED = 22
    SUBMISSIONS_REFUSED = 23
    SUBMISSIONS_HELD = 24
    ACCOUNTS_SUSPENDED = 25


HELP = {
    Metric.CONNECTIONS: "connections taken",
    Metric.CONNECTIONS_REFUSED: "connections refused at the door by a limit",
    Metric.TLS_HANDSHAKES: "sessions that went over to TLS",
    Metric.MESSAGES_ACCEPTED: "messages accepted and durable",
    Metric.MESSAGES_TAGGED: "messages accepted for the Junk folder",
    Metric.MESSAGES_QUARANTINED: "messages kept in quarantine",
    Metric.MESSAGES_REJECTED: "messages refused for good (5xx after data)",
    Metric.MESSAGES_DEFERRED: "messages refused for now (4xx after data)",
    Metric.RECIPIENTS_REFUSED: "recipients refused",
    Metric.DELIVERED: "recipients delivered",
    Metric.DELIVERY_DEFERRED: "delivery attempts to be repeated",
    Metric.DELIVERY_FAILED: "recipients that failed for good",
    Metric.OCTETS_ACCEPTED: "octets of accepted messages",
    Metric.SPOOL_REFUSED: "messages the spool had no room for (452)",
    Metric.WORKER_RESTARTS: "processes started again after a crash",
    Metric.DOOR_STOPPED: "refusals, delays and bans at the door",
    Metric.DOOR_WATCHED: "what checks at the door that only watch would have stopped",
    Metric.BANS: "bans that the door made by itself",
    Metric.CONTENT_CHILDREN_LOST: "messages whose opening crashed, ran out of time or memory, or found no child",
    Metric.LOGINS: "logins that succeeded",
    Metric.LOGINS_FAILED: "logins that failed, whatever for",
    Metric.SUBMITTED: "messages that accounts handed in, durable",
    Metric.SUBMISSIONS_REFUSED: "messages of accounts that were refused, for now or for good",
    Metric.SUBMISSIONS_HELD: "messages of accounts that were kept back",
    Metric.ACCOUNTS_SUSPENDED: "accounts that were suspended for what they sent",
    Metric.LIST_HITS: "messages that a list named something of, counted for each list",
}


class MetricsTable:
    """Shared memory for `columns` processes; made before they fork."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._cells = memoryview(mmap.mmap(-1, columns * len(Metric) * 8)).cast("q")

    def column(self, index: int) -> Metrics:
        """The column that process `index` writes."""
        start = index * len(Metric)
        return Metrics(self._cells[start : start + len(Metric)])

    def total(self, metric: Metric) -> int:
        """The sum over all processes, those that ended included."""
        return sum(self._cells[metric :: len(Metric)])


class Metrics:
    """One process's counters."""

    __slots__ = ("_cells",)

    def __init__(self, cells: memoryview[int]) -> None:
        self._cells = cells

    def add(self, metric: Metric, amount: int = 1) -> None:
        """Counts `amount` more."""
        self._cells[metric] += amount


class Collector:
    """Hands the table to prometheus_client. `gauges` are read when asked, so that they are never stale."""

    def __init__(self, table: MetricsTable, gauges: dict[str, Any]) -> None:
        self._table = table
        self._gauges = gauges

    def collect(self) -> Iterator[Any]:
        """The metric families, as prometheus_client's registry wants them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for metric in Metric:
            yield CounterMetricFamily(f"gatepost_{metric.name.lower()}", HELP[metric], value=self._table.total(metric))
        for name, (text, read) in self._gauges.items():
            yield GaugeMetricFamily(f"gatepost_{name}", text, value=read())
