"""A message: the octets, its header section, and its MIME tree when asked for.

In: the octets as received (CRLF) or as saved (LF). Out: `Message`, lazily parsed.
Standard: RFC 5322 §2.1, RFC 2045. Not here: the parsers themselves (`header`, `mime`).
"""

from __future__ import annotations

from functools import cached_property

from gatepost.message.header import Header, parse_header
from gatepost.message.mime import parse_tree
from gatepost.message.part import Part


class Message:
    """`raw` never changes; `header` is read at once, anything deeper on first use."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.header: Header = parse_header(raw)

    @cached_property
    def tree(self) -> Part:
        """The MIME tree; its root is the message itself."""
        return parse_tree(self.raw, self.header)

    @property
    def defects(self) -> tuple[str, ...]:
        """What is wrong with the header section."""
        return self.header.defects

    @cached_property
    def body(self) -> bytes:
        """The octets after the empty line."""
        return self.raw[self.header.end :]


def parse_message(raw: bytes) -> Message:
    """Reads `raw`. Total: any octets give a Message; what was wrong is in the defects."""
    return Message(raw)
