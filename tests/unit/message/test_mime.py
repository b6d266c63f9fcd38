"""message.mime: the tree, its offsets and its defects."""

from __future__ import annotations

import base64

import pytest

from gatepost.message.message import Message
from gatepost.message.mime import MAX_DEPTH, parse_tree
from gatepost.message.part import Part

MIXED = (
    b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"preamble\r\n"
    b"--x\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=B6</p>\r\n"
    b"--x\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Type: a/b; name=b.bin\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
    b"--x\r\n\r\nno header\r\n"
    b"--x--\r\nepilogue\r\n"
)


def tree(text: str) -> Part:
    return Message(text.replace("\n", "\r\n").encode()).tree


def shape(part: Part) -> object:
    return [part.content_type.value, *map(shape, part.children)] if part.children else part.content_type.value


def test_a_mixed_message() -> None:
    root = Message(MIXED).tree
    assert shape(root) == ["multipart/mixed", "text/html", "a/b", "text/plain"]
    assert (root.preamble, root.epilogue) == (b"preamble", b"epilogue\r\n")
    html, attachment, plain = root.children
    assert (html.text, html.body) == ("<p>ö</p>", b"<p>=C3=B6</p>")
    assert (attachment.decoded.octets, attachment.filename) == (b"hello", "a.bin")
    assert attachment.filenames == ("a.bin", "b.bin")
    assert attachment.disposition.value == "attachment"
    assert (plain.body, len(plain.header)) == (b"no header", 0)
    assert all(not part.defects and MIXED[part.body_start : part.body_end] == part.body for part in root.walk())


def test_lf_files_have_the_same_tree() -> None:
    root = Message(MIXED.replace(b"\r\n", b"\n")).tree
    assert shape(root) == shape(Message(MIXED).tree)
    assert [part.body for part in root.children] == [part.body for part in Message(MIXED).tree.children]


HEAD = "Content-Type: multipart/mixed; boundary=x\n"
DEFECTS = [
    ("Content-Type: multipart/mixed\n\n--x\n", "missing-boundary", "multipart/mixed"),
    (HEAD + "\nno parts", "no-parts", "multipart/mixed"),
    (HEAD + "\n--x\n\nbody", "unclosed-boundary", ["multipart/mixed", "text/plain"]),
    (HEAD + "\n--x junk\n\nbody\n--x--", "text-after-boundary", ["multipart/mixed", "text/plain"]),
    ("Content-Type: text/html\n" + HEAD + "\n--x\n\nbody\n--x--", "duplicate-content-type", "text/html"),
    (HEAD + "Content-Transfer-Encoding: base64\n\n--x\n\n\n--x--", "encoded-multipart", None),
    ("Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\naGk=", "duplicate-encoding", None),
    ("Content-Disposition: inline\nContent-Disposition: attachment\n\n", "duplicate-disposition", None),
    ("Content-Type: text\n\n", "bad-content-type", "text/plain"),
    ("Subject: x\n\nhello\nbegin 644 x.exe\n#AAAA\n`\nend\n", "uuencoded-text", "text/plain"),
    ("Subject: x\nnonsense\n\n", "no-colon", None),
    ("nothing like a header", "no-header", "text/plain"),
]


@pytest.mark.parametrize(("text", "defect", "expected"), DEFECTS)
def test_defects(text: str, defect: str, expected: object) -> None:
    root = tree(text)
    assert defect in root.defects
    assert expected is None or shape(root) == expected


def test_an_inner_multipart_ends_with_its_outer_one() -> None:
    root = tree(HEAD + "\n--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\nin\n--x\n\nout\n--x--\n")
    assert shape(root) == ["multipart/mixed", ["multipart/mixed", "text/plain"], "text/plain"]
    assert root.children[0].defects == ("unclosed-boundary",)
    assert root.children[0].children[0].body == b"in"


def test_a_boundary_used_twice_belongs_to_the_inner_one_until_it_closes() -> None:
    root = tree(HEAD + "\n--x\n" + HEAD + "\n--x\n\nin\n--x--\n--x\n\nout\n--x--\n")
    assert shape(root) == ["multipart/mixed", ["multipart/mixed", "text/plain"], "text/plain"]


def test_a_part_header_ends_at_a_delimiter() -> None:
    root = tree(HEAD + "\n--x\nContent-Type: text/html\n--x\nSubject: y\n\nbody\n--x--\n")
    assert shape(root) == ["multipart/mixed", "text/html", "text/plain"]
    assert root.children[0].defects == ("no-empty-line",)


def test_messages_inside() -> None:
    root = tree(HEAD + "\n--x\nContent-Type: message/rfc822\n\nSubject: in\n\nbody\n--x--\n")
    inner = root.children[0]
    assert (inner.is_message, inner.children[0].header.text("subject")) == (True, "in")
    assert inner.children[0].body == b"body"


def test_parts_of_a_digest_are_messages() -> None:
    root = tree("Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: in\n\nbody\n--x--\n")
    assert shape(root) == ["multipart/digest", ["message/rfc822", "text/plain"]]


def test_an_encoded_message_is_opened_and_noted() -> None:
    inner = base64.encodebytes(MIXED).decode()
    root = tree(f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}")
    assert shape(root) == ["message/rfc822", shape(Message(MIXED).tree)]
    assert root.defects == ("encoded-message",)
    assert root.children[0].source == MIXED


def test_depth_and_number_are_limited() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000))
    parts = list(Message(deep).tree.walk())
    assert len(parts) <= MAX_DEPTH + 1
    assert any("too-deep" in part.defects for part in parts)
    messages = list(Message(b"Content-Type: message/rfc822\r\n\r\n" * 2000).tree.walk())
    assert len(messages) <= MAX_DEPTH + 1
    assert "too-deep" in messages[-1].defects
    many = parse_tree((HEAD + "\n").encode() + b"--x\n\n\n" * 50, max_parts=20)
    assert (len(many.children), "too-many-parts" in many.defects) == (19, True)


def test_a_boundary_outside_ascii_is_compared_by_its_octets() -> None:
    for charset in ("utf-8", "latin-1"):
        raw = "Content-Type: multipart/mixed; boundary=ö\n\n--ö\n\nbody\n--ö--\n".encode(charset)
        assert [part.body for part in Message(raw).tree.children] == [b"body"]


def test_an_empty_part_has_an_empty_body() -> None:
    for text in ("--x\n--x\n\n--x--\n", "--x\nA: b\n\n--x\n\n--x--\n"):
        root = tree(HEAD + "\n" + text)
        assert [part.body_end - part.body_start for part in root.children] == [0, 0]


def test_messages_encoded_in_messages_are_opened_so_often_and_no_more() -> None:
    raw = b"Subject: innermost\n\nbody"
    for _ in range(30):
        raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
    parts = list(Message(raw).tree.walk())
    assert len(parts) == 21
    assert "too-deep" in parts[-1].defects
