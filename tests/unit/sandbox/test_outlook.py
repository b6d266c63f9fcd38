""".msg files: read as attachments and as messages of their own, whatever is broken in them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from gatepost.cli.sources import read_one
from gatepost.errors import InputError
from gatepost.message.message import parse_message
from gatepost.ports import Opened
from gatepost.sandbox.compound import BadCompound, Compound
from gatepost.sandbox.outlook import read_outlook, write_mime

Open = Callable[..., Opened]
Tree = dict[str, "bytes | Tree"]
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(tree: Tree) -> bytes:
    """A compound file of sectors of 512 octets; every stream is padded past the mini stream's bound."""
    entries: list[tuple[str, int, int, int, int, int]] = []  # name, kind, right, child, start, size
    blobs: list[bytes] = []

    def add(name: str, node: bytes | Tree) -> int:
        number = len(entries)
        entries.append((name, 0, FREE, FREE, 0, 0))
        if isinstance(node, bytes):
            blobs.append(node)
            entries[number] = (name, 2, FREE, FREE, len(blobs) - 1, len(node))
            return number
        below = [add(key, value) for key, value in node.items()]
        for left, right in pairwise(below):
            row = entries[left]
            entries[left] = (row[0], row[1], right, row[3], row[4], row[5])
        entries[number] = (name, 1 if number else 5, FREE, below[0] if below else FREE, 0, 0)
        return number

    add("Root Entry", tree)
    chains: list[int] = []
    sectors: list[bytes] = []
    starts = []
    for blob in blobs:
        starts.append(len(sectors) if blob else END)
        for at in range(0, len(blob), 512):
            sectors.append(blob[at : at + 512].ljust(512, b"\x00"))
            chains.append(len(sectors) if at + 512 < len(blob) else END)
    directory = b""
    for name, kind, right, child, start, size in entries:
        text = name.encode("utf-16-le") + b"\x00\x00"
        first = starts[start] if kind == 2 else END
        directory += text.ljust(64, b"\x00") + struct.pack("<HBB", len(text), kind, 1)
        directory += struct.pack("<III", FREE, right, child) + bytes(36) + struct.pack("<IQ", first, size)
    directory_at = len(sectors)
    for at in range(0, len(directory), 512):
        sectors.append(directory[at : at + 512].ljust(512, b"\x00"))
        chains.append(len(sectors) if at + 512 < len(directory) else END)
    fat_at = len(sectors)
    count = (len(sectors) + 1) // 128 + 1
    chains += [FAT] * count
    table = b"".join(struct.pack("<I", number) for number in chains).ljust(count * 512, b"\xff")
    sectors += [table[at : at + 512] for at in range(0, len(table), 512)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, count, directory_at, 0, 0, END, 0, END, 0, fat_at)
    header += struct.pack("<I", fat_at + 1) * 0
    header += b"".join(struct.pack("<I", fat_at + n) for n in range(1, count))
    return header.ljust(512, b"\xff") + b"".join(sectors)


def text(words: str) -> bytes:
    """A string property."""
    return words.encode("utf-16-le")


def make_msg(**more: bytes | Tree) -> bytes:
    """A .msg with a subject, a text and an attachment."""
    attachment: Tree = {
        "__properties_version1.0": bytes(8),
        "__substg1.0_3707001F": text("invoice.exe"),
        "__substg1.0_37010102": b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\x00\x00" + bytes(100),
    }
    tree: Tree = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": text("Your invoice\r\nBcc: x@y.example"),
        "__substg1.0_0C1A001F": text('Ann "A" Example'),
        "__substg1.0_5D01001F": text("ann@example.org"),
        "__substg1.0_0E04001F": text("bob@example.net; carl@example.net"),
        "__substg1.0_1000001F": text("See https://example.org/pay and the file."),
        "__attach_version1.0_#00000000": attachment,
        **more,
    }
    return compound(tree)


def test_as_an_attachment(open_attachment: Open) -> None:
    opened = open_attachment(make_msg(), "mail.msg")
    assert [(item.path, item.kind, item.name) for item in opened.items[1:]] == [
        ("2", "msg", "mail.msg"),
        ("2/1", "text", ""),
        ("2/2", "pe", "invoice.exe"),
    ]
    assert [link.target for link in opened.links] == ["https://example.org/pay"]
    assert not opened.trouble


def test_as_a_message_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mail.msg").write_bytes(make_msg())
    message = parse_message(read_one(str(tmp_path / "mail.msg")))
    header = message.header
    assert header.text("from") == '"Ann A Example" <ann@example.org>'
    assert header.text("subject") == "Your invoice Bcc: x@y.example"
    assert header.first("bcc") is None
    leaves = [(part.content_type.value, part.filename) for part in message.tree.walk() if not part.children]
    assert leaves == [("text/plain", ""), ("application/octet-stream", "invoice.exe")]


def test_the_header_that_came_with_it_is_kept() -> None:
    kept = text(
        "Received: from a by b; Tue, 24 Nov 2026 08:00:00 +0000\r\nFrom: real@example.org\r\n"
        "DKIM-Signature: v=1;\r\n b=x"
    )
    header = parse_message(write_mime(read_outlook(make_msg(**{"__substg1.0_007D001F": kept})))).header
    assert header.text("from") == "real@example.org"
    assert header.first("received") is not None
    assert header.first("dkim-signature") is None


def test_a_message_within(open_attachment: Open) -> None:
    inner: Tree = {"__properties_version1.0": bytes(24), "__substg1.0_1000001F": text("inner words http://in.example/")}
    outer: Tree = {"__properties_version1.0": bytes(8), "__substg1.0_3701000D": inner}
    opened = open_attachment(make_msg(**{"__attach_version1.0_#00000001": outer}), "mail.msg")
    assert "http://in.example/" in {link.target for link in opened.links}


def test_no_octets_raise_anything_else(open_attachment: Open) -> None:
    whole = make_msg()
    for at in range(0, len(whole), 97):
        spoilt = bytearray(whole)
        spoilt[at] ^= 0xFF
        for octets in (bytes(spoilt), whole[:at]):
            try:
                write_mime(read_outlook(octets))
            except BadCompound:
                continue
    looping = bytearray(whole)
    looping[512 + 76 : 512 + 80] = struct.pack("<I", 0)
    open_attachment(bytes(looping), "mail.msg")


def test_what_is_no_msg_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.msg").write_bytes(compound({"WordDocument": b"x" * 5000}))
    with pytest.raises(InputError, match="no message"):
        read_one(str(tmp_path / "a.msg"))
    with pytest.raises(BadCompound):
        Compound(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
