"""What is encoded says the same; what others signed, and what needs nothing, is left as it is."""

from __future__ import annotations

import pytest

from gatepost.message.message import parse_message
from gatepost.message.seven_bit import SevenBit, has_long_line, is_short_seven_bit, to_seven_bit

LONG = b"x" * 3000
TEXT = "Grüße aus Köln, wo es heute regnet.\r\nZweite Zeile \r\n.\r\nFrom here\r\n".encode()


def encoded(raw: bytes) -> SevenBit:
    return to_seven_bit(parse_message(raw))


def bodies(raw: bytes) -> list[bytes]:
    return [part.decoded.octets for part in parse_message(raw).tree.walk() if not part.children]


def test_what_needs_nothing_is_the_same_object() -> None:
    raw = b"From: a@example.org\r\n\r\nplain\r\n"
    assert encoded(raw).raw is raw
    assert encoded(raw).is_clean


def test_plain_text_becomes_quoted_printable_with_the_fields_it_needs() -> None:
    done = encoded(b"From: a@example.org\r\n\r\n" + TEXT)
    assert done.is_clean
    head, _, body = done.raw.partition(b"\r\n\r\n")
    assert b"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" in head + b"\r\n"
    assert head.endswith(b"Content-Transfer-Encoding: quoted-printable")
    assert b"Gr=C3=BC=C3=9Fe aus" in body
    assert bodies(done.raw) == [TEXT]


def test_text_of_few_ascii_letters_becomes_base64() -> None:
    text = ("привет мир " * 20 + "\r\n").encode()
    done = encoded(b"From: a@example.org\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text)
    assert b"\r\nContent-Transfer-Encoding: base64\r\n" in done.raw
    assert bodies(done.raw) == [text]


def test_octets_of_no_known_charset_are_called_so() -> None:
    done = encoded(b"From: a@example.org\r\n\r\nGr\xfc\xdfe\r\n")
    assert b"charset=unknown-8bit" in done.raw
    assert bodies(done.raw) == [b"Gr\xfc\xdfe\r\n"]


@pytest.mark.parametrize("encoding", [b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable"])
def test_long_lines_and_wrong_labels_are_mended(encoding: bytes) -> None:
    raw = (
        b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: %b\r\n\r\n"
    )
    message = raw % encoding + LONG + b"\r\n"
    before = parse_message(message).tree.decoded.octets
    done = encoded(message)
    assert done.is_clean
    assert done.raw.lower().count(b"content-transfer-encoding") == 1
    assert parse_message(done.raw).tree.decoded.octets == before


MULTIPART = (
    b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n%b\r\n--b\r\n\r\n%b\r\n--b\r\nContent-Type: application/pdf\r\n"
    b"content-transfer-encoding: BINARY\r\n\r\n\x00\xff\r\xfe\n\r\n--b--\r\n"
)


def test_only_parts_that_need_it_change() -> None:
    raw = MULTIPART % (TEXT, b"a plain part")
    done = encoded(raw)
    assert done.is_clean
    assert [body.rstrip(b"\r\n") for body in bodies(done.raw)] == [body.rstrip(b"\r\n") for body in bodies(raw)]
    assert b"\r\n--b\r\n\r\na plain part\r\n--b\r\n" in done.raw
    assert b"boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\npreamble" in done.raw


def test_what_is_signed_below_and_messages_inside_are_left() -> None:
    for kind in (b"multipart/signed; boundary=b", b"message/rfc822"):
        raw = b"From: a@example.org\r\nContent-Type: " + kind + b"\r\n\r\n--b\r\n\r\n" + TEXT + b"\r\n--b--\r\n"
        done = encoded(raw)
        assert done.raw == raw
        assert not done.is_clean


def test_encodings_nobody_knows_are_left() -> None:
    raw = b"From: a@example.org\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n" + TEXT
    assert encoded(raw) == SevenBit(raw=raw, is_clean=False)


def test_nothing_is_short_where_a_line_is_long() -> None:
    assert is_short_seven_bit(b"x" * 998 + b"\r\n")
    assert not is_short_seven_bit(b"x" * 999 + b"\r\n")
    assert not is_short_seven_bit(b"a\nb\r\n")
    assert not is_short_seven_bit(b"a\0b\r\n")


def test_a_long_line_is_found_wherever_it_is() -> None:
    short, exact = b"x" * 76 + b"\r\n", b"x" * 998 + b"\r\n"
    for before in range(20):
        for line in (b"", exact, exact[:-2], short * 50):
            assert not has_long_line(short * before + line)
        assert has_long_line(short * before + b"x" + exact + short)
        assert has_long_line(short * before + b"x" + exact[:-2])
