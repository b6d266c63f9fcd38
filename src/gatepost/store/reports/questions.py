"""What is asked of the reports: sums by day, by source, by reporter, of one domain and a span of days.

In: the store, a domain, the first day. Out: values of `ports.reported` and plain rows. Answers are bounded: the largest
streams, the latest failures. Standard: none. Not here: keeping (`store`), judging (`gatepost.reports`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.ports.reported import PolicyPublished, ReportedDay, Reporter, Stream
from gatepost.store.reports.store import ReportStore

MAX_STREAMS = 50_000  # the largest; some 20 MB. What is left out are single messages from single addresses
MAX_FAILURES = 200
_LIKE = (
    "source_ip, header_from, envelope_from, dkim, spf, disposition, reason, dkim_domain, dkim_result, spf_domain,"
    " spf_result"
)
_STREAMS = f"""
    SELECT {_LIKE}, sum(count), count(DISTINCT day), count(DISTINCT reporter), min(day), max(day)
    FROM mail JOIN report ON report.key = mail.report
    WHERE mail.domain = ? AND day >= ? GROUP BY {_LIKE} ORDER BY sum(count) DESC LIMIT {MAX_STREAMS}
"""  # noqa: S608
_DAYS = """
    SELECT day, sum(count * (dkim = 'pass' OR spf = 'pass')), sum(count * (dkim != 'pass' AND spf != 'pass')),
           sum(count * (disposition = 'quarantine')), sum(count * (disposition = 'reject'))
    FROM mail WHERE domain = ? AND day >= ? GROUP BY day ORDER BY day
"""
_REPORTERS = """
    SELECT reporter, count(*), sum((SELECT sum(count) FROM {table} WHERE {table}.report = report.key))
    FROM report WHERE kind = ? AND domain = ? AND (begins + ends) / 2 >= ? GROUP BY reporter ORDER BY 3 DESC LIMIT 500
"""
_TLS_DAYS = """
    SELECT day, sum(count * (result_type = '')), sum(count * (result_type != '')) FROM tls
    WHERE domain = ? AND day >= ? GROUP BY day ORDER BY day
"""
_TLS_FAILURES = """
    SELECT policy_type, result_type, mx, reason, sum(count), count(DISTINCT day), max(day) FROM tls
    WHERE domain = ? AND day >= ? AND result_type != '' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 200
"""
_FAILURES = f"""
    SELECT day, reporter, source_ip, auth_failure, delivery_result, mail_from, header_from, subject
    FROM failure JOIN report ON report.key = failure.report
    WHERE failure.domain = ? AND day >= ? ORDER BY day DESC, report.key DESC LIMIT {MAX_FAILURES}
"""  # noqa: S608
_DOMAINS = """
    SELECT domain, sum(kind = 'aggregate'), sum(kind = 'failure'), sum(kind = 'tls'), min(begins), max(ends),
           (SELECT coalesce(sum(count), 0) FROM mail WHERE mail.domain = report.domain)
    FROM report GROUP BY domain ORDER BY 7 DESC, domain LIMIT 10000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDomain:
    """A domain that reports were about, how many of each kind, from when to when (seconds since the epoch)."""

    domain: str
    aggregate: int
    failure: int
    tls: int
    begin: int
    end: int
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsTrouble:
    """Sessions that failed for one reason. `last` is days since the epoch."""

    policy_type: str
    result_type: str
    mx: str
    reason: str
    count: int
    days: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFailure:
    """One message that failed, as a failure report tells of it. `day` is days since the epoch."""

    day: int
    reporter: str
    source_ip: str
    auth_failure: str
    delivery_result: str
    mail_from: str
    header_from: str
    subject: str


def streams(store: ReportStore, domain: str, since: int) -> list[Stream]:
    """What came in the domain's name from day `since` on, the largest streams first."""
    names = Stream.__dataclass_fields__
    return [Stream(**dict(zip(names, row, strict=True))) for row in store.ask(_STREAMS, (domain, since))]


def days(store: ReportStore, domain: str, since: int) -> list[ReportedDay]:
    """The sums of each day that was reported."""
    rows = store.ask(_DAYS, (domain, since))
    return [ReportedDay(day=d, passed=p, failed=f, quarantined=q, rejected=r) for d, p, f, q, r in rows]


def reporters(store: ReportStore, domain: str, since: int, kind: str = "aggregate") -> list[Reporter]:
    """Who reported, the largest first."""
    statement = _REPORTERS.format(table="tls" if kind == "tls" else "mail")
    rows = store.ask(statement, (kind, domain, since * 86400))
    return [Reporter(name=name, reports=reports, count=count or 0) for name, reports, count in rows]


def policies(store: ReportStore, domain: str, since: int) -> list[tuple[int, PolicyPublished]]:
    """The policy as reporters saw it: each change, with the end of the report that first showed it."""
    found: list[tuple[int, PolicyPublished]] = []
    rows = store.ask(
        "SELECT ends, policy FROM report WHERE kind='aggregate' AND domain=? AND ends >= ? ORDER BY ends",
        (domain, since * 86400),
    )
    for ends, text in rows:
        values: Mapping[str, str] = json.loads(text)
        policy = PolicyPublished(**values)
        if not found or _gist(found[-1][1]) != _gist(policy):
            found.append((ends, policy))
    return found


def _gist(policy: PolicyPublished) -> tuple[str, ...]:
    return policy.p, policy.sp, policy.np, policy.testing


def tls_days(store: ReportStore, domain: str, since: int) -> list[ReportedDay]:
    """Sessions of each day, by whether TLS was reached as the policy wants."""
    rows = store.ask(_TLS_DAYS, (domain, since))
    return [ReportedDay(day=day, passed=passed, failed=failed) for day, passed, failed in rows]


def tls_trouble(store: ReportStore, domain: str, since: int) -> list[TlsTrouble]:
    """Why sessions failed, the most frequent first."""
    names = TlsTrouble.__dataclass_fields__
    return [TlsTrouble(**dict(zip(names, row, strict=True))) for row in store.ask(_TLS_FAILURES, (domain, since))]


def failures(store: ReportStore, domain: str, since: int) -> list[ReportedFailure]:
    """Single messages that failed, the latest first."""
    names = ReportedFailure.__dataclass_fields__
    return [ReportedFailure(**dict(zip(names, row, strict=True))) for row in store.ask(_FAILURES, (domain, since))]


def domains(store: ReportStore) -> list[ReportedDomain]:
    """Every domain that a report was about."""
    names = ReportedDomain.__dataclass_fields__
    return [ReportedDomain(**dict(zip(names, row, strict=True))) for row in store.ask(_DOMAINS)]
