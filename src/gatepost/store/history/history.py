"""The history's database: notes in, an acquaintance out, the old away.

In: batches of notes; who writes to whom. Out: `Acquaintance`. Several processes write to it, each with its own
`SenderHistory`. A look-up is one question a table on a connection of its own, so that it never waits for a writer; it
takes microseconds and is made in the event loop. Standard: none. Not here: batching (`writer`).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gatepost.errors import StoreDamaged, StoreError
from gatepost.ports.history import Acquaintance
from gatepost.store.database import make_folder, open_database, told, transaction
from gatepost.store.history.notes import (
    MAX_RECIPIENTS,
    MAX_REFERENCES,
    Received,
    Sent,
    canonical,
    canonical_all,
    id_key,
)
from gatepost.store.history.schema import KEYS, STEPS
from gatepost.store.settings import HistorySettings

DAY = 86400.0
_BUSY_SECONDS = 30.0  # nobody waits for it but its own thread
_PRUNED_AT_ONCE = 2000  # rows a transaction, so that writers get their turn

_ADD_AUTHOR = """INSERT INTO author VALUES (?1, 1, ?2, ?2, ?3, 1) ON CONFLICT DO UPDATE SET messages = messages + 1,
    today = CASE day WHEN ?3 THEN today + 1 ELSE 1 END, day = ?3, last_seen = max(last_seen, ?2)"""
_ADD_DOMAIN = """INSERT INTO domain VALUES (?1, 1, ?2, ?2)
    ON CONFLICT DO UPDATE SET messages = messages + 1, last_seen = max(last_seen, ?2)"""
_ADD_PAIR = """INSERT INTO pair VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT DO UPDATE SET
    messages = messages + ?3, replies = replies + ?4, last_seen = max(last_seen, ?5)"""
_ADD_SEEN = "INSERT INTO seen VALUES (?1, ?2) ON CONFLICT DO UPDATE SET last_seen = max(last_seen, ?2)"
_ADD_BEGAN = "INSERT INTO began VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = min(at, ?2)"


class SenderHistory:
    """Implements `gatepost.ports.History`. Thread-safe. What cannot be opened now is tried again with every write: mail
    does not wait for a damaged history, and once somebody has moved that away it begins anew."""

    def __init__(self, folder: Path, settings: HistorySettings | None = None) -> None:
        """The history in `folder/history.db`; nothing is opened before it is used."""
        self.path = folder / "history.db"
        self.settings = settings or HistorySettings()
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None
        self._guard = threading.Lock()
        self._reading_guard = threading.Lock()

    def close(self) -> None:
        """Closes the database; it opens again when used."""
        with self._guard:
            if self._writing is not None:
                self._writing.close()
            self._writing = None
        self._forget_reading()

    # --- reading

    async def lookup(self, author: str, recipients: Sequence[str], references: Sequence[str]) -> Acquaintance:
        """What is known. A history that is away, damaged or empty answers an Acquaintance with `since` None."""
        try:
            with self._reading_guard, told(self.path):
                if self._reading is None:
                    self._reading = self._open_reading()
                return _acquaintance(self._reading, author, recipients, references)
        except StoreError:
            self._forget_reading()
            return Acquaintance()

    async def known_to(self, person: str, addresses: Sequence[str]) -> frozenset[str] | None:
        """Which of `addresses` have written to `person` (proven) or were written to; None when nobody can say."""
        try:
            with self._reading_guard, told(self.path):
                if self._reading is None:
                    self._reading = self._open_reading()
                return _known_to(self._reading, person, addresses)
        except StoreError:
            self._forget_reading()
            return None

    def _open_reading(self) -> sqlite3.Connection:
        """A connection that cannot write, of a database that is there already."""
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        reading = sqlite3.connect(address, uri=True, timeout=0.05, isolation_level=None, check_same_thread=False)
        version = reading.execute("PRAGMA user_version").fetchone()[0]
        if version != len(STEPS):
            reading.close()
            raise StoreError(f"{self.path}: schema {version}, this version knows {len(STEPS)}")
        return reading

    def _forget_reading(self) -> None:
        with self._reading_guard, suppress(sqlite3.Error):
            reading, self._reading = self._reading, None
            if reading is not None:
                reading.close()

    # --- writing

    def keep(self, notes: Sequence[Received | Sent]) -> None:
        """Writes all in one transaction. Raises StoreError, StoreFull."""
        with self._guard, self._or_closed():
            connection = self._opened()
            with transaction(connection, self.path, _BUSY_SECONDS):
                for note in notes:
                    if isinstance(note, Received):
                        _write_received(connection, note)
                    else:
                        _write_sent(connection, note)

    def prune(self, now: float) -> int:
        """Forgets what was not renewed within the settings' days, then the oldest until `max_rows` holds in each
        table; returns how many rows. The file does not shrink, its free pages are used again."""
        if not self.path.exists():
            return 0
        return sum(self._prune_table(table, now) for table in KEYS)

    def _prune_table(self, table: str, now: float) -> int:
        before = now - DAY * (self.settings.reference_days if table == "seen" else self.settings.days)
        removed = 0
        while went := self._remove(table, "last_seen < ?", before, _PRUNED_AT_ONCE):
            removed += went
        while surplus := self._count(table) - self.settings.max_rows:
            went = self._remove(table, "last_seen <= ?", now + DAY, min(surplus, _PRUNED_AT_ONCE)) if surplus > 0 else 0
            removed += went
            if not went:
                break
        return removed

    def _count(self, table: str) -> int:
        with self._guard, told(self.path):
            return int(self._opened().execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    def _remove(self, table: str, which: str, value: float, limit: int) -> int:
        """Removes the oldest rows for which `which` holds."""
        key = KEYS[table]
        statement = (
            f"DELETE FROM {table} WHERE ({key}) IN "  # noqa: S608
            f"(SELECT {key} FROM {table} WHERE {which} ORDER BY last_seen LIMIT ?)"
        )
        with self._guard:
            connection = self._opened()
            with transaction(connection, self.path, _BUSY_SECONDS):
                return connection.execute(statement, (value, limit)).rowcount

    @contextmanager
    def _or_closed(self) -> Iterator[None]:
        """A damaged file is let go of, so that the next write finds the new one in its place."""
        try:
            yield
        except StoreDamaged:
            if self._writing is not None:
                self._writing.close()
            self._writing = None
            raise

    def _opened(self) -> sqlite3.Connection:
        if self._writing is None:
            make_folder(self.path.parent)
            # Large and no promise to anybody: not checked page by page at each start.
            self._writing = open_database(self.path, STEPS, busy_seconds=_BUSY_SECONDS, check_limit=0)
            self._writing.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last notes, never the file
        return self._writing


def _write_received(connection: sqlite3.Connection, note: Received) -> None:
    author = canonical(note.author)
    if not author:
        return
    at, day = note.at, int(note.at // DAY)
    connection.execute(_ADD_AUTHOR, (author, at, day))
    connection.execute(_ADD_DOMAIN, (author.rpartition("@")[2], at))
    pairs = [(author, recipient, 1, 0, at) for recipient in canonical_all(note.recipients)]
    connection.executemany(_ADD_PAIR, pairs)
    _write_id(connection, note.message_id, at)
    connection.execute(_ADD_BEGAN, ("received", at))


def _write_sent(connection: sqlite3.Connection, note: Sent) -> None:
    sender = canonical(note.sender)
    if not sender:
        return
    pairs = [(recipient, sender, 0, 1, note.at) for recipient in canonical_all(note.recipients)]
    connection.executemany(_ADD_PAIR, pairs)
    _write_id(connection, note.message_id, note.at)
    connection.execute(_ADD_BEGAN, ("sent", note.at))


def _write_id(connection: sqlite3.Connection, message_id: str, at: float) -> None:
    key = id_key(message_id)
    if key:
        connection.execute(_ADD_SEEN, (key, at))


def _acquaintance(
    connection: sqlite3.Connection, author: str, recipients: Sequence[str], references: Sequence[str]
) -> Acquaintance:
    address = canonical(author)
    began = dict(connection.execute("SELECT what, at FROM began"))
    own = connection.execute(
        "SELECT first_seen, messages, day, today FROM author WHERE address = ?", (address,)
    ).fetchone()
    domain = connection.execute(
        "SELECT first_seen, messages FROM domain WHERE name = ?", (address.rpartition("@")[2],)
    ).fetchone()
    pairs = _pairs(connection, address, recipients)
    return Acquaintance(
        first_seen=own[0] if own else None,
        messages=own[1] if own else 0,
        day=own[2] if own else 0,
        day_messages=own[3] if own else 0,
        domain_first_seen=domain[0] if domain else None,
        domain_messages=domain[1] if domain else 0,
        by_recipient={recipient: messages for recipient, (messages, _) in pairs.items()},
        replied=frozenset(recipient for recipient, (_, replies) in pairs.items() if replies),
        known_references=_known_references(connection, references),
        since=min(began.values(), default=None),
        sent_since=began.get("sent"),
    )


def _pairs(connection: sqlite3.Connection, author: str, recipients: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Messages and replies of each recipient, by the recipient as it was written; all of them get an answer."""
    asked = {recipient: canonical(recipient) for recipient in recipients[:MAX_RECIPIENTS]}
    marks = ", ".join("?" * len(asked))
    rows = connection.execute(
        f"SELECT recipient, messages, replies FROM pair WHERE author = ? AND recipient IN ({marks})",  # noqa: S608
        (author, *asked.values()),
    )
    found = {recipient: (messages, replies) for recipient, messages, replies in rows}
    return {written: found.get(address, (0, 0)) for written, address in asked.items()}


def _known_to(connection: sqlite3.Connection, person: str, addresses: Sequence[str]) -> frozenset[str]:
    asked = {address: canonical(address) for address in addresses}
    sql = (
        "SELECT author FROM pair WHERE recipient = ? AND author IN (SELECT value FROM json_each(?))"
        " AND (messages > 0 OR replies > 0)"
    )
    rows = connection.execute(sql, (canonical(person), json.dumps(list(asked.values()))))
    found = {author for (author,) in rows}
    return frozenset(address for address, key in asked.items() if key in found)


def _known_references(connection: sqlite3.Connection, references: Sequence[str]) -> frozenset[str]:
    keys = {id_key(reference): reference for reference in references[-MAX_REFERENCES:]}
    marks = ", ".join("?" * len(keys))
    rows = connection.execute(f"SELECT key FROM seen WHERE key IN ({marks})", tuple(keys))  # noqa: S608
    return frozenset(keys[key] for (key,) in rows)
