"""Reports and notices: read back by our own reader, sent to nobody who must not have them, few to postmaster."""

from __future__ import annotations

import dataclasses

from world import RAW, START

from gatepost.message.dsn import Action, read_dsn
from gatepost.message.message import parse_message
from gatepost.names import Envelope, Recipient, Session
from gatepost.server.delivery.notices import Notices, host_of
from gatepost.server.delivery.result import Result, from_reply
from gatepost.server.delivery.settings import DAY, HOUR, DeliverySettings
from gatepost.server.delivery.settle import Settled, Tell
from gatepost.store.spool import Outcome, Spooled, SpooledRecipient, State

IDS = iter(f"0123456789{a}{b}" for a in "abcdef" for b in "abcdefgh")


def notices(**settings: int) -> Notices:
    known = {"a@example.org": ("a@example.org",), "post@example.net": ("ann@example.net",)}
    return Notices(
        hostname="mx.example.net",
        postmaster="post@example.net",
        settings=DeliverySettings(**settings),  # type: ignore[arg-type]
        resolve=lambda address: known.get(address, ()),
        next_id=lambda now: next(IDS),
    )


def spooled(**facts: object) -> Spooled:
    recipient = Recipient(address="user@example.net", orcpt="rfc822;alias@example.net")
    envelope = Envelope(mail_from="a@example.org", recipients=(recipient,), envid="QQ314159")
    copy = SpooledRecipient(
        position=0,
        recipient=recipient,
        state=State.QUEUED,
        junk=False,
        attempts=0,
        next_try=0,
        last_try=0,
        last_reply="",
    )
    return Spooled(
        id="0123456789ab",
        envelope=dataclasses.replace(envelope, **facts),  # type: ignore[arg-type]
        session=Session(client_ip="192.0.2.1"),
        received_at=START,
        size=len(RAW),
        proven=True,
        reason="",
        recipients=(copy,),
    )


def settled(message: Spooled, tell: Tell, result: Result | None = None) -> Settled:
    result = result or from_reply("user@example.net", 550, "5.1.1 no such user", "hop.example[192.0.2.9]:25")
    outcome = Outcome(id=message.id, position=0, state=State.FAILED)
    return Settled(message.recipients[0], result, outcome, tell)


def test_a_report_reads_back_as_what_happened() -> None:
    message = spooled()
    (report,) = notices().compose(message, [settled(message, Tell.FAILED)], RAW, START + 5)
    assert report.envelope.mail_from == ""
    assert [(r.address, r.notify) for r in report.envelope.recipients] == [("a@example.org", ("NEVER",))]
    dsn = read_dsn(parse_message(report.body))
    assert dsn is not None
    assert (dsn.reporting_mta, dsn.envid, dsn.arrival) == ("mx.example.net", "QQ314159", START)
    (found,) = dsn.recipients
    assert (found.action, found.status) == (Action.FAILED, "5.1.1")
    assert (found.final_recipient, found.original_recipient) == ("user@example.net", "alias@example.net")
    assert found.remote_mta == "hop.example"
    assert "550 5.1.1 no such user" in found.diagnostic
    assert found.last_attempt == START + 5


def test_a_delay_says_how_long_we_try() -> None:
    message = spooled()
    (report,) = notices().compose(message, [settled(message, Tell.DELAYED)], RAW, START + 5 * HOUR)
    dsn = read_dsn(parse_message(report.body))
    assert dsn is not None
    assert dsn.recipients[0].will_retry_until == START + 5 * DAY


def test_a_sender_who_cannot_be_reached_or_is_nobody_gets_no_report() -> None:
    assert notices().can_report(spooled())
    assert not notices().can_report(spooled(mail_from="stranger@example.com"))
    assert not notices().can_report(spooled(mail_from=""))


def test_postmaster_gets_a_notice_at_his_real_address_with_what_to_do() -> None:
    message = spooled(mail_from="x@example.com")
    (notice,) = notices().compose(message, [settled(message, Tell.POSTMASTER)], RAW, START)
    assert [r.address for r in notice.envelope.recipients] == ["ann@example.net"]
    assert notice.envelope.mail_from == ""
    assert b"gatepost quarantine release 0123456789ab" in notice.body
    assert b"Auto-Submitted: auto-generated" in notice.body


def test_postmaster_is_not_flooded() -> None:
    some, message = notices(postmaster_notices=3), spooled()
    kept = [settled(message, Tell.POSTMASTER)]
    assert sum(len(some.compose(message, kept, RAW, START + n)) for n in range(10)) == 3
    assert len(some.compose(message, kept, RAW, START + HOUR)) == 1


def test_a_reply_with_line_ends_begins_no_field() -> None:
    message = spooled()
    evil = Result(
        recipient="user@example.net", status=settled(message, Tell.FAILED).result.status, code="5.1.1",
        text="no\r\nX-Evil: yes", relay="h\r\nX-Evil: yes[1]:2", reply_code=550,
    )  # fmt: skip
    for tell in (Tell.FAILED, Tell.POSTMASTER):
        for notice in notices().compose(message, [settled(message, tell, evil)], RAW, START):
            assert b"\nX-Evil" not in notice.body.partition(b"\r\n\r\n")[0]


def test_a_report_about_protected_mail_is_protected_and_returns_no_body() -> None:
    message = spooled(requiretls=True, ret="FULL")
    (report,) = notices().compose(message, [settled(message, Tell.FAILED)], RAW, START)
    assert report.envelope.requiretls
    assert b"Hello." not in report.body
    (plain,) = notices().compose(spooled(ret="FULL"), [settled(message, Tell.FAILED)], RAW, START)
    assert b"Hello." in plain.body


def test_host_of_a_label() -> None:
    assert host_of("mail.example[192.0.2.1]:25") == "mail.example"
    assert host_of("[2001:db8::1]:25") == "2001:db8::1"
    assert host_of("maildir") == "maildir"
