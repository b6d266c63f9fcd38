"""Canonical forms against RFC 6376 §3.4.5's examples, and that they stay linear."""

from __future__ import annotations

import time

import pytest

from gatepost.message.header import parse_header
from gatepost.msgauth.dkim.canonical import (
    relaxed_body,
    relaxed_field,
    simple_body,
    simple_field,
    without_signature,
)

EXAMPLE = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"


def test_the_examples_of_rfc_6376() -> None:
    header = parse_header(EXAMPLE)
    assert b"".join(relaxed_field(field, field.raw) for field in header) == b"a:X\r\nb:Y Z\r\n"
    assert b"".join(simple_field(field) for field in header) == b"A: X\r\nB : Y\t\r\n\tZ  \r\n"
    assert b"".join(relaxed_body(EXAMPLE, header.end)) == b" C\r\nD E\r\n"
    assert b"".join(simple_body(EXAMPLE, header.end)) == b" C \r\nD \t E\r\n"


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        (b"", b"\r\n", b""),
        (b"\r\n", b"\r\n", b""),
        (b"\r\n\r\n\r\n", b"\r\n", b""),
        (b"   ", b"   \r\n", b""),
        (b" \r\n\t\r\n", b" \r\n\t\r\n", b""),
        (b"a", b"a\r\n", b"a\r\n"),
        (b"a ", b"a \r\n", b"a\r\n"),
        (b"a\r\n\r\n", b"a\r\n", b"a\r\n"),
        (b"a\t \tb\r\n", b"a\t \tb\r\n", b"a b\r\n"),
        (b"a\n", b"a\n\r\n", b"a\n\r\n"),
        (b"a\r", b"a\r\r\n", b"a\r\r\n"),
        (b"a\r\r\n", b"a\r\r\n", b"a\r\r\n"),
        (b"a \n b", b"a \n b\r\n", b"a \n b\r\n"),
        (b"a\x0b\x0c b", b"a\x0b\x0c b\r\n", b"a\x0b\x0c b\r\n"),
    ],
)
def test_bodies(body: bytes, simple: bytes, relaxed: bytes) -> None:
    """Only CRLF ends a line, only SP and HTAB are white space."""
    assert b"".join(simple_body(body, 0)) == simple
    assert b"".join(relaxed_body(body, 0)) == relaxed


@pytest.mark.parametrize(
    ("raw", "relaxed"),
    [
        (b"Subject:\r\n", b"subject:\r\n"),
        (b"SUBJECT \t: a  b\t\r\n", b"subject:a b\r\n"),
        (b"X: a\x0bb \x0c c\r\n", b"x:a\x0bb \x0c c\r\n"),
        (b"X: a\rb\r\n", b"x:a\rb\r\n"),
        (b"X: a\rb\n c\r\n", b"x:a\rb\n c\r\n"),  # one CR and one LF, but no pair
        (b"X: a", b"x:a\r\n"),
    ],
)
def test_fields(raw: bytes, relaxed: bytes) -> None:
    assert relaxed_field(parse_header(raw + b"\r\n").fields[0], raw) == relaxed


@pytest.mark.parametrize(
    ("raw", "without"),
    [
        (b"DKIM-Signature: a=x; b=abc;\r\n\tbh=y; d=z\r\n", b"DKIM-Signature: a=x; b=;\r\n\tbh=y; d=z\r\n"),
        (b"DKIM-Signature: a=x; bh=y;\r\n b = ab\r\n\tcd = \r\n", b"DKIM-Signature: a=x; bh=y;\r\n b ="),
        (b"DKIM-Signature:b=a; x=b=c\r\n", b"DKIM-Signature:b=; x=b=c\r\n"),
        (b"DKIM-Signature: h=from:b=x; b=z;\r\n", b"DKIM-Signature: h=from:b=x; b=;\r\n"),
    ],
)
def test_the_signature_is_taken_out_of_its_own_field(raw: bytes, without: bytes) -> None:
    assert without_signature(raw) == without


@pytest.mark.parametrize(
    "body",
    [
        b" " * 1_000_000 + b"x\r\n",
        b" \t" * 500_000,
        b"\r\n" * 500_000,
        b" \r\n" * 330_000,
        b"\r" * 1_000_000,
        b"x  " * 330_000,
    ],
)
def test_a_megabyte_of_anything_takes_no_time(body: bytes) -> None:
    """A naive pattern for white space before a line end is quadratic: 10 s for 100 KB of spaces."""
    start = time.process_time()
    relaxed_body(body, 0)
    simple_body(body, 0)
    assert time.process_time() - start < 1.0
