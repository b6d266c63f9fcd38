"""Outlook's .msg as an attachment: its text, and what is attached to it.

In: `Content` of kind "msg". Out: `Member`s. Standard: Microsoft's MS-OXMSG. Not here: reading it (`outlook`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.outlook import read_outlook, write_mime
from gatepost.sandbox.reader import Content, Member


def read(content: Content, finds: Finds) -> Iterator[Member]:
    """Texts first; a message within becomes one that the reader of messages takes."""
    message = read_outlook(content.octets)
    if message.html:
        yield Member(name="", octets=message.html, declared_type="text/html", charset="utf-8")
    if message.plain.strip():
        yield Member(
            name="", octets=message.plain.encode("utf-8", "replace"), declared_type="text/plain", charset="utf-8"
        )
    if message.rtf:
        yield Member(name="message.rtf", octets=message.rtf, declared_type="text/rtf")
    for each in message.attached:
        octets = each.octets if each.message is None else write_mime(each.message)
        content.budget.take(len(octets))
        yield Member(
            name=each.name,
            names=each.names,
            octets=octets,
            declared_type=each.declared_type if each.message is None else "message/rfc822",
            disposition="attachment",
            content_id=each.content_id,
        )
