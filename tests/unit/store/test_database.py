"""Migrations: by number, whole or not at all, and never backwards."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from gatepost.errors import StoreDamaged, StoreError
from gatepost.store.database import open_database, transaction

FIRST = "CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (1);\n"
SECOND = (
    "ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'new';\n"
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;\n"
)


def test_a_database_is_brought_up_step_by_step_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    open_database(path, [FIRST]).close()
    connection = open_database(path, [FIRST, SECOND])
    assert connection.execute("SELECT * FROM a").fetchall() == [(1, "new")]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()
    open_database(path, [FIRST, SECOND]).close()  # and stays
    with pytest.raises(StoreError, match=r"newer Gatepost \(schema 2, this one knows 1\)"):
        open_database(path, [FIRST])


def test_a_step_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    open_database(path, [FIRST]).close()
    with pytest.raises(StoreError):
        open_database(path, [FIRST, "CREATE TABLE b (x);\nINSERT INTO nowhere VALUES (1);\n"])
    connection = open_database(path, [FIRST])
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]
    connection.close()
    with pytest.raises(ValueError, match="middle of a statement"):
        open_database(path, [FIRST, "CREATE TABLE c (x)\n"])


def test_a_transaction_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    connection = open_database(path, [FIRST])
    with pytest.raises(TypeError), transaction(connection, path):
        connection.execute(f"INSERT INTO a VALUES ({connection.execute('INSERT INTO a VALUES (2)').rowcount + None})")
    with pytest.raises(StoreError, match="no such table"), transaction(connection, path):
        connection.execute("INSERT INTO nowhere VALUES (2)")
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert not connection.in_transaction


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is a text file, and long enough to be looked at" * 20)
    with pytest.raises(StoreDamaged, match="restore it from a backup"):
        open_database(tmp_path / "x.db", [FIRST])
    with pytest.raises(StoreError, match="no such database"):
        open_database(tmp_path / "y.db", [FIRST], create=False)
    assert not (tmp_path / "y.db").exists()


def test_settings_of_durability_are_on(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "x.db", [FIRST])
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()


def test_who_comes_while_another_makes_the_database_waits(tmp_path: Path) -> None:
    """SQLite's own waiting does not hold for the change to a write-ahead log: it is told "locked" at once."""
    path = tmp_path / "new.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE other (x)")
    other.execute("BEGIN IMMEDIATE")
    ends = threading.Timer(0.3, other.execute, ("COMMIT",))
    ends.start()
    try:
        open_database(path, ("CREATE TABLE one (x);",)).close()
    finally:
        ends.join()
        other.close()
