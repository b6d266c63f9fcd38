"""message.mbox: the same messages whatever the chunks, unquoted, in bounded memory."""

from __future__ import annotations

import pytest

from gatepost.message.mbox import MboxMessage, MboxSplitter

FILE = (
    b"From a@b Thu Nov  5 12:00:00 2026\nSubject: 1\n\nbody\n>From me\n>>From you\n\nFrom here on prose\n\n"
    b"From c@d Thu Nov  5 12:00:00 2026\nSubject: 2\n\nnot blank before\nFrom e@f Thu Nov  5 12:00:00 2026\n\n"
    b"From e@f Thu Nov  5 12:00:00 2026\n\n"
    b"From g@h Thu Nov  5 12:00:00 2026\nSubject: 4\n\nend\n\n"
)
MESSAGES = [
    b"Subject: 1\n\nbody\nFrom me\n>From you\n\nFrom here on prose\n",
    b"Subject: 2\n\nnot blank before\nFrom e@f Thu Nov  5 12:00:00 2026\n",
    b"",
    b"Subject: 4\n\nend\n",
]


def split(octets: bytes, size: int, limit: int = 1 << 20) -> list[MboxMessage]:
    splitter = MboxSplitter(limit)
    found = [message for at in range(0, len(octets), size) for message in splitter.feed(octets[at : at + size])]
    return found + splitter.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_messages_with_lf_and_crlf(size: int) -> None:
    found = split(FILE, size)
    assert [message.raw for message in found] == MESSAGES
    assert found[1].postmark == b"From c@d Thu Nov  5 12:00:00 2026"
    assert all(FILE[message.offset :].startswith(message.postmark) for message in found)
    assert not any(message.defects for message in found)
    crlf = split(FILE.replace(b"\n", b"\r\n"), size)
    assert [message.raw for message in crlf] == [raw.replace(b"\n", b"\r\n") for raw in MESSAGES]


@pytest.mark.parametrize("size", [1, 100, 5000, 1 << 20])
def test_a_long_message_is_cut_and_the_next_one_found(size: int) -> None:
    octets = b"From a@b 12:00\n" + b"x" * 20_000 + b"\n\nFrom c@d 12:00\nSubject: 2\n"
    first, second = split(octets, size, limit=100)
    assert (first.raw, first.defects) == (b"x" * 100, ("cut",))
    assert (second.raw, second.defects) == (b"Subject: 2\n", ())


def test_memory_is_bounded() -> None:
    splitter = MboxSplitter(1000)
    splitter.feed(b"From a@b 12:00\n")
    for _ in range(1000):
        splitter.feed(b"From " + b"y" * 1000)
        assert len(splitter._buffer) < 20_000


def test_a_file_without_a_postmark_is_one_message_more() -> None:
    found = split(b"Subject: 0\n\nx\n\n" + FILE, 7)
    assert (found[0].raw, found[0].defects) == (b"Subject: 0\n\nx\n", ("no-postmark",))
    assert [message.raw for message in found[1:]] == MESSAGES
    assert split(b"", 1) == []


def test_a_first_line_that_never_ends_is_no_postmark() -> None:
    """Found by the fuzzer: what was read depended on the chunks."""
    octets = b"From a@b 12:" * 500 + b"\n\nFrom c@d 12:00\nx\n"
    assert split(octets, 7) == split(octets, 100_000)
    assert [message.defects for message in split(octets, 7)] == [("no-postmark",), ()]
