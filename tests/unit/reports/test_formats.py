"""Aggregate, failure and TLS reports: what is missing, odd or too large, and what stays of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gatepost.message.message import parse_message
from gatepost.reports import BadReport, parse_aggregate, parse_failure, parse_tls_report
from gatepost.reports.dmarc_aggregate import MAX_OCTETS

BEGIN, END = 1_790_000_000, 1_790_086_399


def xml(row: str = "", **changed: str) -> bytes:
    """A report; a keyword replaces the element of that name, "" removes it."""
    metadata = {
        "org_name": "Reporter",
        "email": "dmarc@reporter.example",
        "report_id": "r1",
        "date_range": f"<begin>{BEGIN}</begin><end>{END}</end>",
        "domain": "example.org",
    }
    metadata.update(changed)
    tags = {name: f"<{name}>{value}</{name}>" if value else "" for name, value in metadata.items()}
    domain = tags.pop("domain")
    return (
        f"<feedback><report_metadata>{''.join(tags.values())}</report_metadata>"
        f"<policy_published>{domain}<p>quarantine</p><np>reject</np><testing>y</testing></policy_published>{row}</feedback>"
    ).encode()


def record(count: str = "3", ip: str = "192.0.2.1", dkim: str = "pass", disposition: str = "none") -> str:
    return (
        f"<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>"
        f"<disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>fail</spf></policy_evaluated></row>"
        "<identifiers><header_from>Example.ORG.</header_from></identifiers><auth_results/></record>"
    )


def test_a_report_of_rfc_9990() -> None:
    report = parse_aggregate(xml(record() + record(ip="::ffff:192.0.2.9", disposition="pass")))
    assert (report.reporter, report.report_id, report.begin, report.end) == ("Reporter", "r1", BEGIN, END)
    assert (report.policy.p, report.policy.np, report.policy.testing) == ("quarantine", "reject", "y")
    assert [row.source_ip for row in report.rows] == ["192.0.2.1", "192.0.2.9"]
    assert [row.disposition for row in report.rows] == ["none", "pass"]
    assert report.rows[0].header_from == "example.org"
    assert report.rows[0].passed
    assert report.defects == ()


@pytest.mark.parametrize(
    ("octets", "defect"),
    [
        (xml(record(), org_name=""), "no-reporter"),
        (xml(record(), report_id=""), "no-report-id"),
        (xml(record(), domain=""), "no-domain"),
        (xml(record(), date_range=f"<begin>{BEGIN}</begin>"), "no-end"),
        (xml(record(), date_range=f"<begin>{BEGIN}000</begin><end>{END}000</end>"), "milliseconds"),
        (xml(record(), date_range=f"<begin>{END}</begin><end>{BEGIN}</end>"), "period"),
        (xml(record(ip="no address")), "bad-address"),
        (xml(record(ip="fe80::1%eth0")), "bad-address"),
        (xml(record(count="-3") + record()), "bad-count"),
        (xml(record(count="1e9") + record()), "bad-count"),
        (xml(record(count="9" * 5000) + record()), "bad-count"),
        (xml(record(dkim="Pass")), "upper-case-word"),
        (xml(record(dkim="neutral")), "odd-result"),
        (xml(record(disposition="delivered")), "odd-disposition"),
        (xml(), "no-rows"),
    ],
)
def test_what_real_reporters_break_is_read_and_noted(octets: bytes, defect: str) -> None:
    report = parse_aggregate(octets)
    assert defect in report.defects
    assert report.policy.domain == "example.org"
    assert sum(row.count for row in report.rows) in (0, 3)
    assert report.begin <= report.end


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<feedback>" + b" " * MAX_OCTETS, "too-large"),
        (xml(org_name="", email=""), "no-reporter"),
        (xml(date_range=""), "no-period"),
        (xml(date_range="<begin>soon</begin><end>later</end>"), "no-period"),
        (xml(domain=""), "no-domain"),
    ],
)
def test_what_nobody_can_use_is_refused_by_name(octets: bytes, code: str) -> None:
    with pytest.raises(BadReport) as caught:
        parse_aggregate(octets)
    assert caught.value.code == code
    assert len(str(caught.value)) < 200


def test_nothing_of_a_stranger_reaches_a_terminal_as_it_came() -> None:
    report = parse_aggregate(xml(record(), org_name="a&#27;[31m\n\u202eb" + "x" * 5000))
    assert report.org_name.startswith("a[31m b")
    assert len(report.org_name) == 300


def tls(**changed: Any) -> bytes:
    values = {
        "organization-name": "Reporter",
        "date-range": {"start-datetime": "2026-09-01T00:00:00Z", "end-datetime": "2026-09-01T23:59:59Z"},
        "contact-info": "tls@reporter.example",
        "report-id": "t1",
        "policies": [
            {
                "policy": {"policy-type": "tlsa", "policy-domain": "Example.org", "mx-host": "mx.example.org"},
                "summary": {"total-successful-session-count": 7, "total-failure-session-count": "3"},
                "failure-details": [
                    {"result-type": "validation-failure", "failed-session-count": 2, "sending-mta-ip": "x"},
                    {"result-type": "tlsa-invalid", "failed-session-count": -1},
                    "nonsense",
                ],
            },
            {"policy": {}},
            7,
        ],
    }
    values.update(changed)
    return json.dumps({key: value for key, value in values.items() if value is not None}).encode()


def test_a_tls_report_with_what_is_odd_in_it() -> None:
    report = parse_tls_report(b"\xef\xbb\xbf" + tls())
    (policy,) = report.policies
    assert (policy.domain, policy.policy_type, policy.successes, policy.failures) == ("example.org", "tlsa", 7, 3)
    assert [(one.result_type, one.count) for one in policy.details] == [("validation-failure", 2)]
    assert set(report.defects) == {"bad-policy", "bad-count", "bad-address"}


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "empty"),
        (b"{", "no-json"),
        (b"[" * 100_000, "no-json"),
        (b'{"policies": ' + b"9" * 5000 + b"}", "no-json"),
        (b"[]", "no-report"),
        (b"{}", "no-report"),
        (tls(policies=[]), "no-domain"),
        (tls(**{"date-range": None}), "no-period"),
        (tls(**{"organization-name": None, "contact-info": None}), "no-reporter"),
    ],
)
def test_what_is_no_tls_report_is_refused_by_name(octets: bytes, code: str) -> None:
    with pytest.raises(BadReport) as caught:
        parse_tls_report(octets)
    assert caught.value.code == code


def test_feedback_on_spam_is_no_failure_report() -> None:
    raw = (
        b"From: a@b.example\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
        b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nSource-IP: 192.0.2.1\r\n\r\n--x--\r\n"
    )
    assert parse_failure(parse_message(raw)) is None
    assert parse_failure(parse_message(raw.replace(b"abuse", b"auth-failure"))) is not None
    assert parse_failure(parse_message(b"Subject: DMARC is fun\r\n\r\nHello.\r\n")) is None
