"""The tables of accounts.db, migrated by number.

In: nothing. Out: `STEPS`. What says something of an account but is no part of it (rights, state) is kept by address in
tables of its own: it holds for accounts of another directory (PostgreSQL, LDAP) as well.
Not here: what the columns mean (`model`).
"""

from __future__ import annotations

STEPS = (
    """
    CREATE TABLE account (
        address TEXT PRIMARY KEY,
        password_hash TEXT NOT NULL,
        created_at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE account ADD COLUMN changed_at REAL NOT NULL DEFAULT 0;
    UPDATE account SET changed_at = created_at;
    CREATE TABLE verifier (
        address TEXT PRIMARY KEY,
        salt BLOB NOT NULL,
        iterations INTEGER NOT NULL,
        stored_key BLOB NOT NULL,
        server_key BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE app_password (
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        salt BLOB NOT NULL,
        digest BLOB NOT NULL,
        scopes TEXT NOT NULL,
        created_at REAL NOT NULL,
        last_used REAL,
        PRIMARY KEY (address, name)
    ) WITHOUT ROWID;
    CREATE TABLE certificate (
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        address TEXT NOT NULL,
        added_at REAL NOT NULL,
        PRIMARY KEY (kind, value)
    ) WITHOUT ROWID;
    CREATE INDEX certificate_address ON certificate (address);
    CREATE TABLE delegation (
        address TEXT NOT NULL,
        sender TEXT NOT NULL,
        added_at REAL NOT NULL,
        PRIMARY KEY (address, sender)
    ) WITHOUT ROWID;
    CREATE TABLE standing (
        address TEXT PRIMARY KEY,
        suspended_at REAL,
        suspended_for TEXT NOT NULL DEFAULT '',
        is_bulk INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE account_limit (
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        most INTEGER NOT NULL,
        PRIMARY KEY (address, name)
    ) WITHOUT ROWID;
    CREATE TABLE generation (number INTEGER NOT NULL);
    INSERT INTO generation VALUES (1);
    """,
)

# Everything that goes with an account when it is removed.
BELONGINGS = ("verifier", "app_password", "certificate", "delegation", "standing", "account_limit")
