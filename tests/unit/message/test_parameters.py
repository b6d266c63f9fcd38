"""message.parameters: Content-Type and Content-Disposition as the RFCs and as real mail write them."""

from __future__ import annotations

import pytest

from gatepost.message.parameters import MAX_PARAMETERS, parse_content_disposition, parse_content_type

TYPES = [
    ("text/plain", "text/plain", {}, ()),
    ("Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}, ()),
    ('multipart/mixed; boundary="a b;c"', "multipart/mixed", {"boundary": "a b;c"}, ()),
    ("text/plain; charset=us-ascii (Plain text)", "text/plain", {"charset": "us-ascii"}, ()),
    ("text/plain (c) ; (d) charset = x", "text/plain", {"charset": "x"}, ()),
    ("text/plain; charset=x;", "text/plain", {"charset": "x"}, ()),
    ("text/plain charset=x", "text/plain", {"charset": "x"}, ("missing-semicolon",)),
    ("a/b; x=1 y=2", "a/b", {"x": "1", "y": "2"}, ("missing-semicolon",)),
    ('a/b; x="1" y=2', "a/b", {"x": "1", "y": "2"}, ("missing-semicolon",)),
    ("text", "text/plain", {}, ("bad-content-type",)),
    ("", "text/plain", {}, ("bad-content-type",)),
    (";", "text/plain", {}, ("bad-content-type",)),
    ("text/plain; junk; charset=x", "text/plain", {"charset": "x"}, ("bad-parameter",)),
    ('a/b; x="open; y=2', "a/b", {"x": "open", "y": "2"}, ("unclosed-quote",)),
    ("a/b; x=1; X=2", "a/b", {"x": "1"}, ("duplicate-parameter",)),
    ("a/b; x=\x0b\x0cy", "a/b", {"x": "\x0b\x0cy"}, ()),  # found by the fuzzer: no white space here, and a loop
    ('a/b; boundary="=?utf-8?q?a?="', "a/b", {"boundary": "=?utf-8?q?a?="}, ()),
]


@pytest.mark.parametrize(("text", "kind", "parameters", "defects"), TYPES)
def test_content_types(text: str, kind: str, parameters: dict[str, str], defects: tuple[str, ...]) -> None:
    read = parse_content_type(text)
    assert (read.value, read.parameters, read.defects) == (kind, parameters, defects)
    assert f"{read.maintype}/{read.subtype}" == kind


NAMES = [
    ("attachment; filename=a.txt", "a.txt", ()),
    ('attachment; filename="a \\"b\\".txt"', 'a "b".txt', ()),
    ('attachment; filename="C:\\temp\\x.doc"', "C:\\temp\\x.doc", ()),
    ("attachment; filename=report (1) final.pdf", "report (1) final.pdf", ("unquoted-blank",)),
    # RFC 2231 §4.1
    ("attachment; filename*0*=us-ascii'en'This%20is%20even%20more%20; filename*1*=%2A%2A%2Afun%2A%2A%2A%20; "
     'filename*2="isn\'t it!"', "This is even more ***fun*** isn't it!", ()),
    ("attachment; filename*=utf-8''%C3%B6.txt", "ö.txt", ()),
    ("attachment; filename*1=b; filename*0=a", "ab", ()),
    ("attachment; filename*0=a; filename*2=c", "a", ("missing-section",)),
    ("attachment; filename*=klingon''%41", "A", ("unknown-charset",)),
    ("attachment; filename*=utf-8''%FF", "\ufffd", ("bad-octets",)),
    ('attachment; filename="=?utf-8?q?=C3=B6?=.txt"', "ö.txt", ("encoded-word-in-parameter",)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "defects"), NAMES)
def test_file_names(text: str, name: str, defects: tuple[str, ...]) -> None:
    read = parse_content_disposition(text)
    assert (read.value, read.get("filename"), read.defects) == ("attachment", name, defects)


def test_every_reading_of_a_name_is_kept() -> None:
    read = parse_content_disposition("attachment; filename=a.txt; filename=b.exe; filename*=utf-8''c.js")
    assert read.all("filename") == ("c.js", "b.exe", "a.txt")
    assert read.defects == ("duplicate-parameter", "differing-parameter")
    same = parse_content_disposition("attachment; filename=a.txt; filename*=utf-8''a.txt")
    assert same.defects == ()


def test_parameters_are_counted() -> None:
    read = parse_content_type("a/b" + "".join(f"; p{n}=1" for n in range(MAX_PARAMETERS + 5)))
    assert (len(read.parameters), read.defects) == (MAX_PARAMETERS, ("too-many-parameters",))
