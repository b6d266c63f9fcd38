"""The tables of reports, as numbered steps: never change a step that was released, add one.

In: nothing. Out: SQL. `day` is days since the epoch, of the middle of a report's period.
Standard: none. Not here: the statements (`store`, `questions`).
"""

from __future__ import annotations

STEPS = (
    """
    CREATE TABLE report (
        key INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        reporter TEXT NOT NULL,
        report_id TEXT NOT NULL,
        domain TEXT NOT NULL,
        begins INTEGER NOT NULL,
        ends INTEGER NOT NULL,
        kept_at REAL NOT NULL,
        policy TEXT NOT NULL,
        defects TEXT NOT NULL,
        UNIQUE (kind, reporter, report_id, domain)
    );
    CREATE INDEX report_ends ON report (ends);
    CREATE INDEX report_domain ON report (domain, kind);
    CREATE TABLE mail (
        report INTEGER NOT NULL REFERENCES report (key),
        domain TEXT NOT NULL,
        day INTEGER NOT NULL,
        source_ip TEXT NOT NULL,
        header_from TEXT NOT NULL,
        envelope_from TEXT NOT NULL,
        dkim TEXT NOT NULL,
        spf TEXT NOT NULL,
        disposition TEXT NOT NULL,
        reason TEXT NOT NULL,
        dkim_domain TEXT NOT NULL,
        dkim_result TEXT NOT NULL,
        spf_domain TEXT NOT NULL,
        spf_result TEXT NOT NULL,
        count INTEGER NOT NULL
    );
    CREATE INDEX mail_report ON mail (report);
    CREATE INDEX mail_domain ON mail (domain, day);
    CREATE TABLE tls (
        report INTEGER NOT NULL REFERENCES report (key),
        domain TEXT NOT NULL,
        day INTEGER NOT NULL,
        policy_type TEXT NOT NULL,
        result_type TEXT NOT NULL,
        mx TEXT NOT NULL,
        reason TEXT NOT NULL,
        count INTEGER NOT NULL
    );
    CREATE INDEX tls_report ON tls (report);
    CREATE INDEX tls_domain ON tls (domain, day);
    CREATE TABLE failure (
        report INTEGER NOT NULL REFERENCES report (key),
        domain TEXT NOT NULL,
        day INTEGER NOT NULL,
        source_ip TEXT NOT NULL,
        auth_failure TEXT NOT NULL,
        delivery_result TEXT NOT NULL,
        mail_from TEXT NOT NULL,
        header_from TEXT NOT NULL,
        subject TEXT NOT NULL
    );
    CREATE INDEX failure_report ON failure (report);
    CREATE INDEX failure_domain ON failure (domain, day);
    """,
)
TABLES = ("mail", "tls", "failure")
