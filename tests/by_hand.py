"""Content made by hand: the texts of a message as an opener would find them, without a sandbox.

In: octets of a message. Out: `Opened` with plain and (roughly) HTML texts and the leaves of the MIME tree.
Not here: real opening (`gatepost.sandbox`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable
from hashlib import sha256

from gatepost.message.message import parse_message
from gatepost.ports import Item, Opened, Text

_UNSEEN = re.compile(r"(?is)<(style|script|head)\b.*?</\1>|<!--.*?-->|<[^>]{0,2000}>")


def open_by_hand(raw: bytes) -> Opened:
    """The texts and leaves of `raw`."""
    texts, items = [], []
    for number, part in enumerate(parse_message(raw).tree.walk(), 1):
        if part.children:
            continue
        octets = part.decoded.octets
        kind = "html" if part.content_type.subtype == "html" else "text"
        items.append(
            Item(
                path=str(number),
                name=part.filename,
                declared_type=f"{part.content_type.maintype}/{part.content_type.subtype}",
                kind=kind,
                size=len(octets),
                sha256=sha256(octets).hexdigest(),
            )
        )
        if part.content_type.maintype == "text" and not part.filename:
            seen = html.unescape(_UNSEEN.sub(" ", part.text)) if kind == "html" else part.text
            texts.append(Text(item=str(number), kind="html" if kind == "html" else "plain", visible=seen[:200_000]))
    return Opened(texts=tuple(texts), items=tuple(items))


class HandOpener:
    """`ports.Opener` over `open_by_hand`."""

    def begin(self, raw: bytes) -> Awaitable[Opened]:
        async def opened() -> Opened:
            return open_by_hand(raw)

        return opened()
