"""Tag lists as RFC 6376 §3.2 has them."""

from __future__ import annotations

import pytest

from gatepost.msgauth.taglist import MAX_TAGS, parse_number, parse_tags, without_whitespace


def test_a_folded_list() -> None:
    tags, defect = parse_tags(b" a = 1 2 ;\r\n\tbh=x=y;c_1=\r\n ;")
    assert (tags, defect) == ({"a": b"1 2", "bh": b"x=y", "c_1": b""}, "")
    assert list(tags) == ["a", "bh", "c_1"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"a=1;;", "no tag"),
        (b"a=1;;b=2", "no tag"),
        (b";a=1", "no tag"),
        (b"a", "no tag"),
        (b"=1", "no tag"),
        (b"1a=1", "no tag"),
        (b"a-b=1", "no tag"),
        (b"a b=1", "no tag"),
        (b"\xc3\xbc=1", "no tag"),
        (b"a=1;a=1", "twice"),
        (b"a=\x00", "control"),
        (b"a=\n", "control"),
        (b"a=\x7f", "control"),
        (b";".join(b"t%d=" % n for n in range(MAX_TAGS + 5)), "too many"),
    ],
)
def test_defects(text: bytes, word: str) -> None:
    assert word in parse_tags(text)[1]


def test_names_are_case_sensitive() -> None:
    assert parse_tags(b"a=1;A=2") == ({"a": b"1", "A": b"2"}, "")


def test_values() -> None:
    assert without_whitespace(b" a b\r\n\tc ") == b"abc"
    assert parse_number(b"007", 12) == 7
    assert [parse_number(text, 3) for text in (b"", b"-1", b"1234", b"1.", "१".encode())] == [None] * 5
