"""message.fields: what we write is one field, whatever goes into it."""

from __future__ import annotations

import pytest

from gatepost.errors import InputError
from gatepost.message.addresses import parse_addresses
from gatepost.message.fields import encode_words, write_field, write_mailbox
from gatepost.message.header import parse_header
from gatepost.message.words import decode_words


@pytest.mark.parametrize("value", ["a\r\nBcc: x@y", "a\nb", "a\rb", "a\0b", "a\x0bb", "a\x1cb"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(InputError):
        write_field("Subject", value)
    with pytest.raises(InputError):
        write_mailbox(value, "a@b.example")
    with pytest.raises(InputError):
        write_mailbox("", value + "@b.example")


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\n"])
def test_a_name_is_a_name(name: str) -> None:
    with pytest.raises(InputError):
        write_field(name, "x")


def test_a_line_that_cannot_be_folded_is_refused() -> None:
    with pytest.raises(InputError):
        write_field("X", "a" * 999)
    assert write_field("X", "a" * 990)


@pytest.mark.parametrize("value", ["short", "word " * 100, "Grüße " * 40, "ö  double  ö blank", "𝔘𝔫𝔦" * 60, " lead"])
def test_what_is_written_is_read_back(value: str) -> None:
    octets = write_field("Subject", value)
    assert all(len(line) <= 78 for line in octets.split(b"\r\n"))
    field = parse_header(octets + b"\r\n").fields[0]
    assert decode_words(field.text) == value.strip() or decode_words(field.body.decode()[1:]) == value


def test_utf8_stays_where_it_may() -> None:
    assert write_field("Subject", "ö", utf8=True) == "Subject: ö\r\n".encode()
    assert encode_words("plain") == "plain"


@pytest.mark.parametrize("name", ["", "Jo Doe", 'J. "Q" Doe', "Jörg", "a\\b", "Doe, Jo", "=?utf-8?q?x?="])
def test_a_mailbox_is_read_back(name: str) -> None:
    found = parse_addresses(write_mailbox(name, "jo@b.example"))
    assert [(box.display_name, box.address, box.defects) for box in found.mailboxes] == [(name, "jo@b.example", ())]
