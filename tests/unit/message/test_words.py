"""message.words and message.charsets: encoded-words as the RFC and as real mail writes them."""

from __future__ import annotations

import pytest

from gatepost.message.charsets import charset_codec, decode_text
from gatepost.message.words import decode_words, read_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the examples of RFC 2047 §8
        ("(=?ISO-8859-1?Q?a?=)", "(a)"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        ("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),  # RFC 2231 §5
        ("=?utf-8?B?w7Y?=", "ö"),  # padding left out
        ("=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö"),  # a character cut in two
        ("=?utf-8?b?w7Y=?==?utf-8?b?w7Y=?=", "öö"),
        ("=?utf-8?q?with blank?=", "with blank"),
        ("plain", "plain"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?", "=?"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert decode_words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "defect"),
    [
        ("=?klingon?q?a=20b?=", "a b", "unknown-charset"),
        ("=?utf-8?q?=FF?=", "\ufffd", "bad-octets"),
        ("=?utf-8?b?%%%?=", "", ""),
        ("=?utf-8?q?" + "a" * 80 + "?=", "a" * 80, "word-too-long"),
        ("x=?utf-8?q?a?=", "xa", "word-not-separated"),
    ],
)
def test_defects(text: str, expected: str, defect: str) -> None:
    decoded, defects = read_words(text)
    assert (decoded, "".join(defects)) == (expected, defect)


def test_codecs_that_are_no_charsets_are_refused() -> None:
    for name in ("punycode", "idna", "hex", "zlib", "unicode_escape", "rot13", "base64", "../x", "a\0b", "x" * 99, ""):
        assert charset_codec(name) is None, name


def test_text_without_a_charset_is_utf8_else_windows() -> None:
    assert decode_text("ö".encode()) == ("ö", "")
    assert decode_text(b"\x93quoted\x94") == ("“quoted”", "bad-octets")
    assert decode_text(b"\xf6", "us-ascii") == ("ö", "bad-octets")
