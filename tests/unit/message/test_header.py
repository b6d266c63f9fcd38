"""message.header: fields as raw octets, total on any input."""

from __future__ import annotations

import pytest

from gatepost.message.header import MAX_FIELDS, MAX_HEADER, parse_header


def test_fields_keep_their_octets_and_offsets() -> None:
    raw = b"From: a@example.org\r\nSubject: one\r\n\ttwo\r\n\r\nbody"
    header = parse_header(raw)
    assert [f.key for f in header] == ["from", "subject"]
    assert b"".join(f.raw for f in header) == raw[: header.end - 2]
    assert header.first("SUBJECT").value == b"one\ttwo"  # type: ignore[union-attr]
    assert raw[header.end :] == b"body"


def test_a_line_without_a_colon_stays_as_a_defect() -> None:
    header = parse_header(b"From: a\r\nnonsense\r\n\r\n")
    assert header.defects == ("no-colon",)
    assert header.fields[1].key == ""


def test_lf_files_are_read() -> None:
    header = parse_header(b"A: 1\nB: 2\n\nbody")
    assert [f.value for f in header] == [b"1", b"2"]
    assert header.end == 11


@pytest.mark.parametrize(
    ("raw", "values", "end", "defects"),
    [
        (b"A: 1\r\n 2", [b"1 2"], 8, ("no-empty-line",)),  # a last line without its end continues the field, too
        (b"A: 1\r\n 2\r\n", [b"1 2"], 10, ("no-empty-line",)),
        (b"A : 1\r\n\r\n", [b"1"], 9, ()),
        (b"A: 1\r\n \r\nB: 2\r\n\r\n", [b"1", b"2"], 17, ()),  # a line of blanks is no empty line
        (b"\r\nbody", [], 2, ()),
        (b"\nbody", [], 1, ()),
        (b"body\r\n\r\nmore", [], 0, ("no-header",)),
        (b"", [], 0, ("no-header",)),
        (b"A: 1\n\r\nB: 2\r\n\r\n", [b"1"], 7, ()),  # mixed line ends: the first empty line counts
        (b"A: 1\r\n\nB: 2\n\n", [b"1"], 7, ()),
        (b"A: \xff\r\n\r\n", [b"\xff"], 8, ()),
        (b"\xc3\xb6: 1\r\nA: 2\r\n\r\n", [b"\xc3\xb6: 1", b"2"], 15, ("no-colon",)),
    ],
)
def test_where_fields_and_sections_end(raw: bytes, values: list[bytes], end: int, defects: tuple[str, ...]) -> None:
    header = parse_header(raw)
    assert ([field.value for field in header], header.end, header.defects) == (values, end, defects)


def test_limits() -> None:
    many = parse_header(b"A: 1\r\n" * (MAX_FIELDS + 10) + b"\r\nbody")
    assert (len(many), many.defects, many.end) == (MAX_FIELDS, ("too-many-fields",), MAX_FIELDS * 6)
    large = parse_header(b"A: " + b"x" * (2 * MAX_HEADER) + b"\r\n\r\n")
    assert (large.defects, large.end) == (("too-large",), MAX_HEADER)


def test_look_up() -> None:
    header = parse_header(b"X: 1\r\nx: 2\r\n\r\n")
    assert [field.value for field in header.all("X")] == [b"1", b"2"]
    assert (header.text("x"), header.text("y"), header.first("y")) == ("1", "", None)
