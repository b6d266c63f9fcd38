"""A message inside a message or an archive: its parts are members.

In: `Content` of kind "eml". Out: `Member`s, one a leaf. Standard: RFC 5322, RFC 2045.
Not here: messages attached as message/rfc822, whose parts the outer tree has already (`walker`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.message.message import parse_message
from gatepost.message.transfer import decode_transfer
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """The leaves of its MIME tree."""
    octets = content.octets
    if octets.startswith(b"From "):  # the line that mailboxes have (RFC 4155)
        octets = octets[octets.find(b"\n") + 1 or len(octets) :]
    for part in parse_message(octets).tree.walk():
        if part.children:
            continue
        body = decode_transfer(part.body, part.encoding).octets
        if body:
            content.budget.take(len(body))
            yield Member(
                name=part.filename,
                octets=body,
                names=part.filenames,
                declared_type=part.content_type.value,
                charset=part.content_type.get("charset"),
                disposition=part.disposition.value,
                content_id=part.header.text("content-id").strip(" <>"),
            )
