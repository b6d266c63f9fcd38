"""SQLite as the house uses it: opened safely, migrated by number, its errors told in our words.

In: a path, the numbered steps of a schema. Out: a connection in WAL mode with `synchronous=FULL`, or a StoreError that
says what is wrong and what to do. Standard: none (sqlite.org/wal.html, sqlite.org/pragma.html).
Not here: what is kept in it (`spool`, `journal`, `accounts`).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gatepost.errors import StoreDamaged, StoreError, StoreFull

Step = str  # one migration: SQL statements; step 1 makes version 1 out of an empty database

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PREPARED = 256  # statements a connection keeps: the spool's inserts have one for each number of rows
_LOW_SPACE = 1 << 20  # a write error with less than this free is told as "full": quotas report it as an I/O error


def open_database(
    path: Path, steps: Sequence[Step], *, busy_seconds: float = 10.0, check_limit: int = 256 << 20, create: bool = True
) -> sqlite3.Connection:
    """Opens `path`, creates or migrates its schema, checks it page by page if it is no larger than `check_limit`.

    Who opens it beside its owner passes `create=False`. The connection commits only by hand (`transaction`) and may
    move between threads, one at a time.
    Raises StoreError, StoreFull or StoreDamaged.
    """
    if not create and not path.exists():
        raise StoreError(f"{path}: there is no such database")
    with told(path):
        with private():  # SQLite gives log and index the database's mode
            connection = sqlite3.connect(
                path,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_PREPARED,
            )
        try:
            _prepare(connection, path, steps, check_limit, busy_seconds)
            if create:
                sync_folder(path.parent)
        except BaseException:
            connection.close()
            raise
    return connection


def examine(path: Path, check_limit: int = 256 << 20) -> None:
    """Whether `path` reads as a database, page by page if it is no larger than `check_limit`. Nothing is written.
    Raises StoreDamaged, StoreError."""
    with told(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as found:
        verdict = "ok"
        if os.path.getsize(path) <= check_limit:
            verdict = found.execute("PRAGMA quick_check(1)").fetchone()[0]
        found.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if verdict != "ok":
        raise StoreDamaged(f"{path}: damaged ({verdict}); restore it from a backup")


def _prepare(
    connection: sqlite3.Connection, path: Path, steps: Sequence[Step], check_limit: int, busy_seconds: float
) -> None:
    if _in_wal_mode(connection, busy_seconds) != "wal":
        raise StoreError(f"{path}: the file system does not allow a write-ahead log; use a local disk")
    connection.execute("PRAGMA synchronous=FULL")
    # Debian's SQLite overwrites what is deleted, page by page through the log: for mail that is delivered at once, as
    # much writing again as taking it in. "fast" zeroes only where the page is written anyway, as deleting a file does.
    connection.execute("PRAGMA secure_delete=fast")
    if os.path.getsize(path) <= check_limit:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise StoreDamaged(f"{path}: damaged ({verdict}); restore it from a backup")
    migrate(connection, path, steps, busy_seconds)


def _in_wal_mode(connection: sqlite3.Connection, busy_seconds: float) -> str:
    """The journal mode once WAL was asked for. Of several processes that open a new database at once one changes its
    mode, and SQLite tells the others at once that it is locked, without waiting: they ask again."""
    end = time.monotonic() + busy_seconds
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _LOCKED or time.monotonic() > end:
                raise
        time.sleep(0.01)


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Step], busy_seconds: float) -> None:
    """Brings the schema to `len(steps)`, each step in a transaction with its number; refuses a newer one."""
    version = _version(connection)
    if version > len(steps):
        raise StoreError(
            f"{path}: written by a newer Gatepost (schema {version}, this one knows {len(steps)}); "
            "install that version or restore a backup made by this one"
        )
    if version == len(steps):
        return
    with transaction(connection, path, busy_seconds):
        for number in range(_version(connection), len(steps)):  # read again: another process may have been first
            for statement in _statements(steps[number]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number + 1}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(step: Step) -> Iterator[str]:
    """`executescript` would commit behind our back; so statements end at `;` before a line end, for us."""
    pending = ""
    for line in step.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError(f"a migration ends in the middle of a statement: {pending.strip()[:60]!r}")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, busy_seconds: float = 10.0) -> Iterator[None]:
    """A write transaction: all or nothing, durable when the block has ended. Errors come out as StoreError."""
    with told(path):
        begin(connection, busy_seconds)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def begin(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """BEGIN IMMEDIATE, asking again every 0.2 to 2 ms where the connection's busy_timeout is 0: SQLite's own waiting
    sleeps up to 100 ms a turn, and a 250 waits for this."""
    deadline = time.monotonic() + busy_seconds
    pause = 0.0002
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _LOCKED or time.monotonic() > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 0.002)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns sqlite3's and the system's errors into ours, with the path and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        raise from_os(error, path) from error


def _from_sqlite(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and free_space(path) < _LOW_SPACE):
        return StoreFull(f"{path}: no room left on the disk")
    if primary in _DAMAGED:
        return StoreDamaged(f"{path}: damaged ({error}); restore it from a backup")
    if primary in _LOCKED:
        return StoreError(f"{path}: another process keeps it locked")
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return StoreError(f"{path}: cannot be opened for writing; check the folder's owner and rights")
    return StoreError(f"{path}: {error}")


def from_os(error: OSError, path: Path) -> StoreError:
    """The StoreError, or StoreFull, that tells of `error`."""
    if error.errno in _NO_ROOM:
        return StoreFull(f"{path}: no room left on the disk")
    return StoreError(f"{path}: {error.strerror or error}")


@contextmanager
def private() -> Iterator[None]:
    """Files made in the block are for their owner alone: mail is private. (The mask is the whole process's.)"""
    old_mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(old_mask)


def free_space(path: Path) -> int:
    """Octets that an ordinary process may still write on the disk of `path`; 0 when it cannot be asked."""
    try:
        disk = os.statvfs(path if path.is_dir() else path.parent)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable: a file that was created or renamed is lost with its name otherwise."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Creates `folder` (0700) and what is missing above it, each durable in its parent. Raises StoreError."""
    with told(folder):
        missing = [folder, *folder.parents]
        for path in reversed(missing[: next((n for n, p in enumerate(missing) if p.is_dir()), len(missing))]):
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)


def give_to_owner(path: Path) -> None:
    """A file of root's belongs to who owns its folder: the gate, which is not root and must read and write it."""
    with told(path):
        owner, file = path.parent.stat(), path.stat()
        if os.geteuid() == 0 and file.st_uid == 0 and owner.st_uid != 0:
            os.chown(path, owner.st_uid, owner.st_gid)
