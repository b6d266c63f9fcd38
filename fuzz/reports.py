"""Fuzzes reports of others: XML, JSON, archives and mails, as they are found, read, and put into rows."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.ports.reported import AggregateReport, TlsReport
from gatepost.server.reports.intake import read_reports
from gatepost.store.reports.rows import mail_rows, tls_rows

XML = b"""<?xml version="1.0"?><feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><report_metadata>
<org_name>a</org_name>
<email>a@b.example</email><report_id>1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range>
</report_metadata><policy_published><domain>example.org</domain><p>none</p></policy_published><record><row>
<source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf><reason><type>forwarded</type></reason></policy_evaluated></row><identifiers><header_from>example.org
</header_from></identifiers><auth_results><dkim><domain>example.org</domain><result>pass</result></dkim></auth_results>
</record></feedback>"""
TLS = json.dumps(
    {
        "organization-name": "a",
        "date-range": {"start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z"},
        "report-id": "1",
        "policies": [
            {
                "policy": {"policy-type": "sts", "policy-domain": "example.org", "mx-host": ["*.example.org"]},
                "summary": {"total-successful-session-count": 5, "total-failure-session-count": 3},
                "failure-details": [{"result-type": "starttls-not-supported", "failed-session-count": 3}],
            }
        ],
    }
).encode()
ARF = (
    b"From: a@b.example\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n"
    b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nSource-IP: 192.0.2.1\r\n"
    b"Reported-Domain: example.org\r\nArrival-Date: Mon, 1 Oct 2018 11:20:27 +0200\r\n\r\n--x\r\n"
    b"Content-Type: message/rfc822\r\n\r\nFrom: c@example.org\r\nSubject: s\r\n\r\n--x--\r\n"
)


def _zip() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.xml", XML)
    return held.getvalue()


CORPUS = [
    XML,
    TLS,
    ARF,
    _zip(),
    gzip.compress(XML, mtime=0),
    b"Content-Type: application/zip\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + _zip(),
    b"<!-- <feedback> --><![CDATA[<]]><a:feedback><record/>&#x41;&amp;&lt;",
]


def target(data: bytes) -> None:
    outcomes = list(read_reports("x", data))
    assert outcomes
    for outcome in outcomes:
        json.dumps(outcome.as_json())
        if isinstance(outcome.report, AggregateReport):
            assert all(len(row) == 14 for row in mail_rows(outcome.report))
        elif isinstance(outcome.report, TlsReport):
            assert all(len(row) == 7 for row in tls_rows(outcome.report))


if __name__ == "__main__":
    main(target, CORPUS)
