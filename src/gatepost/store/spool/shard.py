"""One reception worker's part of the spool: a SQLite file that only it adds to, and the large bodies beside it.

In: batches of `NewMessage`. Out: when `add_many` returns they survive a power cut; if it raises, none is there.
`shard-NNN.db` holds the rows, `shard-NNN.bodies/` the large bodies, `shard-NNN.owner` the lock of the one who adds.
Standard: RFC 5321 §4.2.5 (250 means responsibility). Not here: grouping (`committer`); reading, delivery (`queue`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gatepost.errors import StoreBusy, StoreFull
from gatepost.store.database import begin, free_space, make_folder, open_database, told
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool.bodies import BodyFiles
from gatepost.store.spool.ids import IdSource, write_id
from gatepost.store.spool.rows import (
    MESSAGE_COLUMNS,
    MESSAGE_WIDTH,
    NEW_RECIPIENT_COLUMNS,
    NEW_RECIPIENT_WIDTH,
    Prepared,
    prepare,
)
from gatepost.store.spool.schema import STEPS
from gatepost.store.spool.spooled import NewMessage

# Rows go in many to a statement: each statement lets go of the interpreter's lock and must win it back from a busy
# event loop, so that one a row would cost more than the disk does. One statement for each count stays prepared.
_ROWS = 64

# Ids are reserved this far ahead of the last one, in time, so that few commits must write the reservation down.
_RESERVED = 10_000 << 18  # ten seconds of ids

_STAGED = 1 << 20  # octets of a group that may be inserted outside the thread: it stays in SQLite's cache of 2 MB

_PLENTY = 1 << 30  # octets free above the reserve: nobody fills that in the time for which it is believed
_BELIEVED = 0.2  # seconds

_SHRINK_ABOVE = 128 << 20  # octets
_SHRINK_MOST = 256 << 20  # octets of live rows that may be copied while a start waits: about a second


def shard_path(folder: Path, shard: int) -> Path:
    """The database of shard number `shard`."""
    return folder / f"shard-{shard:03}.db"


def bodies_of(database: Path) -> BodyFiles:
    """The large bodies that belong to a shard's database."""
    return BodyFiles(database.with_suffix(".bodies"))


class SpoolShard:
    """Opened once per worker; `add_many` is called by one thread at a time."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, owner: int, shard: int, reserved: int, settings: SpoolSettings
    ) -> None:
        self.path = path
        self.settings = settings
        self._connection = connection
        self._owner = owner
        self._ids = IdSource(shard, reserved)
        self._reserved = reserved
        self._reserving = reserved  # what `_reserved` will be when the transaction under way is durable
        self._bodies = bodies_of(path)
        self._plenty_until = 0.0

    @classmethod
    def open(cls, folder: Path, shard: int = 0, settings: SpoolSettings | None = None) -> SpoolShard:
        """Opens or creates shard number `shard` (0 to 255) in `folder`, and clears what a crash left half done.

        Raises StoreBusy (another process owns it), StoreError (not writable, newer schema), StoreFull or StoreDamaged.
        """
        settings = settings or SpoolSettings()
        path = shard_path(folder, shard)
        make_folder(folder)
        owner = lock_file(path.with_suffix(".owner"), f"shard {shard} of {folder} is in use by another process")
        try:
            bodies_of(path).create()
            connection = open_database(
                path, STEPS, busy_seconds=settings.busy_seconds, check_limit=settings.check_limit
            )
            # The delivery folds the log back beside us; doing it here makes sessions wait for two more syncs.
            connection.execute(f"PRAGMA wal_autocheckpoint={4 * settings.checkpoint_pages}")
            connection.execute("PRAGMA busy_timeout=0")  # `begin` waits in shorter steps
            reserved = connection.execute("SELECT value FROM meta WHERE key = 'last_id'").fetchone()[0]
            opened = cls(path, connection, owner, shard, reserved, settings)
            opened._sweep()
            shrink(connection)
        except BaseException:
            os.close(owner)
            raise
        return opened

    def next_id(self, now: float) -> str:
        """A fresh id for a message that is being received."""
        return write_id(self._ids.next(now))

    def add_many(self, batch: Sequence[NewMessage]) -> None:
        """Takes in the whole batch durably, or nothing of it: then it raises StoreFull or StoreError."""
        prepared: list[Prepared] = []
        try:
            for new in batch:
                prepared.append(self.prepare(new))
        except BaseException:
            self.discard(prepared)
            raise
        self.commit(prepared)

    def prepare(self, new: NewMessage) -> Prepared:
        """The first half: a large body goes into its file here, synced. May run in any thread."""
        inline = len(new.body) <= self.settings.inline_limit
        ready = prepare(new, inline=inline)
        if not inline:
            self._check_room(free_space(self._bodies.folder))
            self._bodies.write(ready.number, new.body)
        return ready

    def commit(self, batch: Sequence[Prepared]) -> None:
        """The second half: one transaction, one sync for the whole batch. On an error nothing of it remains."""
        if not batch:
            return
        try:
            with told(self.path):
                self._check_room(self._room())
            if any(ready.in_file for ready in batch):
                self._bodies.sync()  # the names before the rows that lean on them
            with told(self.path):
                self._transact(batch)
        except BaseException:
            self.discard(batch)
            raise

    def discard(self, batch: Iterable[Prepared]) -> None:
        """Forgets what was prepared and will not be committed."""
        self._bodies.remove(ready.number for ready in batch if ready.in_file)

    def close(self) -> None:
        """Closes the database and gives the shard free."""
        self._connection.close()
        os.close(self._owner)

    def stage(self, batch: Sequence[Prepared]) -> bool:
        """`commit` but for its sync, where that takes no waiting; `seal` must follow. False, with nothing done, when
        another process is writing, or the batch is large or in files: then it is a thread's work (`commit`).

        Inserting takes some 30 µs a message, and costs a multiple of that in a thread that has to win the interpreter's
        lock back from the event loop after every statement.
        """
        if sum(len(ready.message[-1] or b"") for ready in batch) > _STAGED or any(ready.in_file for ready in batch):
            return False
        with told(self.path):
            if time.monotonic() >= self._plenty_until:
                self._check_room(self._room())
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    return False
                raise
            with self._undone_if_it_fails():
                self._insert_all(batch)
        return True

    def seal(self) -> None:
        """Makes what was staged durable. On an error nothing of it remains."""
        with told(self.path), self._undone_if_it_fails():
            self._connection.execute("COMMIT")
            self._reserved = max(self._reserved, self._reserving)

    def _transact(self, batch: Sequence[Prepared]) -> None:
        begin(self._connection, self.settings.busy_seconds)
        with self._undone_if_it_fails():
            self._insert_all(batch)
            self._connection.execute("COMMIT")
            self._reserved = max(self._reserved, self._reserving)

    @contextmanager
    def _undone_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _insert_all(self, batch: Sequence[Prepared]) -> None:
        messages = [value for ready in batch for value in ready.message]
        recipients = [value for ready in batch for value in ready.recipients]
        _insert(self._connection, f"message ({MESSAGE_COLUMNS}, crc, body)", MESSAGE_WIDTH, messages)
        _insert(self._connection, f"recipient ({NEW_RECIPIENT_COLUMNS})", NEW_RECIPIENT_WIDTH, recipients)
        self._reserving = self._reserve(max(ready.number for ready in batch))

    def _reserve(self, last: int) -> int:
        """Up to which id none will be given again after a restart, whatever the clock says then."""
        if last <= self._reserved:
            return self._reserved
        self._connection.execute("UPDATE meta SET value = ? WHERE key = 'last_id'", (last + _RESERVED,))
        return last + _RESERVED

    def _room(self) -> int:
        """Octets that can be written: free ones on the disk, and pages that delivered mail has left in the database
        (it does not shrink; without them a spool that once filled the disk would refuse mail for ever)."""
        free = free_space(self.path)
        if free < self.settings.reserve:
            pages, size = (
                self._connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("freelist_count", "page_size")
            )
            free += pages * size
        elif free - self.settings.reserve > _PLENTY:
            self._plenty_until = time.monotonic() + _BELIEVED
        return free

    def _check_room(self, free: int) -> None:
        if free < self.settings.reserve:
            raise StoreFull(f"{self.path.parent}: less than {self.settings.reserve} octets free on the disk")

    def _sweep(self) -> None:
        """Deletes body files without a row: their message was never acknowledged, or is delivered."""
        with told(self.path):
            for number in self._bodies.numbers():
                known = self._connection.execute("SELECT 1 FROM message WHERE id = ?", (number,))
                if known.fetchone() is None:
                    self._bodies.remove([number])


def shrink(connection: sqlite3.Connection, above: int = _SHRINK_ABOVE) -> bool:
    """Gives the disk back what a bad day has left: a database larger than `above` that is three quarters empty is
    written anew. True when it was; when somebody is writing or there is no room, the next start will do."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    if pages * size <= above or free * 4 < pages * 3 or (pages - free) * size > _SHRINK_MOST:
        return False
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return False
    return True


def _insert(connection: sqlite3.Connection, table: str, width: int, values: list[object]) -> None:
    """Inserts the rows that `values` holds one after the other, each `width` wide."""
    row = f"({', '.join('?' * width)})"
    for start in range(0, len(values), _ROWS * width):
        part = values[start : start + _ROWS * width]
        sql = f"INSERT INTO {table} VALUES {', '.join([row] * (len(part) // width))}"  # noqa: S608 - constants
        connection.execute(sql, part)


def lock_file(path: Path, refusal: str) -> int:
    """Takes a lock that ends with this process; the open descriptor holds it. Raises StoreBusy with `refusal`."""
    with told(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreBusy(refusal) from error
    return descriptor
