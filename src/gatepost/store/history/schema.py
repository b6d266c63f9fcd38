"""The history's tables, as numbered steps: never change a step that was released, add one.

In: nothing. Out: SQL. `day` is the number of the day of the last message, `today` how many came on it.
Standard: none. Not here: the statements (`history`).
"""

from __future__ import annotations

STEPS = (
    """
    CREATE TABLE author (
        address TEXT PRIMARY KEY,
        messages INTEGER NOT NULL,
        first_seen REAL NOT NULL,
        last_seen REAL NOT NULL,
        day INTEGER NOT NULL,
        today INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX author_last ON author (last_seen);
    CREATE TABLE domain (
        name TEXT PRIMARY KEY,
        messages INTEGER NOT NULL,
        first_seen REAL NOT NULL,
        last_seen REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX domain_last ON domain (last_seen);
    CREATE TABLE pair (
        author TEXT NOT NULL,
        recipient TEXT NOT NULL,
        messages INTEGER NOT NULL,
        replies INTEGER NOT NULL,
        first_seen REAL NOT NULL,
        last_seen REAL NOT NULL,
        PRIMARY KEY (author, recipient)
    ) WITHOUT ROWID;
    CREATE INDEX pair_last ON pair (last_seen);
    CREATE TABLE seen (key BLOB PRIMARY KEY, last_seen REAL NOT NULL) WITHOUT ROWID;
    CREATE INDEX seen_last ON seen (last_seen);
    CREATE TABLE began (what TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
    """,
)

# Each table that ages, with its key.
KEYS = {"author": "address", "domain": "name", "pair": "author, recipient", "seen": "key"}
