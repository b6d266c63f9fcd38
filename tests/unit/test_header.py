"""message.header: fields as raw octets, total on any input."""

from __future__ import annotations

from gatepost.message.header import parse_header


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
