"""The journal's database: many entries at a time in, searches out, old ones away.

In: entries and attempts; what is looked for. Out: entries, newest first. Several processes may write to it, each with
its own `Journal`. Methods block on the disk. Standard: none. Not here: batching (`writer`), the command (`cli`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.store.database import make_folder, open_database, told, transaction
from gatepost.store.journal.entry import (
    ATTEMPT_COLUMNS,
    ENTRY_COLUMNS,
    Attempt,
    Entry,
    attempt_row,
    entry_row,
    read_attempt,
    read_entry,
    write_findings,
)
from gatepost.store.journal.schema import STEPS
from gatepost.store.settings import JournalSettings
from gatepost.store.spool.ids import parse_id, write_id

_DAY = 86400.0
_BUSY_SECONDS = 30.0  # nobody waits for the journal but its own thread
_PRUNED_AT_ONCE = 2000  # entries a transaction, so that writers get their turn
_ENTRY_WIDTH = ENTRY_COLUMNS.count(",") + 1
_ATTEMPT_WIDTH = ATTEMPT_COLUMNS.count(",") + 1
_ADD_ENTRY = f"INSERT INTO entry ({ENTRY_COLUMNS}) VALUES ({', '.join('?' * _ENTRY_WIDTH)})"  # noqa: S608
_ADD_ATTEMPT = f"INSERT INTO attempt ({ATTEMPT_COLUMNS}) VALUES ({', '.join('?' * _ATTEMPT_WIDTH)})"  # noqa: S608
_ADD_DETAIL = "INSERT INTO detail (entry, findings, basis) VALUES (?, ?, ?)"
_SELECT = f"SELECT {ENTRY_COLUMNS}, findings, basis FROM entry LEFT JOIN detail ON detail.entry = entry.key"  # noqa: S608


_PAGE_SIZE = 500
_PAGE = (
    f"SELECT key, {ENTRY_COLUMNS}, findings, basis FROM entry LEFT JOIN detail ON detail.entry = entry.key"  # noqa: S608
    " WHERE at >= ? AND (at > ? OR key > ?) AND at < ? ORDER BY at, key LIMIT ?"
)


class Journal:
    """Thread-safe; one call at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, settings: JournalSettings) -> None:
        self.path = path
        self.settings = settings
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path, settings: JournalSettings | None = None) -> Journal:
        """Opens or creates `folder/journal.db`. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "journal.db"
        # Large and no promise to anybody: not checked page by page at each start.
        connection = open_database(path, STEPS, busy_seconds=_BUSY_SECONDS, check_limit=0)
        connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last entries, never the file
        return cls(path, connection, settings or JournalSettings())

    @classmethod
    def open_sometime(cls, folder: Path, settings: JournalSettings | None = None) -> Journal:
        """The same, but a journal that cannot be opened now is tried again with every write: mail does not wait for a
        damaged history, and once somebody has moved that away it begins anew."""
        try:
            return cls.open(folder, settings)
        except StoreError:
            return _LateJournal(
                folder / "journal.db",
                sqlite3.connect(":memory:", check_same_thread=False),
                settings or JournalSettings(),
            )

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def write(self, entries: Sequence[Entry], attempts: Sequence[Attempt] = ()) -> None:
        """Writes all in one transaction. Raises StoreError, StoreFull."""
        rows = [entry_row(entry) for entry in entries]
        details = [_detail(entry) for entry in entries]
        with self._guard, transaction(self._connection, self.path, _BUSY_SECONDS):
            for row, detail in zip(rows, details, strict=True):
                key = self._connection.execute(_ADD_ENTRY, row).lastrowid
                if detail is not None:
                    self._connection.execute(_ADD_DETAIL, (key, *detail))
            self._connection.executemany(_ADD_ATTEMPT, map(attempt_row, attempts))

    def search(
        self,
        *,
        message_id: str | None = None,
        mail_from: str | None = None,
        rcpt_to: str | None = None,
        since: float | None = None,
        until: float | None = None,
        action: str | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """Entries that meet every condition given, newest first.

        `message_id` is a spool id, or part of a Message-ID; addresses match in part and in any case.
        """
        conditions, values = [], []
        number = parse_id(message_id) if message_id is not None else None
        for wanted, condition in (
            (number, "number = ?"),
            (message_id if number is None else None, "instr(message_id, ?)"),
            (mail_from, "instr(lower(mail_from), lower(?))"),
            (rcpt_to, "instr(lower(recipients), lower(?))"),
            (since, "at >= ?"),
            (until, "at < ?"),
            (action, "action = ?"),
        ):
            if wanted is not None:
                conditions.append(condition)
                values.append(wanted)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        with self._guard, told(self.path):
            rows = self._connection.execute(f"{_SELECT}{where} ORDER BY at DESC, key DESC LIMIT ?", (*values, limit))
            return [read_entry(row[:-2], *row[-2:]) for row in rows]

    def walk(self, since: float, until: float) -> Iterator[Entry]:
        """Every entry of that time, oldest first; writers get their turn between pages."""
        at, key = since, -1
        while True:
            with self._guard, told(self.path):
                rows = self._connection.execute(_PAGE, (at, at, key, until, _PAGE_SIZE)).fetchall()
            for row in rows:
                yield read_entry(row[1:-2], *row[-2:])
            if len(rows) < _PAGE_SIZE:
                return
            at, key = rows[-1][2], rows[-1][0]

    def count(self, since: float, until: float) -> int:
        """How many entries `walk` gives."""
        with self._guard, told(self.path):
            found = self._connection.execute("SELECT count(*) FROM entry WHERE at >= ? AND at < ?", (since, until))
            return int(found.fetchone()[0])

    def said(self, since: float, statuses: Sequence[str]) -> dict[str, set[str]]:
        """What people said of messages since then, by the message's id: those of `statuses` that stand there."""
        wanted = ", ".join("?" * len(statuses))
        sql = f"SELECT number, status FROM attempt WHERE relay = '' AND status IN ({wanted}) AND at >= ?"  # noqa: S608
        found: dict[str, set[str]] = {}
        with self._guard, told(self.path):
            for number, status in self._connection.execute(sql, (*statuses, since)):
                if number is not None:
                    found.setdefault(write_id(number), set()).add(status)
        return found

    def attempts(self, message_id: str) -> list[Attempt]:
        """The deliveries tried of the message with this spool id, in order."""
        with self._guard, told(self.path):
            rows = self._connection.execute(
                f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE number = ? ORDER BY at, key",  # noqa: S608
                (parse_id(message_id),),
            )
            return [read_attempt(row) for row in rows]

    def attempts_with(self, status: str, since: float) -> list[Attempt]:
        """Every attempt of one status since a time, of whatever message, in order."""
        with self._guard, told(self.path):
            rows = self._connection.execute(
                f"SELECT {ATTEMPT_COLUMNS} FROM attempt WHERE at >= ? AND status = ? ORDER BY at, key",  # noqa: S608
                (since, status),
            )
            return [read_attempt(row) for row in rows]

    def prune(self, now: float) -> int:
        """Deletes what is older than `keep_days`, then the oldest until `max_octets` holds; returns how many entries.

        The file does not shrink, its free pages are used again.
        """
        count = 0
        before = now - self.settings.keep_days * _DAY
        for _ in repeat(None):
            removed = self._remove(before, full=False)
            if not removed and self._octets() > self.settings.max_octets:
                removed = self._remove(before, full=True)
            count += removed
            if not removed:
                break
        return count

    def _octets(self) -> int:
        """What is in use, free pages not counted."""
        with self._guard, told(self.path):
            size, pages, free = (
                int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_size", "page_count", "freelist_count")
            )
        return size * (pages - free)

    def _remove(self, before: float, *, full: bool) -> int:
        """Removes the oldest entries, of any age if `full`, with the attempts of their time."""
        connection = self._connection
        with self._guard, transaction(connection, self.path, _BUSY_SECONDS):
            rows = connection.execute(
                "SELECT key, at FROM entry WHERE at < ? ORDER BY at LIMIT ?",
                (1e12 if full else before, _PRUNED_AT_ONCE),
            ).fetchall()
            keys = [(key,) for key, _ in rows]
            connection.executemany("DELETE FROM detail WHERE entry = ?", keys)
            connection.executemany("DELETE FROM entry WHERE key = ?", keys)
            newest = max((at for _, at in rows), default=0.0) if full else before
            connection.execute("DELETE FROM attempt WHERE at < ?", (newest,))
        return len(rows)


def _detail(entry: Entry) -> tuple[str, str] | None:
    """The row of `detail`, but for its key; None for what has none."""
    if not entry.findings and not entry.basis:
        return None
    return write_findings(entry.findings), entry.basis


class _LateJournal(Journal):
    """One that could not be opened yet."""

    def write(self, entries: Sequence[Entry], attempts: Sequence[Attempt] = ()) -> None:
        """Opens it first. Raises StoreError as long as that fails."""
        self._arrive()
        super().write(entries, attempts)

    def prune(self, now: float) -> int:
        """Opens it first. Raises StoreError as long as that fails."""
        self._arrive()
        return super().prune(now)

    def _arrive(self) -> None:
        with self._guard:
            if self._connection.execute("PRAGMA user_version").fetchone()[0] == 0:  # still the stand-in
                late = Journal.open(self.path.parent, self.settings)
                self._connection.close()
                self._connection = late._connection
