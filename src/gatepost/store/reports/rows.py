"""Reports as rows of the tables: rows that are alike become one, and of many results the most telling stays.

In: a report. Out: tuples in the order of the tables' columns behind `report`, `domain` and `day`.
Standard: RFC 9990, RFC 8460. Not here: writing them (`store`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gatepost.ports.reported import AggregateReport, AuthResult, FailureReport, ReportRow, TlsReport

_DAY = 86400
_MOST = 10**12  # of one row: sums over all rows then stay within SQLite's integers

Row = tuple[str | int, ...]


def day_of(begin: int, end: int) -> int:
    """The day in whose middle a period lies: reporters' days begin in their own time zones."""
    return (begin + end) // 2 // _DAY


def mail_rows(report: AggregateReport) -> Iterator[Row]:
    """The rows of `mail`, those that are alike added up."""
    counts: Counter[tuple[str, ...]] = Counter()
    for row in report.rows:
        dkim = telling(row.dkim_results, row.header_from)
        spf = telling(row.spf_results, row.header_from)
        key = (row.source_ip, row.header_from, row.envelope_from, row.dkim, row.spf, row.disposition, _reason(row))
        counts[(*key, dkim.domain, dkim.result, spf.domain, spf.result)] += row.count
    day = day_of(report.begin, report.end)
    for like, count in counts.items():
        yield (report.policy.domain, day, *like, min(count, _MOST))


def _reason(row: ReportRow) -> str:
    return row.reasons[0].type if row.reasons else ""


_NONE = AuthResult(domain="", result="")


def telling(results: tuple[AuthResult, ...], header_from: str) -> AuthResult:
    """The result that says most: a pass of the author's own domain, any pass, one of the author's domain, the first."""

    def rank(result: AuthResult) -> tuple[bool, bool]:
        return result.result != "pass", not related(result.domain, header_from)

    return min(results, key=rank, default=_NONE)


def related(one: str, other: str) -> bool:
    """Whether one domain is the other, or lies below it."""
    return bool(one and other) and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def tls_rows(report: TlsReport) -> Iterator[Row]:
    """The rows of `tls`: successes under the result "" and failures under theirs; what the summary counts beyond the
    details is "not-told"."""
    day = day_of(report.begin, report.end)
    for policy in report.policies:
        counts: Counter[tuple[str, str, str]] = Counter()
        if policy.successes:
            counts["", "", ""] = policy.successes
        for detail in policy.details:
            counts[detail.result_type or "not-told", detail.receiving_mx, detail.reason_code] += detail.count
        told = sum(detail.count for detail in policy.details)
        if policy.failures > told:
            counts["not-told", "", ""] += policy.failures - told
        for (result, mx, reason), count in counts.items():
            yield (policy.domain, day, policy.policy_type, result, mx, reason, min(count, _MOST))


def failure_row(report: FailureReport, now: int) -> Row:
    """The row of `failure`."""
    at = report.at if report.at is not None else now
    return (
        report.domain,
        at // _DAY,
        report.source_ip,
        report.auth_failure,
        report.delivery_result,
        report.mail_from,
        report.header_from,
        report.subject,
    )
