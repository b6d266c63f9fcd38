"""The store of reports: each counts once, sums are right, the oldest go first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.errors import StoreError
from gatepost.ports.reported import (
    AggregateReport,
    AuthResult,
    FailureReport,
    PolicyPublished,
    Reason,
    ReportRow,
    TlsFailure,
    TlsPolicyReport,
    TlsReport,
)
from gatepost.store.reports import ReportStore, prune_reports, questions
from gatepost.store.settings import ReportSettings

DAY = 86400
FIRST = 20_700  # a day
NOW = (FIRST + 10) * DAY


def row(count: int = 1, **changed: object) -> ReportRow:
    values = {
        "source_ip": "192.0.2.1",
        "disposition": "none",
        "dkim": "pass",
        "spf": "fail",
        "header_from": "example.org",
    }
    return ReportRow(**{**values, "count": count, **changed})  # type: ignore[arg-type]


def aggregate(
    report_id: str = "1", day: int = FIRST, rows: tuple[ReportRow, ...] = (), **changed: object
) -> AggregateReport:
    report = AggregateReport(
        org_name="Reporter",
        email="a@reporter.example",
        report_id=report_id,
        begin=day * DAY,
        end=(day + 1) * DAY - 1,
        policy=PolicyPublished(domain="example.org", p="none"),
        rows=rows or (row(),),
    )
    return replace(report, **changed)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    return ReportStore.open(tmp_path)


def test_a_report_counts_once_whoever_sends_it_again(store: ReportStore, tmp_path: Path) -> None:
    assert store.keep(aggregate(), NOW) == "new"
    assert store.keep(aggregate(), NOW + 5) == "known"
    assert store.keep(aggregate(org_name="Another"), NOW) == "new"
    assert store.keep(aggregate("2"), NOW) == "new"
    again = ReportStore.open(tmp_path)
    assert again.keep(aggregate(), NOW) == "known"
    assert [(one.name, one.count) for one in questions.reporters(again, "example.org", FIRST)] == [
        ("Reporter", 2),
        ("Another", 1),
    ]


def test_a_copy_cut_short_gives_way_to_the_whole_and_never_the_other_way(store: ReportStore) -> None:
    cut = aggregate(rows=(row(1),), defects=("cut",))
    whole = aggregate(rows=(row(1), row(7, source_ip="192.0.2.7")))
    assert store.keep(cut, NOW) == "new"
    assert store.keep(cut, NOW) == "known"
    assert store.keep(whole, NOW) == "replaced"
    assert store.keep(cut, NOW) == "known"
    (day,) = questions.days(store, "example.org", FIRST)
    assert (day.passed, day.failed) == (8, 0)


def test_sums_by_day_and_by_stream(store: ReportStore) -> None:
    rows = (
        row(5),
        row(2),
        row(3, dkim="fail", disposition="reject", reasons=(Reason(type="mailing_list"),)),
        row(4, dkim="fail", disposition="quarantine", spf_results=(AuthResult(domain="list.example", result="pass"),)),
    )
    store.keep(aggregate("1", rows=rows), NOW)
    store.keep(aggregate("2", FIRST + 1, rows), NOW)
    days = questions.days(store, "example.org", FIRST)
    assert [(one.day, one.passed, one.failed, one.quarantined, one.rejected) for one in days] == [
        (FIRST, 7, 7, 4, 3),
        (FIRST + 1, 7, 7, 4, 3),
    ]
    streams = questions.streams(store, "example.org", FIRST)
    assert [(one.count, one.days, one.reason, one.spf_domain) for one in streams] == [
        (14, 2, "", ""),
        (8, 2, "", "list.example"),
        (6, 2, "mailing_list", ""),
    ]
    assert questions.days(store, "example.org", FIRST + 1) == days[1:]
    assert questions.days(store, "example.net", 0) == []


def test_of_many_results_the_most_telling_is_kept(store: ReportStore) -> None:
    results = (
        AuthResult(domain="other.example", result="fail"),
        AuthResult(domain="example.org", result="fail"),
        AuthResult(domain="service.example", result="pass"),
        AuthResult(domain="mail.example.org", result="pass"),
    )
    store.keep(aggregate("1", rows=(row(dkim_results=results),)), NOW)
    store.keep(aggregate("2", rows=(row(dkim_results=results[:2]),)), NOW)
    found = {(one.dkim_domain, one.dkim_result) for one in questions.streams(store, "example.org", 0)}
    assert found == {("mail.example.org", "pass"), ("example.org", "fail")}


def test_the_policy_is_told_when_it_changes(store: ReportStore) -> None:
    for number, p in enumerate(("none", "none", "quarantine", "quarantine", "reject")):
        policy = PolicyPublished(domain="example.org", p=p)
        store.keep(aggregate(str(number), FIRST + number, policy=policy), NOW)
    assert [policy.p for _, policy in questions.policies(store, "example.org", 0)] == ["none", "quarantine", "reject"]


def test_tls_and_failure_reports(store: ReportStore) -> None:
    failure = TlsFailure(result_type="starttls-not-supported", count=3, receiving_mx="mx.example.org")
    policy = TlsPolicyReport(policy_type="sts", domain="example.org", successes=9, failures=5, details=(failure,))
    tls = TlsReport(
        org_name="R", contact="", report_id="1", begin=FIRST * DAY, end=FIRST * DAY + 10, policies=(policy,)
    )
    assert [store.keep(tls, NOW), store.keep(tls, NOW)] == ["new", "known"]
    (day,) = questions.tls_days(store, "example.org", FIRST)
    assert (day.passed, day.failed) == (9, 5)
    trouble = [(one.result_type, one.count) for one in questions.tls_trouble(store, "example.org", FIRST)]
    assert trouble == [("starttls-not-supported", 3), ("not-told", 2)]
    single = FailureReport(
        reporter="r.example", report_id="<1@r>", domain="example.org", at=NOW, source_ip="192.0.2.3", subject="s"
    )
    assert [store.keep(single, NOW), store.keep(single, NOW)] == ["new", "known"]
    assert [one.source_ip for one in questions.failures(store, "example.org", FIRST)] == ["192.0.2.3"]
    (domain,) = questions.domains(store)
    assert (domain.domain, domain.aggregate, domain.failure, domain.tls) == ("example.org", 0, 1, 1)


def test_what_is_old_goes_and_an_archive_taken_in_late_stays(tmp_path: Path) -> None:
    store = ReportStore.open(tmp_path, ReportSettings(keep_days=30))
    store.keep(aggregate("old", FIRST), FIRST * DAY)
    store.keep(aggregate("late", FIRST), NOW + 40 * DAY)
    assert store.prune(NOW + 40 * DAY) == 1
    assert len(questions.policies(store, "example.org", 0)) == 1


def test_a_running_gate_prunes_what_is_there_and_makes_nothing(tmp_path: Path) -> None:
    settings = ReportSettings(keep_days=30)
    assert prune_reports(tmp_path, settings, NOW) == 0
    assert not list(tmp_path.iterdir())
    store = ReportStore.open(tmp_path, settings)
    store.keep(aggregate(), NOW)
    store.close()
    assert prune_reports(tmp_path, settings, NOW + 20 * DAY) == 0
    assert prune_reports(tmp_path, settings, NOW + 60 * DAY) == 1


def test_above_the_limit_the_oldest_go(tmp_path: Path) -> None:
    store = ReportStore.open(tmp_path, ReportSettings(max_rows=3))
    for number in range(5):
        store.keep(aggregate(str(number), FIRST + number), NOW)
    assert store.prune(NOW) == 2
    assert [one.day for one in questions.days(store, "example.org", 0)] == [FIRST + 2, FIRST + 3, FIRST + 4]


def test_counts_beyond_all_reason_do_not_overflow(store: ReportStore) -> None:
    for number in range(20):
        store.keep(aggregate(str(number), rows=tuple([row(10**12)] * 100)), NOW)
    assert questions.days(store, "example.org", 0)[0].passed == 20 * 10**12


def test_a_store_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "reports.db").write_bytes(b"this is no database, whatever it is called" * 100)
    with pytest.raises(StoreError, match=r"reports\.db"):
        ReportStore.open(tmp_path)
