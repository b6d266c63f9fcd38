"""Real and broken mail of other people: every message is read, and a few are looked at closely."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from gatepost.message.addresses import parse_addresses
from gatepost.message.dates import parse_date
from gatepost.message.dsn import read_dsn
from gatepost.message.message import Message
from gatepost.message.received import parse_trace
from gatepost.message.words import decode_words

EVERY_NTH = 5  # of the corpus's messages; all of them take half a minute


def read_all(raw: bytes) -> Message:
    """Everything the parsers offer, so that what could crash does; offsets must give the octets back."""
    message = Message(raw)
    assert (
        b"".join(field.raw for field in message.header)
        == raw[: message.header.end].removesuffix(b"\r\n" if raw[: message.header.end].endswith(b"\n\r\n") else b"\n")
        or not message.header.fields
    )
    parse_trace(message.header)
    read_dsn(message)
    for part in message.tree.walk():
        assert part.start <= part.body_start <= part.body_end <= len(part.source)
        assert isinstance(part.text + part.filename, str)
        for field in part.header:
            decode_words(field.text)
            if field.key in ("from", "to", "cc", "reply-to", "sender"):
                parse_addresses(field.value)
            elif field.key == "date":
                parse_date(field.value)
    return message


def fixture(suites: Path, name: str) -> Message:
    return read_all(next((suites / "mime" / "mikel-mail").rglob(name)).read_bytes())


@pytest.mark.suite("mikel-mail")
def test_mikels_messages_are_read(suites: Path) -> None:
    paths = sorted((suites / "mime" / "mikel-mail").rglob("*.eml"))
    assert len(paths) > 90
    for path in paths:
        read_all(path.read_bytes())


@pytest.mark.suite("mikel-mail")
def test_some_of_mikels_messages_closely(suites: Path) -> None:
    names = {
        "attachment_with_base64_encoded_name.eml": "This is a test.pdf",
        "attachment_with_quoted_filename.eml": "Eelanalüüsi päring.jpg",
        "attachment_with_unquoted_name.eml": "This is a test.txt",
        "attachment_nonascii_filename.eml": "ciële.txt",
        "attachment_with_encoded_name.eml": "01 Quien Te Dij\ufffdat. Pitbull.mp3",
        "japanese_attachment.eml": "てすと.txt",
        "japanese_attachment_long_name.eml": "かきくけこ" * 5 + ".txt",
    }
    for name, expected in names.items():
        found = [part.filename for part in fixture(suites, name).tree.walk() if part.filename]
        assert expected in found, (name, found)


@pytest.mark.suite("corpus")
def test_the_corpus_is_read(suites: Path) -> None:
    read = 0
    with tarfile.open(suites / "corpus" / "shared-corpus.tar.xz") as archive:
        for number, member in enumerate(archive):
            if member.isfile() and number % EVERY_NTH == 0:
                content = archive.extractfile(member)
                assert content is not None
                message = read_all(content.read())
                assert message.header.first("from") is not None or not message.header.fields, member.name
                read += 1
    assert read > 200
