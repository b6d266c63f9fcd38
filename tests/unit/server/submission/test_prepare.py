"""What an account hands in is mended, and only where it must be; bulk mail gets the way off the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.errors import ConfigError
from gatepost.message.dates import parse_date
from gatepost.message.message import parse_message
from gatepost.server.submission.bulk_settings import BulkSettings
from gatepost.server.submission.prepare import Prepared, prepare
from gatepost.server.submission.unsubscribe import Unsubscribe, make_token

NOW = 1_795_000_000.0
WHOLE = (
    b"Date: Wed, 18 Nov 2026 11:06:40 +0000\r\nMessage-ID: <1@example.org>\r\nFrom: Ann <ann@Example.ORG>\r\n"
    b"To: b@example.net\r\nSubject: hello\r\n\r\nHello.\r\n"
)


def prepared(raw: bytes, *recipients: str, unsubscribe: Unsubscribe | None = None) -> Prepared:
    return prepare(
        raw, hostname="mx.example.org", now=NOW, unique="4f-1", recipients=recipients, unsubscribe=unsubscribe
    )


def test_a_whole_message_is_not_touched() -> None:
    done = prepared(WHOLE)
    assert done.raw is WHOLE
    assert done == Prepared(raw=WHOLE, author_domain="example.org", message_id="<1@example.org>")


def test_date_and_message_id_are_added_where_missing() -> None:
    done = prepared(b"From: ann@example.org\r\n\r\nHello.\r\n")
    header = parse_message(done.raw).header
    assert parse_date(header.text("date")).epoch == NOW
    assert header.text("message-id") == done.message_id == "<4f-1@mx.example.org>"
    assert done.changes == ("added-date", "added-message-id")


def test_what_must_not_leave_is_removed() -> None:
    ours = (
        b"Bcc: secret@example.net,\r\n\tmore@example.net\r\nReturn-Path: <x@example.net>\r\nbcc: again@example.net\r\n"
        b"Authentication-Results: mx.example.org; dkim=pass\r\nGatepost-Verdict: accept; score=0\r\n"
        b"Resent-Bcc: r@e.org\r\n"
    )
    theirs = (
        b"Authentication-Results: mx.example.net; dkim=pass\r\nReceived: from a by b; 18 Nov 2026 11:00:00 +0000\r\n"
    )
    done = prepared(ours + theirs + WHOLE)
    assert done.raw == theirs + WHOLE
    assert done.changes == ("removed-ours", "removed-bcc")


def test_long_fields_are_folded_and_say_the_same() -> None:
    references = b"References: " + b" ".join(b"<%d@example.org>" % n for n in range(200)) + b"\r\n"
    done = prepared(references + WHOLE)
    assert max(map(len, done.raw.split(b"\r\n"))) <= 78
    before, after = (parse_message(raw).header.text("references") for raw in (references + WHOLE, done.raw))
    assert before == after
    assert not done.problem


@pytest.mark.parametrize("blanks", [b" " * 3000, b"a" + b" " * 3000, b" " * 3000 + b"a", b"a " * 1500])
def test_folding_makes_no_line_of_blanks(blanks: bytes) -> None:
    done = prepared(b"X-Odd:" + blanks + b"\r\n" + WHOLE)
    assert parse_message(done.raw).header.text("subject") == "hello"


def test_what_cannot_be_mended_is_said() -> None:
    assert "header" in prepared(b"X-Odd: " + b"x" * 2000 + b"\r\n" + WHOLE).problem
    signed = b"Content-Type: multipart/signed; boundary=b\r\n" + WHOLE + b"--b\r\n\r\n" + b"x" * 2000 + b"\r\n--b--\r\n"
    assert "body" in prepared(signed).problem


def test_bare_newlines_in_the_header_section_are_mended() -> None:
    assert prepared(WHOLE.replace(b"\r\n", b"\n")).raw == WHOLE
    assert prepared(WHOLE.replace(b"\r\nTo", b"\nTo").replace(b"hello\r\n\r\n", b"hello\n\r\n")).raw == WHOLE


def test_octets_without_a_header_section_stay_the_body() -> None:
    for raw in (b"", b"\r\n", b"\r\nbody\r\n", b"no field at all\r\n", b"\xff\x00\r\n"):
        done = prepared(raw)
        assert parse_message(done.raw).header.text("message-id") == "<4f-1@mx.example.org>"
        assert done.author_domain == ""


def test_an_author_with_a_unicode_domain_needs_eight_bits() -> None:
    done = prepared("From: Ännchen <ännchen@exämple.org>\r\n\r\nhallo\r\n".encode())
    assert done.author_domain == "exämple.org"
    assert not done.is_seven_bit


URL = "https://example.org/leave?who={recipient}&of={sender}"


def test_bulk_mail_gets_both_fields() -> None:
    way = Unsubscribe(BulkSettings(unsubscribe_url=URL, unsubscribe_mailto="leave@example.org"))
    header = parse_message(prepared(WHOLE, "b+c@example.net", unsubscribe=way).raw).header
    first = "<https://example.org/leave?who=b%2Bc%40example.net&of=ann%40Example.ORG>"
    assert header.text("list-unsubscribe") == f"{first},\t<mailto:leave@example.org?subject=unsubscribe>"
    assert header.text("list-unsubscribe-post") == "List-Unsubscribe=One-Click"


def test_one_click_is_for_one_person_only() -> None:
    way = Unsubscribe(BulkSettings(unsubscribe_url=URL, unsubscribe_mailto="leave@example.org"))
    header = parse_message(prepared(WHOLE, "b@example.net", "c@example.net", unsubscribe=way).raw).header
    assert header.text("list-unsubscribe") == "<mailto:leave@example.org?subject=unsubscribe>"
    assert header.first("list-unsubscribe-post") is None
    assert (
        prepared(WHOLE, "b@e.net", "c@e.net", unsubscribe=Unsubscribe(BulkSettings(unsubscribe_url=URL))).raw == WHOLE
    )


def test_a_way_off_the_list_that_is_there_is_kept_as_it_is() -> None:
    raw = b"List-Unsubscribe: <https://other.example/>\r\n" + WHOLE
    way = Unsubscribe(BulkSettings(unsubscribe_url=URL))
    assert prepared(raw, "b@example.net", unsubscribe=way).raw == raw


def test_the_token_is_one_that_only_the_secret_makes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"0123456789abcdef\n")
    settings = BulkSettings(
        unsubscribe_url="https://example.org/l?t={token}", unsubscribe_secret=str(tmp_path / "secret")
    )
    raw = prepared(WHOLE, "b@example.net", unsubscribe=Unsubscribe(settings)).raw
    token = make_token(b"0123456789abcdef", "ann@Example.ORG", "b@example.net")
    assert f"t={token}>".encode() in raw
    assert token != make_token(b"0123456789abcdeX", "ann@Example.ORG", "b@example.net")


@pytest.mark.parametrize(
    "settings",
    [
        BulkSettings(unsubscribe_url="http://example.org/?{recipient}"),
        BulkSettings(unsubscribe_url="https://example.org/leave"),
        BulkSettings(unsubscribe_url="https://example.org/{who}"),
        BulkSettings(unsubscribe_url="https://example.org/{recipient!r}"),
        BulkSettings(unsubscribe_url="https://example.org/{recipient:>99999999}"),
        BulkSettings(unsubscribe_url="https://example.org/{"),
        BulkSettings(unsubscribe_url="https://example.org/{recipient}\r\nX: y"),
        BulkSettings(unsubscribe_url="https://example.org/{token}"),
        BulkSettings(unsubscribe_url="https://example.org/{token}", unsubscribe_secret="/nowhere"),
        BulkSettings(unsubscribe_mailto="leave"),
    ],
)
def test_options_that_cannot_work_are_one_line(settings: BulkSettings) -> None:
    with pytest.raises(ConfigError, match=r"^bulk\.unsubscribe_"):
        Unsubscribe(settings)
