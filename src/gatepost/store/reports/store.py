"""The database of reports: each is kept once, the oldest go first, and questions are answered by day and source.

In: reports, the time. Out: what became of each; sums. A report counts once, by its kind, reporter, id and domain; one
that came cut short gives way to the whole. Thread-safe; several processes may hold the same file.
Standard: none. Not here: what is asked (`questions`), what it means (`gatepost.reports`).

    store = ReportStore.open(folder, settings.store.reports)
    store.keep(report, now)   # "new", "known" or "replaced"
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from gatepost.ports.reported import AggregateReport, FailureReport, Report
from gatepost.store.database import give_to_owner, make_folder, open_database, told, transaction
from gatepost.store.reports.rows import Row, failure_row, mail_rows, tls_rows
from gatepost.store.reports.schema import STEPS, TABLES
from gatepost.store.settings import ReportSettings

FILE = "reports.db"
_DAY = 86400
_ADD = {
    "mail": "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "tls": "INSERT INTO tls VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "failure": "INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


def prune_reports(folder: Path, settings: ReportSettings, now: float) -> int:
    """`ReportStore.prune`, where there is a store at all."""
    if not (folder / FILE).exists():
        return 0
    store = ReportStore.open(folder, settings)
    try:
        return store.prune(now)
    finally:
        store.close()


class _Kept(NamedTuple):
    """What of a report goes into the tables."""

    kind: str
    report_id: str
    domain: str
    begins: int
    ends: int
    policy: str
    table: str
    rows: list[Row]


class ReportStore:
    """`folder/reports.db`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, settings: ReportSettings) -> None:
        self.path = path
        self.settings = settings
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path, settings: ReportSettings | None = None) -> ReportStore:
        """Opens or creates `folder/reports.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / FILE
        connection = open_database(path, STEPS)
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last reports: they can be imported
        give_to_owner(path)
        return cls(path, connection, settings or ReportSettings())

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def keep(self, report: Report, now: float) -> str:
        """Keeps `report`: "new", "known" (it was there) or "replaced" (a copy cut short was). Raises
        StoreError."""
        kept = _taken_apart(report, int(now))
        with self._guard, transaction(self._connection, self.path):
            before = self._connection.execute(
                "SELECT key, defects FROM report WHERE kind=? AND reporter=? AND report_id=? AND domain=?",
                (kept.kind, report.reporter, kept.report_id, kept.domain),
            ).fetchone()
            if before is not None:
                if "cut" not in json.loads(before[1]) or "cut" in report.defects:
                    return "known"
                self._remove([before[0]])
            self._write(report, kept, now)
        return "new" if before is None else "replaced"

    def _write(self, report: Report, kept: _Kept, now: float) -> None:
        key = self._connection.execute(
            "INSERT INTO report (kind, reporter, report_id, domain, begins, ends, kept_at, policy, defects)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(kept.kind, report.reporter, kept.report_id, kept.domain, kept.begins, kept.ends, now),
                *(kept.policy, json.dumps(report.defects)),
            ),
        ).lastrowid
        self._connection.executemany(_ADD[kept.table], [(key, *row) for row in kept.rows])

    def _remove(self, keys: Sequence[int]) -> None:
        for key in keys:
            for table in TABLES:
                self._connection.execute(f"DELETE FROM {table} WHERE report=?", (key,))  # noqa: S608
            self._connection.execute("DELETE FROM report WHERE key=?", (key,))

    def prune(self, now: float) -> int:
        """Lets reports go that came in and ended longer than `keep_days` ago, and the oldest where there are more than
        `max_rows` rows; how many. What is taken in late (an archive of old reports) stays for as long."""
        oldest = now - self.settings.keep_days * _DAY
        with self._guard, transaction(self._connection, self.path):
            past = self._connection.execute("SELECT key FROM report WHERE ends < ? AND kept_at < ?", (oldest, oldest))
            gone = [key for (key,) in past]
            self._remove(gone)
            over = self._count() - self.settings.max_rows
            if over > 0:
                first = []
                for key, rows in self._connection.execute(_BY_AGE):
                    if over <= 0:
                        break
                    first.append(key)
                    over -= rows
                self._remove(first)
                gone += first
        return len(gone)

    def _count(self) -> int:
        return int(sum(self.ask(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES))  # noqa: S608

    def ask(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows that a question of `questions` gives."""
        with told(self.path):
            return self._connection.execute(statement, values).fetchall()


_BY_AGE = """
    SELECT key, (SELECT count(*) FROM mail WHERE report = key) + (SELECT count(*) FROM tls WHERE report = key)
                + (SELECT count(*) FROM failure WHERE report = key)
    FROM report ORDER BY ends, key
"""


def _taken_apart(report: Report, now: int) -> _Kept:
    if isinstance(report, AggregateReport):
        policy = json.dumps(asdict(report.policy))
        rows, domain = list(mail_rows(report)), report.policy.domain
        return _Kept("aggregate", report.report_id, domain, report.begin, report.end, policy, "mail", rows)
    if isinstance(report, FailureReport):
        at = report.at if report.at is not None else now
        row = failure_row(report, now)
        return _Kept("failure", report.report_id, report.domain, at, at, "{}", "failure", [row])
    domain = report.policies[0].domain
    return _Kept("tls", report.report_id, domain, report.begin, report.end, "{}", "tls", list(tls_rows(report)))
