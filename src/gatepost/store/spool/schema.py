"""The spool's tables, as numbered steps: never change a step that was released, add one.

In: nothing. Out: SQL. A message's row is written once and never changed (its octets would be written again with it);
what changes stands in `recipient`. Standard: none. Not here: how rows are read and written (`rows`, `shard`, `queue`).
"""

from __future__ import annotations

# Partial indexes: `recipient_due` holds only what waits, new mail at its end (next_try 0, then the growing id), so that
# a commit touches few pages; `recipient_kept` is what the quarantine's list reads.
STEPS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('last_id', 0);
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        received_at REAL NOT NULL,
        client_ip TEXT NOT NULL,
        ehlo_domain TEXT NOT NULL,
        protocol TEXT NOT NULL,
        tls TEXT,
        relay_ip TEXT,
        mail_from TEXT NOT NULL,
        flags INTEGER NOT NULL,
        declared INTEGER,
        ret TEXT,
        envid TEXT,
        reason TEXT NOT NULL,
        size INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        body BLOB
    );
    CREATE TABLE recipient (
        message INTEGER NOT NULL,
        position INTEGER NOT NULL,
        address TEXT NOT NULL,
        notify TEXT NOT NULL,
        orcpt TEXT,
        junk INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try REAL NOT NULL DEFAULT 0,
        last_try REAL NOT NULL DEFAULT 0,
        last_reply TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (message, position)
    ) WITHOUT ROWID;
    CREATE INDEX recipient_due ON recipient (next_try) WHERE state = 'queued';
    CREATE INDEX recipient_kept ON recipient (state) WHERE state <> 'queued';
    """,
    """
    ALTER TABLE message ADD COLUMN account TEXT NOT NULL DEFAULT '';
    CREATE INDEX message_account ON message (account) WHERE account <> '';
    """,
    # Where the administrator sends a copy instead, why he returns it, and where it was tried last.
    """
    ALTER TABLE recipient ADD COLUMN route TEXT NOT NULL DEFAULT '';
    ALTER TABLE recipient ADD COLUMN bounce TEXT NOT NULL DEFAULT '';
    ALTER TABLE recipient ADD COLUMN last_relay TEXT NOT NULL DEFAULT '';
    """,
    # The address of ours that led to this one: what delivery needs to know of forwarded mail.
    "ALTER TABLE recipient ADD COLUMN via TEXT NOT NULL DEFAULT '';",
)
