"""TLS reports: what is counted, to whom it goes, once, at what time; read back by our own reader."""

from __future__ import annotations

import asyncio
import email
import email.policy
import gzip
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import DictResolver
from gatepost.errors import ConfigError
from gatepost.message.header import parse_header
from gatepost.ports.pages import Page
from gatepost.reports import parse_tls_report
from gatepost.server.delivery.demands import PolicySeen, SessionSeen
from gatepost.server.logs import Log
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.tlsrpt.rua import mail_address, parse_rua
from gatepost.server.tlsrpt.sending import Means, send_round
from gatepost.server.tlsrpt.settings import TlsRptSettings
from gatepost.server.tlsrpt.tally import Tally
from gatepost.server.transport import check_transport
from gatepost.store.spool.spooled import NewMessage
from gatepost.store.tlsrpt import Count, TlsReports

DAY = 86_400
START = 20_000 * DAY
STS = PolicySeen(kind="sts", text=("version: STSv1", "mode: enforce"), mx=("*.example.net",))
WANTS = {"_smtp._tls.example.net": {"TXT": b"v=TLSRPTv1; rua=mailto:tls@reports.example,https://r.example/v1"}}


class World:
    """A store, a clock, a spool and a web server."""

    def __init__(self, folder: Path) -> None:
        self.now = float(START + 1000)
        self.store = TlsReports.open(folder)
        self.spooled: list[NewMessage] = []
        self.posted: list[tuple[str, bytes]] = []
        self.answer = Page(url="", status=201)
        log = Log("info", fd=os.open(folder / "log", os.O_CREAT | os.O_WRONLY))
        self.tally = Tally(self.store, log, lambda: self.now)
        self.means = Means(
            settings=TlsRptSettings(send=True, sender="tls@gate.example", contact="noc@gate.example"),
            store=self.store,
            resolver=DictResolver(WANTS, tempfail=["_smtp._tls.slow.example"]),
            post=self.post,
            sign=lambda raw, domain, now: b"DKIM-Signature: d=" + domain.encode() + b"\r\n" + raw,
            add=self.spooled.extend,
            next_id=lambda now: f"id{len(self.spooled)}",
            own=frozenset({"gate.example"}),
            log=log,
            rng=random.Random(7),
            address="192.0.2.25",
        )

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, deadline: float) -> Page:
        assert headers == {"Content-Type": "application/tlsrpt+gzip"}
        self.posted.append((url, body))
        return self.answer

    def count(self, *failures: str, domain: str = "example.net", policy: PolicySeen = STS) -> None:
        for failure in failures:
            self.tally.count(
                SessionSeen(domain=domain, host="mx.example.net", address="192.0.2.1", policy=policy, failure=failure)
            )

    def flush(self) -> None:
        async def main() -> None:
            task = asyncio.create_task(self.tally.run())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(main())

    def round_at(self, now: float) -> None:
        self.now = now
        asyncio.run(send_round(self.means, now))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_day_is_told_once_by_mail_and_by_post(world: World) -> None:
    world.count("", "", "certificate-expired: on Monday", "certificate-expired: on Monday")
    world.count("starttls-not-supported: it offers no STARTTLS", policy=PolicySeen())
    world.flush()
    world.round_at(START + DAY - 1)
    assert not world.spooled  # the day is not over
    world.round_at(START + DAY + 1)  # when it goes is drawn now
    for later in (1, 2, 3):
        world.round_at(START + DAY + later * 14_400)
    assert (len(world.spooled), len(world.posted)) == (1, 1)
    report = parse_tls_report(gzip.decompress(world.posted[0][1]))
    assert (report.org_name, report.contact, report.begin, report.end, report.defects) == (
        "gate.example", "noc@gate.example", START, START + DAY - 1, (),
    )  # fmt: skip
    by_kind = {one.policy_type: one for one in report.policies}
    sts = by_kind["sts"]
    assert (sts.domain, sts.successes, sts.failures, sts.mx_hosts) == ("example.net", 2, 2, ("*.example.net",))
    assert sts.policy_string == STS.text
    (detail,) = sts.details
    assert (detail.result_type, detail.count, detail.receiving_mx, detail.receiving_ip, detail.sending_ip) == (
        "certificate-expired", 2, "mx.example.net", "192.0.2.1", "192.0.2.25",
    )  # fmt: skip
    assert by_kind["no-policy-found"].failures == 1


def test_the_mail_is_as_the_standard_has_it(world: World) -> None:
    world.count("")
    world.flush()
    world.round_at(START + DAY + 1)
    world.round_at(START + DAY + 14_401)
    (new,) = world.spooled
    assert new.envelope.mail_from == "tls@gate.example"
    assert [one.address for one in new.envelope.recipients] == ["tls@reports.example"]
    assert new.body.startswith(b"DKIM-Signature: d=gate.example\r\n")
    mail = email.message_from_bytes(new.body, policy=email.policy.default)
    assert mail["TLS-Required"] == "No"
    assert (mail["TLS-Report-Domain"], mail["TLS-Report-Submitter"]) == ("example.net", "gate.example")
    assert mail["Subject"].startswith("Report Domain: example.net Submitter: gate.example Report-ID: <")
    assert (mail.get_content_type(), mail["Content-Type"].params["report-type"]) == ("multipart/report", "tlsrpt")
    text, attached = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert attached.get_content_type() == "application/tlsrpt+gzip"
    assert attached.get_filename() == f"gate.example!example.net!{START}!{START + DAY - 1}.json.gz"
    assert parse_tls_report(gzip.decompress(attached.get_payload(decode=True))).policies[0].successes == 1
    assert parse_header(new.body).end


def test_a_post_that_fails_is_tried_again_for_a_day_and_the_mail_is_not_sent_again(world: World) -> None:
    world.answer = Page(url="", status=500, reason="the server answers 500")
    world.count("")
    world.flush()
    world.round_at(START + DAY + 1)
    for quarter in range(1, 300):
        world.round_at(START + DAY + quarter * 900.0)
    assert len(world.spooled) == 1
    assert 3 <= len(world.posted) <= 8


def test_nobody_asked_nobody_is_told_and_an_answer_that_is_missing_is_asked_for_again(world: World) -> None:
    world.count("", domain="quiet.example")
    world.count("", domain="slow.example")
    world.count("", domain="gate.example")
    world.flush()
    world.round_at(START + DAY + 1)
    world.round_at(START + DAY + 14_401)
    assert not world.spooled
    due = {one.domain for one in world.store.due(START + 2 * DAY, 10)}
    assert due == {"slow.example"}
    world.round_at(START + 5 * DAY)
    assert world.store.due(START + 9 * DAY, 10) == []


def test_reports_do_not_report_on_themselves_for_ever(world: World) -> None:
    world.count("")
    world.flush()
    world.round_at(START + DAY + 1)
    world.round_at(START + DAY + 14_401)
    assert len(world.spooled) == 1
    world.means.resolver.add("_smtp._tls.reports.example", {"TXT": b"v=TLSRPTv1; rua=mailto:a@gate.example"})  # type: ignore[attr-defined]
    world.count("", domain="reports.example")  # the session that carried the report
    world.flush()
    world.round_at(START + 2 * DAY + 1)
    world.round_at(START + 2 * DAY + 14_401)
    assert len(world.spooled) == 1


def test_the_store_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.store.tlsrpt.MAX_DOMAINS", 3)
    monkeypatch.setattr("gatepost.store.tlsrpt.MAX_ROWS", 5)
    world.store.add({Count(1, f"d{n}.example", "{}"): 1 for n in range(10)})
    assert len(world.store.unscheduled(2)) == 3
    for n in range(50):
        policy = PolicySeen(kind="sts", text=(str(n),))
        world.store.add({Count(1, "d0.example", str(policy), "certificate-expired", f"h{n}", "a", "r"): 1})
    rows = world.store.read(1, "d0.example")
    assert len(rows) <= 12
    assert sum(number for _, number in rows) == 51


def texts(*records: bytes) -> Sequence[bytes]:
    return records


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (texts(b"v=TLSRPTv1; rua=mailto:a@example.org"), ("mailto:a@example.org",)),
        (texts(b"v=TLSRPTv1;rua=https://a/b,mailto:a@b.example;"), ("https://a/b", "mailto:a@b.example")),
        (texts(b"v=TLSRPTv1; rua=mailto:a@b.example?subject=x"), ("mailto:a@b.example?subject=x",)),
        (texts(b"v=spf1 -all", b"v=TLSRPTv1; rua=mailto:a@b.example"), ("mailto:a@b.example",)),
        (texts(b"v=TLSRPTv1; rua=mailto:a@b.example", b"v=TLSRPTv1; rua=mailto:c@b.example"), ()),
        (texts(b"v=TLSRPTv1; rua=http://a/b"), ()),
        (texts(b"v=TLSRPTv1; rua=mailto:a%0d%0aBcc:c@b.example"), ()),
        (texts(b"v=TLSRPTv1"), ()),
        (texts(b"v=TLSRPTv2; rua=mailto:a@b.example"), ()),
        (texts(), ()),
        (texts(b"v=TLSRPTv1; rua=\xff"), ()),
        (texts(b"v=TLSRPTv1; rua=" + b",".join(b"mailto:a%d@b.example" % n for n in range(50))),
         tuple(f"mailto:a{n}@b.example" for n in range(4))),
    ],
)  # fmt: skip
def test_where_reports_go(records: Sequence[bytes], expected: tuple[str, ...]) -> None:
    assert parse_rua(records) == expected


@given(st.lists(st.binary(max_size=200), max_size=3))
def test_any_records_give_addresses_that_fit_a_field(records: list[bytes]) -> None:
    for one in parse_rua([b"v=TLSRPTv1;rua=" + record for record in records]) + parse_rua(records):
        assert one.isascii()
        assert one.isprintable()
        assert one.lower().startswith("https://") or "@" in mail_address(one)


def test_what_a_mailto_means() -> None:
    assert mail_address("mailto:a@b.example?subject=x") == "a@b.example"
    assert mail_address("MAILTO:a%2Bb@b.example") == "a+b@b.example"
    assert mail_address("mailto:a@b@c") == ""


@pytest.mark.parametrize("sender", ["", "tls", "tls@other.example", "a b@gate.example", "a\r\nb@gate.example"])
def test_a_sender_that_nobody_could_trust_is_refused(sender: str) -> None:
    settings = GateSettings(
        hostname="gate.example",
        domains={"gate.example": DomainSettings()},
        tlsrpt=TlsRptSettings(send=True, sender=sender),
    )
    with pytest.raises(ConfigError) as caught:
        check_transport(settings)
    assert "tlsrpt.sender" in str(caught.value)
