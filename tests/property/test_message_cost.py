"""Twice the input is at most about twice the work: counted in executed lines, not in time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from gatepost.message.addr_spec import parse_addr_spec
from gatepost.message.addresses import parse_addresses
from gatepost.message.dsn import read_dsn
from gatepost.message.message import Message
from gatepost.message.parameters import parse_parameterized
from gatepost.message.received import parse_received, parse_trace
from gatepost.message.transfer import decode_transfer
from gatepost.message.words import read_words

MOST = 2.7  # twice, and what the limits (which small inputs do not reach) add


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python `call` executes."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def read_tree(raw: bytes) -> object:
    return [(part.decoded, part.filenames) for part in Message(raw).tree.walk()]


HEAD = b"Content-Type: multipart/mixed; boundary=x\n\n"
OCTETS: dict[str, tuple[Callable[[bytes], object], Callable[[int], bytes]]] = {
    "nested multiparts": (
        read_tree,
        lambda n: b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(n)),
    ),
    "nested messages": (read_tree, lambda n: b"Content-Type: message/rfc822\n\n" * n),
    "parts": (read_tree, lambda n: HEAD + b"--x\n\na\n" * n),
    "parts without an empty line": (read_tree, lambda n: HEAD + b"--x\nA: b\n" * n),
    "lines that are nearly delimiters": (read_tree, lambda n: HEAD + b"--xx\n--\n" * n),
    "delimiters in a header": (read_tree, lambda n: HEAD + b"--x\n" + b"--y: z\n" * n),
    "the same field": (read_tree, lambda n: HEAD[:-1] * n + b"\n--x\n"),
    "traces": (
        lambda raw: parse_trace(Message(raw).header),
        lambda n: b"Received: from a (b [192.0.2.1]) by c; d\n" * n,
    ),
    "groups of a report": (
        lambda raw: read_dsn(Message(raw)),
        lambda n: HEAD + b"--x\nContent-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * n,
    ),
    "uuencode": (lambda raw: decode_transfer(raw, "uuencode"), lambda n: b"begin 644 x\n" + b"#AAAA\n" * n),
}


def repeated(read: Callable[[str], object], *pieces: str, head: str = "") -> dict[str, tuple[Any, Any]]:
    """A case for each piece: `head` and then the piece as often as it takes."""
    return {f"{read.__name__} {piece!r}": (read, lambda n, piece=piece: head + piece * n) for piece in pieces}


TEXTS: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    **repeated(parse_addresses, "(", "()", '"', "<", "@", ":", "a@b,", "<a>", "a ", "<@"),
    **repeated(parse_addresses, "a@b:", "(", head="a@b "),
    "nested comments": (parse_addresses, lambda n: "(" * n + ")" * n + "a@b"),
    "colons behind an at": (parse_addresses, lambda n: "a " * n + "@" + ":" * n),
    "an addr-spec with comments": (parse_addr_spec, lambda n: "(a)" * n + "a@b"),
    "an addr-spec with nested comments": (parse_addr_spec, lambda n: "(" * n + ")" * n + "a@b"),
    **repeated(read_words, "=?", "=?utf-8?q?", "=?utf-8?q?a?= ", "=?x?b?YQ?= "),
    **repeated(parse_parameterized, "; a=b", "; a*0=b", ";", " (", '; a="', head="a/b"),
    **repeated(parse_received, "from ", "(", ";", "by (a) ", "[192.0.2.1] "),
}


@pytest.mark.parametrize("name", OCTETS)
def test_octets(name: str) -> None:
    read, make = OCTETS[name]
    small, large = make(400), make(800)
    assert lines_run(lambda: read(large)) <= MOST * lines_run(lambda: read(small)) + 500


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    read, make = TEXTS[name]
    small, large = make(400), make(800)
    assert lines_run(lambda: read(large)) <= MOST * lines_run(lambda: read(small)) + 500


def test_the_worst_of_each_sort_is_read_at_all() -> None:
    """Sizes an attacker would send; what they cost is in the tests above, that they end is shown here."""
    assert len(list(Message(OCTETS["nested multiparts"][1](2000)).tree.walk())) <= 101
    assert "too-many-parameters" in parse_parameterized("a/b" + "; a=b" * 20_000).defects
    assert "too-many-words" in read_words("=?utf-8?q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?= " * 5000)[1]
    assert "too-long" in parse_received("[192.0.2.1] " * 100_000).defects
    assert parse_addresses("()" * 50_000).mailboxes[0].address == ""
    assert parse_addr_spec("(" * 2000 + ")" * 2000 + "a@b.example").addr_spec is not None
