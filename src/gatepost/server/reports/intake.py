"""Reads what a file or message holds and keeps each report once.

In: a name, octets, the store. Out: an `Outcome` for each thing found. A hostile or broken one is an outcome like any
other and stops nothing. Standard: RFC 9990, RFC 9991, RFC 8460.
Not here: finding them (`documents`), what they mean (`gatepost.reports`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gatepost.message.message import parse_message
from gatepost.ports.reported import AggregateReport, FailureReport, Report
from gatepost.reports import BadReport, parse_aggregate, parse_failure, parse_tls_report
from gatepost.server.reports.documents import Document, Refused, find_documents

Keep = Callable[[Report], str]
"""Keeps a report and says what became of it: "new", "known" (kept before), "replaced" (a copy cut short was)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one thing. `status` is what `Keep` says, or "refused", with `code` and `reason`. `kind` is
    "aggregate", "tls", "failure" or "" for what could not be read."""

    name: str
    status: str
    kind: str = ""
    report: Report | None = None
    code: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object that `gatepost dmarc import --json` prints."""
        values: dict[str, Any] = {"name": self.name, "status": self.status, "kind": self.kind}
        if self.report is None:
            return {**values, "code": self.code, "reason": self.reason}
        return {**values, **about(self.report), "defects": list(self.report.defects)}


def about(report: Report) -> dict[str, Any]:
    """Who reports on which domain and when, and how much."""
    common = {"reporter": report.reporter, "report_id": report.report_id}
    if isinstance(report, AggregateReport):
        count = sum(row.count for row in report.rows)
        return {**common, "domain": report.policy.domain, "begin": report.begin, "end": report.end, "messages": count}
    if isinstance(report, FailureReport):
        return {**common, "domain": report.domain, "begin": report.at, "end": report.at, "messages": 1}
    sessions = sum(policy.successes + policy.failures for policy in report.policies)
    domain = report.policies[0].domain if report.policies else ""
    return {**common, "domain": domain, "begin": report.begin, "end": report.end, "sessions": sessions}


def read_reports(name: str, octets: bytes) -> Iterator[Outcome]:
    """Every report in `octets`, read but not kept: its status is "read". Total."""
    for found in find_documents(name, octets):
        yield _refusal(found) if isinstance(found, Refused) else _read(found)


def take_reports(name: str, octets: bytes, keep: Keep) -> Iterator[Outcome]:
    """The same, and each is kept. Raises only what `keep` raises (StoreError)."""
    for outcome in read_reports(name, octets):
        if outcome.report is None:
            yield outcome
        else:
            status = keep(outcome.report)
            yield Outcome(name=outcome.name, status=status, kind=outcome.kind, report=outcome.report)


def _read(document: Document) -> Outcome:
    try:
        report = _parsed(document)
    except BadReport as error:
        return Outcome(name=document.name, status="refused", code=error.code, reason=str(error))
    if report is None:
        reason = "it is no report of DMARC or TLS, and none is attached to it"
        return Outcome(name=document.name, status="refused", code="no-report", reason=reason)
    kind = "failure" if isinstance(report, FailureReport) else document.kind
    return Outcome(name=document.name, status="read", kind=kind, report=report)


def _parsed(document: Document) -> Report | None:
    if document.kind == "aggregate":
        return parse_aggregate(document.octets)
    if document.kind == "tls":
        return parse_tls_report(document.octets)
    report = parse_failure(parse_message(document.octets))
    if report is not None and not report.domain:
        raise BadReport("no-domain", "this failure report does not say which domain it is about")
    return report


def _refusal(found: Refused) -> Outcome:
    return Outcome(name=found.name, status="refused", code=found.code, reason=found.reason)
