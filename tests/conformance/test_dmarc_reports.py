"""Reports of real reporters: each of the 34 is read, or refused for a reason that is named, and what was read is what
the report says, by the standard library's reading of the same file."""

from __future__ import annotations

import email
import io
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gatepost.ports.reported import AggregateReport, FailureReport, TlsReport
from gatepost.server.reports.intake import Outcome, read_reports

FILES = 34
# What an XML parser that mends nothing cannot read; checked by hand instead.
BROKEN = {"invalid_xml.xml", "invalid_utf_8.xml", "ikea.com!example.de!1538690400!1538776800.xml"}


@pytest.fixture(scope="module")
def folder(suites: Path) -> Path:
    return suites / "dmarc-reports" / "parsedmarc"


def read(path: Path) -> Outcome:
    (outcome,) = read_reports(path.name, path.read_bytes().removeprefix(b"\r\n"))
    return outcome


def reports(folder: Path, *places: str) -> dict[str, Path]:
    return {path.name: path for place in places for path in sorted((folder / place).iterdir())}


def inside(path: Path) -> bytes:
    """What a file holds, unpacked by the standard library."""
    octets = path.read_bytes()
    if path.suffix == ".eml":
        parts = [part for part in email.message_from_bytes(octets).walk() if not part.is_multipart()]
        bodies = [part.get_payload(decode=True) for part in parts]
        octets = next(body for body in bodies if isinstance(body, bytes) and body[:2] in (b"PK", b"\x1f\x8b"))
    while octets[:2] == b"\x1f\x8b":
        octets = zlib.decompressobj(31).decompress(octets)  # one reporter has CRLF behind its stream
    if octets[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            octets = archive.read(archive.namelist()[0])
    return octets


def test_all_are_read_but_the_empty_one(folder: Path) -> None:
    found = {path: read(path) for path in [*sorted(folder.glob("*/*")), folder / "empty.xml"]}
    assert len(found) == FILES
    refused = {path.name: outcome.code for path, outcome in found.items() if outcome.report is None}
    assert refused == {"empty.xml": "empty"}


def test_aggregate_reports_say_what_their_xml_says(folder: Path) -> None:
    compared = 0
    for name, path in reports(folder, "aggregate", "aggregate_invalid", "extract_report").items():
        report = read(path).report
        assert isinstance(report, AggregateReport)
        if name in BROKEN:
            continue
        text = re.sub(rb' xmlns="[^"]*"', b"", inside(path))
        compare(report, ElementTree.fromstring(text))
        compared += 1
    assert compared == 21


def compare(report: AggregateReport, root: ElementTree.Element) -> None:
    def text(path: str, below: ElementTree.Element = root) -> str:
        return (below.findtext(path) or "").strip()

    assert report.org_name == text("report_metadata/org_name")
    assert report.report_id == text("report_metadata/report_id")
    assert report.email == text("report_metadata/email")
    assert (report.begin, report.end) == tuple(int(text(f"report_metadata/date_range/{e}")) for e in ("begin", "end"))
    for tag in ("domain", "p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing", "discovery_method"):
        assert getattr(report.policy, tag) == text(f"policy_published/{tag}").lower()
    records = root.findall("record")
    assert len(report.rows) == len(records)
    for row, record in zip(report.rows, records, strict=True):
        assert (row.source_ip, row.count) == (text("row/source_ip", record), int(text("row/count", record)))
        for word in ("disposition", "dkim", "spf"):
            assert getattr(row, word) == text(f"row/policy_evaluated/{word}", record).lower()
        assert row.header_from == text("identifiers/header_from", record).lower()
        assert row.envelope_from == text("identifiers/envelope_from", record).lower()
        for kind, results in (("dkim", row.dkim_results), ("spf", row.spf_results)):
            told = [
                (text("domain", one).lower(), text("result", one).lower(), text("selector", one))
                for one in record.findall(f"auth_results/{kind}")
            ]
            assert [(one.domain, one.result, one.selector) for one in results] == told


@pytest.mark.parametrize(
    ("name", "reporter", "header_from", "defect"),
    [
        ("invalid_xml.xml", "veeam.com", "bad<xml.net", "broken-markup"),
        ("invalid_utf_8.xml", "accurateplastics.com", "bad_byte\ufffd", "bad-octets"),
        ("ikea.com!example.de!1538690400!1538776800.xml", "ikea.com", "example.de", None),
    ],
)
def test_the_broken_ones_are_mended_and_it_is_said(
    folder: Path, name: str, reporter: str, header_from: str, defect: str | None
) -> None:
    report = read(folder / "aggregate" / name).report
    assert isinstance(report, AggregateReport)
    assert (report.reporter, [row.header_from for row in report.rows]) == (reporter, [header_from])
    assert [row.count for row in report.rows] == [1]
    assert defect is None or defect in report.defects


def test_tls_reports_say_what_their_json_says(folder: Path) -> None:
    for path in reports(folder, "smtp_tls").values():
        report = read(path).report
        assert isinstance(report, TlsReport)
        values: dict[str, Any] = json.loads(inside(path))
        assert (report.org_name, report.report_id) == (values["organization-name"], values["report-id"])
        for policy, told in zip(report.policies, values["policies"], strict=True):
            assert policy.domain == told["policy"]["policy-domain"]
            assert policy.policy_type == told["policy"]["policy-type"]
            assert policy.successes == told["summary"]["total-successful-session-count"]
            assert policy.failures == told["summary"]["total-failure-session-count"]
            details = told.get("failure-details", [])
            assert [one.count for one in policy.details] == [one["failed-session-count"] for one in details]
            assert [one.result_type for one in policy.details] == [one["result-type"] for one in details]


def test_failure_reports_name_domain_address_and_message(folder: Path) -> None:
    found = {}
    for name, path in reports(folder, "failure").items():
        octets = re.sub(rb"\AFrom [^\n]*\n", b"", path.read_bytes())
        (outcome,) = read_reports(name, octets)
        assert isinstance(outcome.report, FailureReport)
        report = outcome.report
        found[report.reporter] = (report.domain, report.source_ip, report.header_from, report.defects)
    assert found == {
        "domain.de": ("domain.de", "10.10.10.10", "sharepoint@domain.de", ()),
        "163.com": ("cardinal.com", "167.89.69.24", "info@cardinal.com", ("not-a-report",)),
        "linkedin.com": ("example.com", "10.10.10.10", "sender@example.com", ()),
        "node01.mailgate.example.net": ("example.com", "203.0.113.68", "user@example.com", ("no-feedback-part",)),
    }
