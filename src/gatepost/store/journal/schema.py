"""The journal's tables, as numbered steps: never change a step that was released, add one.

In: nothing. Out: SQL. Entries are small, so that a search may read them all; findings stand apart, with what else a
decision rests on.
Standard: none. Not here: the statements (`journal`).
"""

from __future__ import annotations

STEPS = (
    """
    CREATE TABLE entry (
        key INTEGER PRIMARY KEY,
        number INTEGER,
        at REAL NOT NULL,
        client_ip TEXT NOT NULL,
        ehlo_domain TEXT NOT NULL,
        mail_from TEXT NOT NULL,
        recipients TEXT NOT NULL,
        message_id TEXT NOT NULL,
        subject TEXT NOT NULL,
        size INTEGER NOT NULL,
        action TEXT NOT NULL,
        score REAL NOT NULL,
        decided_by TEXT NOT NULL,
        reply TEXT NOT NULL
    );
    CREATE INDEX entry_number ON entry (number);
    CREATE INDEX entry_at ON entry (at);
    CREATE TABLE detail (entry INTEGER PRIMARY KEY, findings TEXT NOT NULL);
    CREATE TABLE attempt (
        key INTEGER PRIMARY KEY,
        number INTEGER,
        at REAL NOT NULL,
        rcpt_to TEXT NOT NULL,
        status TEXT NOT NULL,
        relay TEXT NOT NULL,
        code TEXT NOT NULL,
        text TEXT NOT NULL,
        delay REAL NOT NULL
    );
    CREATE INDEX attempt_number ON attempt (number);
    CREATE INDEX attempt_at ON attempt (at);
    """,
    """
    ALTER TABLE detail ADD COLUMN basis TEXT NOT NULL DEFAULT '';
    CREATE INDEX attempt_status ON attempt (status, at) WHERE relay = '';
    """,
)
