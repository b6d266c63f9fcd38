"""Who sends in a domain's name, and what follows from it for the policy."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.inspector.domains import organizational_guess
from gatepost.ports.reported import ReportedDay, Reporter, Stream
from gatepost.reports.advice import Advice, Standing, Step
from gatepost.reports.advise import advise
from gatepost.reports.sources import Kind, Source, group_sources

OURS = {"dkim": "pass", "spf": "pass", "dkim_domain": "example.org", "dkim_result": "pass"}
DAYS = 20


def stream(count: int, ip: str = "192.0.2.1", **changed: Any) -> Stream:
    values: dict[str, Any] = {
        "source_ip": ip,
        "header_from": "example.org",
        "envelope_from": "",
        "dkim": "fail",
        "spf": "fail",
        "disposition": "none",
        "reason": "",
        "dkim_domain": "",
        "dkim_result": "",
        "spf_domain": "",
        "spf_result": "",
        "count": count,
        "days": 5,
        "reporters": 2,
        "first": 1,
        "last": 20,
    }
    return Stream(**{**values, **changed})


def grouped(*streams: Stream, **options: Any) -> dict[str, Source]:
    found = group_sources(streams, "example.org", organization=organizational_guess, **options)
    return {f"{source.name} {source.kind}": source for source in found}


def ask(
    *streams: Stream, standing: Standing | None = None, days: int = DAYS, reporters: int = 3, **more: Any
) -> Advice:
    known = more.pop("known", ())
    return advise(
        "example.org",
        standing or Standing(),
        group_sources(streams, "example.org", organization=organizational_guess, known=known),
        [ReportedDay(day=n, passed=1, failed=0) for n in range(days)],
        [Reporter(name=str(n), reports=1, count=1) for n in range(reporters)],
        **more,
    )


@pytest.mark.parametrize(
    ("one", "kind", "known"),
    [
        (stream(1, **OURS), Kind.OWN, True),
        (stream(1, "192.0.2.99"), Kind.OWN, True),  # a neighbour of the server that SPF names
        (stream(1, "198.51.100.1"), Kind.UNKNOWN, False),
        (stream(1, "198.51.100.1", dkim_domain="evil.example", dkim_result="pass"), Kind.SERVICE, False),
        (stream(1, "198.51.100.1", spf_domain="mailer.example", spf_result="pass"), Kind.SERVICE, False),
        (stream(1, "198.51.100.1", **{**OURS, "spf": "fail"}), Kind.FORWARDER, False),
        (stream(1, "198.51.100.1", dkim_domain="example.org", dkim_result="fail"), Kind.FORWARDER, False),
        (stream(1, "198.51.100.1", dkim_domain="example.org", dkim_result="temperror"), Kind.UNKNOWN, False),
        (stream(1, "198.51.100.1", reason="mailing_list"), Kind.FORWARDER, False),
        (stream(1, "198.51.100.1", spf_domain="a.example.org", spf_result="pass"), Kind.OWN, True),  # strict alignment
    ],
)
def test_what_a_stream_is(one: Stream, kind: Kind, known: bool) -> None:
    found = grouped(stream(50, **OURS), one)
    source = next(s for s in found.values() if s.kind is kind and (one.source_ip in s.addresses))
    assert source.known is known
    assert source.why


def test_a_service_that_signs_part_of_its_mail_is_known() -> None:
    signed = stream(
        40,
        "198.51.100.1",
        dkim="pass",
        dkim_domain="example.org",
        dkim_result="pass",
        spf_domain="bounce.mailer.example",
        spf_result="pass",
    )
    unsigned = stream(9, "198.51.100.2", spf_domain="bounce.mailer.example", spf_result="pass")
    source = grouped(signed, unsigned)["mailer.example service"]
    assert (source.known, source.passed, source.failed, source.by_dkim) == (True, 40, 9, 40)


def test_the_owner_may_name_senders_by_domain_or_network() -> None:
    service = stream(9, "198.51.100.2", spf_domain="mailer.example", spf_result="pass")
    legacy = stream(9, "203.0.113.7")
    assert not any(one.known for one in grouped(service, legacy).values())
    found = grouped(service, legacy, known=("mailer.example", "203.0.113.0/28"))
    assert all(one.known for one in found.values())
    assert "203.0.113.0/24 own" in found


def test_reverse_names_group_what_belongs_together() -> None:
    names = {"198.51.100.1": "a.out.mailer.example", "203.0.113.5": "b.out.mailer.example"}
    found = grouped(stream(3, "198.51.100.1"), stream(4, "203.0.113.5"), names=names)
    assert found["mailer.example unknown"].failed == 7


def test_mail_that_all_passes_may_go_on_step_by_step() -> None:
    mail = stream(1000, **OURS)
    first = ask(mail)
    assert (first.step, first.target["p"], first.target["t"]) == (Step.MOVE, "quarantine", "y")
    tested = ask(mail, standing=Standing(p="quarantine", t=True))
    assert (tested.step, tested.target["p"], tested.target["t"]) == (Step.MOVE, "quarantine", "n")
    second = ask(mail, standing=Standing(p="quarantine"))
    assert (second.step, second.target["p"]) == (Step.MOVE, "reject")
    assert ask(mail, standing=Standing(p="reject")).step is Step.DONE


def test_forgers_do_not_hold_a_domain_back() -> None:
    found = ask(stream(1000, **OURS), stream(50_000, "203.0.113.9"))
    assert found.step is Step.MOVE
    assert found.forged == 50_000


def test_own_mail_that_fails_comes_first() -> None:
    found = ask(stream(900, **OURS), stream(60, "192.0.2.77"), stream(40, "192.0.2.78"))
    assert found.step is Step.FIX
    assert found.broken_share == pytest.approx(0.1)
    assert found.target.get("p") is None
    assert "what 192.0.2.77, 192.0.2.78 sends" in found.fixes[0]


def test_a_regular_sender_nobody_named_is_asked_about() -> None:
    service = stream(50, "198.51.100.2", spf_domain="mailer.example", spf_result="pass")
    found = ask(stream(1000, **OURS), service)
    assert found.step is Step.ASK
    assert [source.name for source in found.questions] == ["mailer.example"]
    named = ask(stream(1000, **OURS), service, known=("mailer.example",))
    assert named.step is Step.FIX
    assert "mailer.example" in named.fixes[0]
    seldom = stream(50, "198.51.100.2", spf_domain="mailer.example", spf_result="pass", days=1)
    assert ask(stream(1000, **OURS), seldom).step is Step.MOVE


def test_lists_hold_back_reject_but_not_quarantine() -> None:
    changed = stream(50, "198.51.100.9", reason="mailing_list")
    assert ask(stream(1000, **OURS), changed).step is Step.MOVE
    found = ask(stream(1000, **OURS), changed, standing=Standing(p="quarantine"))
    assert found.step is Step.FIX
    assert "lists" in found.because[0]


@pytest.mark.parametrize(("days", "reporters", "count"), [(3, 3, 1000), (20, 1, 1000), (20, 3, 10), (0, 0, 0)], ids=str)
def test_too_little_is_told(days: int, reporters: int, count: int) -> None:
    found = ask(stream(count, **OURS), days=days, reporters=reporters)
    assert found.step is Step.WAIT
    assert found.because
    assert not found.target


def test_without_a_record_the_first_one_is_published() -> None:
    found = ask(standing=Standing(published=False), days=0, reporters=0)
    assert (found.step, found.target) == (Step.MOVE, {"p": "none"})
    assert not any("np=reject is safe" in line for line in found.sub), "without reports nobody knows"


def test_subdomains_and_names_that_do_not_exist() -> None:
    mail = stream(1000, **OURS)
    weak = ask(mail, standing=Standing(p="reject", sp="none"))
    assert weak.target == {"sp": "reject", "np": "reject"}
    assert "weaker" in weak.sub[0]
    sub = stream(20, **{**OURS, "header_from": "ghost.example.org"})
    used = ask(mail, sub, standing=Standing(p="reject", sp="none"), missing_names=["ghost.example.org"])
    assert used.target == {}
    assert any("ghost.example.org" in line for line in used.sub)
    unsure = ask(mail, sub, standing=Standing(p="reject", sp="none"), missing_names=None)
    assert "np" not in unsure.target


def test_a_subdomain_that_only_forgers_use_is_not_proven() -> None:
    forged = stream(1, "192.0.2.9", header_from="forged.example.org")  # among mail of ours
    found = ask(stream(1000, **OURS), forged, standing=Standing(p="reject", sp="quarantine"))
    assert found.target["sp"] == "reject"
