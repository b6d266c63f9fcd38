"""Writes TLS reports: the JSON, and the mail that carries it.

In: a `TlsReport`; who sends it to whom. Out: octets. Standard: RFC 8460 §4.4 (JSON), §5.1 (file name), §5.3 (mail), §3
(that mail is sent even where TLS fails, hence TLS-Required: No of RFC 8689 §3).
Not here: reading one (`tlsrpt`), what is in it and when it goes (`server.tlsrpt`).
"""

from __future__ import annotations

import base64
import gzip
import json
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gatepost.message.dates import write_date
from gatepost.message.fields import write_field
from gatepost.ports.reported import TlsFailure, TlsPolicyReport, TlsReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriage:
    """Who sends the report to whom: `submitter` is the reporting domain, `domain` the one it is about."""

    submitter: str
    sender: str
    to: str
    domain: str
    message_id: str


def write_tls_report(report: TlsReport) -> bytes:
    """The JSON, in ASCII."""
    written: dict[str, Any] = {
        "organization-name": report.org_name,
        "date-range": {"start-datetime": _moment(report.begin), "end-datetime": _moment(report.end)},
        "contact-info": report.contact,
        "report-id": report.report_id,
        "policies": [_policy(policy) for policy in report.policies],
    }
    return json.dumps(written, indent=1).encode("ascii")


def file_name(report: TlsReport, submitter: str, domain: str) -> str:
    """RFC 8460 §5.1."""
    return f"{submitter}!{domain}!{report.begin}!{report.end}.json.gz"


def compressed(octets: bytes) -> bytes:
    """The same octets for the same report, whenever it is made."""
    return gzip.compress(octets, mtime=0)


def write_tls_mail(report: TlsReport, carriage: Carriage, now: float) -> bytes:
    """The mail, unsigned. Raises InputError for what fits into no field."""
    boundary = f"tlsrpt-{report.begin}-{report.end}"
    name = file_name(report, carriage.submitter, carriage.domain)
    subject = f"Report Domain: {carriage.domain} Submitter: {carriage.submitter} Report-ID: <{report.report_id}>"
    fields = [
        write_field("From", f"<{carriage.sender}>"),
        write_field("To", f"<{carriage.to}>"),
        write_field("Subject", subject),
        write_field("Date", write_date(now)),
        write_field("Message-ID", f"<{carriage.message_id}>"),
        write_field("TLS-Report-Domain", carriage.domain),
        write_field("TLS-Report-Submitter", carriage.submitter),
        write_field("TLS-Required", "No"),
        write_field("Auto-Submitted", "auto-generated"),
        write_field("MIME-Version", "1.0"),
        write_field("Content-Type", f'multipart/report; report-type="tlsrpt"; boundary="{boundary}"'),
    ]
    text = (
        f"TLS report of {carriage.submitter} about mail to {carriage.domain},\r\n"
        f"{_moment(report.begin)} to {_moment(report.end)}: "
        f"{sum(one.successes for one in report.policies)} sessions went well, "
        f"{sum(one.failures for one in report.policies)} did not.\r\n"
    )
    encoded = base64.b64encode(compressed(write_tls_report(report))).decode("ascii")
    parts = [
        f"--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{text}",
        f"--{boundary}\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment;\r\n filename="{name}"\r\n\r\n' + "\r\n".join(textwrap.wrap(encoded, 76)),
        f"--{boundary}--\r\n",
    ]
    return b"".join(fields) + b"\r\n" + "\r\n".join(parts).encode("ascii")


def _policy(policy: TlsPolicyReport) -> dict[str, Any]:
    about: dict[str, Any] = {"policy-type": policy.policy_type, "policy-domain": policy.domain}
    if policy.policy_string:
        about["policy-string"] = list(policy.policy_string)
    if policy.mx_hosts:
        about["mx-host"] = list(policy.mx_hosts)
    summary = {"total-successful-session-count": policy.successes, "total-failure-session-count": policy.failures}
    written: dict[str, Any] = {"policy": about, "summary": summary}
    if policy.details:
        written["failure-details"] = [_failure(one) for one in policy.details]
    return written


def _failure(failure: TlsFailure) -> dict[str, Any]:
    values = {
        "result-type": failure.result_type,
        "sending-mta-ip": failure.sending_ip,
        "receiving-mx-hostname": failure.receiving_mx,
        "receiving-mx-helo": failure.receiving_helo,
        "receiving-ip": failure.receiving_ip,
        "failed-session-count": failure.count,
        "additional-information": failure.information,
        "failure-reason-code": failure.reason_code,
    }
    return {name: value for name, value in values.items() if value != ""}


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
