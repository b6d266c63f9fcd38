"""One message over one connection: which parameters go out, who is answered here and who by the hop."""

from __future__ import annotations

import asyncio
import dataclasses

from world import FULL, RAW, START, FakeHop

from gatepost.names import Envelope, Recipient, Session, Tls
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.relay import relay
from gatepost.server.delivery.result import Result
from gatepost.server.delivery.routes import parse_route
from gatepost.store.spool import Spooled, SpooledRecipient, State

UTF8_HEADER = "From: a@example.org\r\nSubject: grüße\r\n\r\nHello.\r\n".encode()
VERIFIED = Tls(version="TLSv1.3", cipher="TLS_AES_128_GCM_SHA256", bits=128, verified=True)


def send(hop: FakeHop, route: str, *to: str, raw: bytes = RAW, **facts: object) -> list[Result]:
    """The results of relaying one message to `to` over `hop`."""
    recipients = tuple(Recipient(address=address) for address in to or ("user@example.net",))
    envelope = dataclasses.replace(Envelope(mail_from="a@example.org", recipients=recipients), **facts)  # type: ignore[arg-type]
    copies = tuple(
        SpooledRecipient(
            position=n, recipient=r, state=State.QUEUED, junk=False, attempts=0, next_try=0, last_try=0, last_reply=""
        )
        for n, r in enumerate(recipients)
    )
    session = Session()
    spooled = Spooled(
        id="0123456789ab", envelope=envelope, session=session, received_at=START, size=len(raw), proven=True,
        reason="", recipients=copies,
    )  # fmt: skip
    found = parse_route(route)
    return asyncio.run(relay(hop, found, Job(spooled, copies, found), raw, raw.index(b"\r\n\r\n") + 4))


def test_smtputf8_is_asked_for_only_where_it_is_needed() -> None:
    for raw, needed in ((RAW, False), (UTF8_HEADER, True)):
        hop = FakeHop()
        send(hop, "smtp:192.0.2.1", raw=raw, smtputf8=True)
        assert hop.sent[0][0].smtputf8 is needed


def test_a_recipient_the_hop_cannot_have_is_answered_here_and_the_others_go_on() -> None:
    hop = FakeHop(keywords={"8BITMIME": ""})
    results = send(hop, "smtp:192.0.2.1", "é@example.net", "user@example.net", smtputf8=True)
    assert [(r.recipient, r.code) for r in results] == [("é@example.net", "5.6.7"), ("user@example.net", "2.0.0")]
    assert [r.address for r in hop.sent[0][0].recipients] == ["user@example.net"]


def test_nothing_is_sent_when_the_hop_can_have_nobody() -> None:
    hop = FakeHop(keywords={})
    results = send(hop, "smtp:192.0.2.1", "é@example.net", "ü@example.net", smtputf8=True)
    assert [r.code for r in results] == ["5.6.7", "5.6.7"]
    assert hop.sent == []


def test_requiretls_goes_only_over_tls_that_was_verified_or_stays_on_this_machine() -> None:
    able = {**FULL, "REQUIRETLS": ""}
    unverified = dataclasses.replace(VERIFIED, verified=False)
    for route, tls, code in (
        ("smtp:192.0.2.1", VERIFIED, "2.0.0"),
        ("smtp:192.0.2.1", unverified, "5.7.30"),
        ("smtp:192.0.2.1", None, "5.7.30"),
        ("lmtp:192.0.2.1", None, "5.7.30"),
        ("smtp:127.0.0.1", None, "2.0.0"),
    ):
        assert [r.code for r in send(FakeHop(keywords=able, tls=tls), route, requiretls=True)] == [code], (route, tls)


def test_what_tls_there_was_and_who_demanded_it_stands_in_the_result() -> None:
    verified = Tls(version="TLSv1.3", cipher="x", bits=256, verified=True)
    for tls, shown, by in ((verified, "TLSv1.3,verified", "dane"), (None, "none", "")):
        (result,) = send(FakeHop(tls=tls), "smtp:hop.example")
        assert (result.tls, result.tls_by) == (shown, by)


def test_requiretls_does_not_hinder_the_mailbox_server_on_this_machine() -> None:
    hop = FakeHop(keywords={})
    assert [r.code for r in send(hop, "lmtp:/run/lmtp", requiretls=True)] == ["2.0.0"]
    assert not hop.sent[0][0].requiretls
