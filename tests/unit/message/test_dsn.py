"""message.dsn: reports written by us are read back; foreign words cannot break out of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.errors import InputError, LocalProtocolError
from gatepost.message.dsn import Action, DsnRecipient, read_dsn, write_dsn
from gatepost.message.dsn.words import explain_status
from gatepost.message.header import parse_header
from gatepost.message.message import Message

NOW = 1793880000.0
ORIGINAL = b"Subject: x\r\nMessage-ID: <1@b.example>\r\n\r\nbody\r\n"
FAILED = DsnRecipient(
    final_recipient="joe@x.example",
    action=Action.FAILED,
    status="5.1.1",
    original_recipient="rfc822;joe+2Bx@x.example",
    remote_mta="mx.x.example",
    diagnostic="550 5.1.1 no such user",
    last_attempt=NOW - 5,
)
DELAYED = DsnRecipient(
    final_recipient="eve@y.example", action=Action.DELAYED, status="4.4.1", will_retry_until=NOW + 86400
)


def written(*recipients: DsnRecipient, **changes: object) -> bytes:
    known: dict[str, object] = {
        "reporting_mta": "gate.example",
        "sender": "a@b.example",
        "recipients": recipients or (FAILED,),
        "original": ORIGINAL,
        "message_id": "2@gate.example",
        "now": NOW,
        "arrival": NOW - 60,
    }
    return write_dsn(**(known | changes))  # type: ignore[arg-type]


def test_a_report_is_read_back() -> None:
    message = Message(written(FAILED, DELAYED, envid="QQ314+3D159", ret="FULL"))
    dsn = read_dsn(message)
    assert dsn is not None
    assert (dsn.reporting_mta, dsn.envid, dsn.arrival, dsn.defects) == ("gate.example", "QQ314=159", NOW - 60, ())
    assert dsn.recipients == (
        replace(FAILED, original_recipient="joe+x@x.example"),
        replace(DELAYED, diagnostic_type=""),
    )
    assert "There is no such address there." in dsn.text
    assert "mx.x.example said: 550 5.1.1 no such user" in dsn.text
    assert message.tree.children[2].body == ORIGINAL
    assert dsn.returned is not None
    assert dsn.returned.header.text("subject") == "x"


def test_its_header_says_what_it_is() -> None:
    header = parse_header(written())
    assert header.text("from") == "Mail Delivery System <postmaster@gate.example>"
    assert header.text("to") == "a@b.example"
    assert header.text("subject") == "Your message could not be delivered"
    assert header.text("auto-submitted") == "auto-replied"
    assert (header.text("in-reply-to"), header.text("references")) == ("<1@b.example>", "<1@b.example>")
    assert all(part.defects == () for part in Message(written()).tree.walk())


@pytest.mark.parametrize(
    ("recipient", "ret", "size", "kind"),
    [
        (FAILED, "FULL", 10, "message/rfc822"),
        (FAILED, "HDRS", 10, "text/rfc822-headers"),
        (FAILED, None, 10, "text/rfc822-headers"),
        (DELAYED, "FULL", 10, "text/rfc822-headers"),  # RFC 3461 §6.2: whole only for a failure
        (FAILED, "FULL", 300_000, "text/rfc822-headers"),
    ],
)
def test_what_is_returned(recipient: DsnRecipient, ret: str | None, size: int, kind: str) -> None:
    raw = written(recipient, ret=ret, original=ORIGINAL + b"y" * size + b"\r\n")
    returned = Message(raw).tree.children[2]
    assert returned.content_type.value == kind
    assert (b"yyy" in raw) == (kind == "message/rfc822")


def test_utf8_addresses() -> None:
    recipient = replace(FAILED, final_recipient="jörg@x.example")
    ascii_only = written(recipient)
    assert ascii_only.isascii()
    assert b"Final-Recipient: utf-8; j\\x{F6}rg@x.example" in ascii_only
    with_utf8 = written(recipient, utf8=True)
    assert "Final-Recipient: utf-8; jörg@x.example".encode() in with_utf8
    assert b"message/global-delivery-status" in with_utf8
    for raw in (ascii_only, with_utf8):
        dsn = read_dsn(Message(raw))
        assert dsn is not None
        assert dsn.recipients[0].final_recipient == "jörg@x.example"


@pytest.mark.parametrize(
    "evil", ["a\r\nX-Evil: 1\r\n\r\n--=_dsn_", "a\nAction: delivered", "a\0\x0b\x1c\u2028b", "é" * 2000]
)
def test_foreign_words_stay_where_they_are(evil: str) -> None:
    recipient = replace(FAILED, diagnostic=evil, remote_mta=evil, original_recipient=evil, final_recipient=evil)
    for utf8 in (False, True):
        raw = written(recipient, envid=evil, utf8=utf8, original=b"Message-ID: <1@b>\r\n\r\n")
        message = Message(raw)
        assert len(message.tree.children) == 3
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
        assert b"\nX-Evil" not in raw
        dsn = read_dsn(message)
        assert dsn is not None
        assert [one.action for one in dsn.recipients] == [Action.FAILED]


def test_the_original_cannot_end_the_report() -> None:
    first = written(ret="FULL")
    boundary = parse_header(first).text("content-type").partition('boundary="')[2].rstrip('"')
    original = ORIGINAL + f"--{boundary}--\r\n\r\n--{boundary}\r\n".encode()
    tree = Message(written(ret="FULL", original=original)).tree
    assert tree.children[2].body == original


def test_what_cannot_be_a_report_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        written(recipients=())
    with pytest.raises(LocalProtocolError):
        written(replace(FAILED, action=None))
    with pytest.raises(InputError):
        written(sender="a@b\r\nBcc: c@d")


def test_other_mail_is_no_report() -> None:
    assert read_dsn(Message(b"Subject: Delivery-Status\r\n\r\nhello")) is None
    assert read_dsn(Message(b"")) is None


@pytest.mark.parametrize(
    ("status", "start"), [("5.1.1", "There is no"), ("4.2.2", "The recipient's"), ("5.4.99", "The rec")]
)
def test_codes_are_explained(status: str, start: str) -> None:
    assert explain_status(status).startswith(start)
    assert explain_status("5.0.0") == explain_status("") == explain_status("nonsense") == ""


def test_a_boundary_foreseen_by_the_sender_is_not_used() -> None:
    """The boundary comes from the report's id and the beginning of what is returned, which the sender may know."""
    long = ORIGINAL + b"y" * 5000
    boundary = Message(written(ret="FULL", original=long)).tree.content_type.get("boundary")
    original = long + f"\r\n--{boundary}--\r\n".encode()
    tree = Message(written(ret="FULL", original=original)).tree
    assert tree.content_type.get("boundary") != boundary
    assert tree.children[2].body == original
