"""Content for tests of rules: a page or a text, read by the sandbox's own readers, or links made by hand.

In: HTML, or links. Out: `Content`. Not here: whole messages (the sandbox's tests), facts (`judging`).
"""

from __future__ import annotations

from typing import Any

from gatepost.inspector.content import Content
from gatepost.ports import Followed, Link, Opened
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content as Part
from gatepost.sandbox.readers import html, svg


def page(text: str, *, name: str = "", followed: tuple[Followed, ...] = ()) -> Content:
    """What is in a message whose only part is the page `text`; with a `name` it is attached."""
    finds = Finds()
    kind = "svg" if name.endswith(".svg") else "html"
    finds.item("1", kind=kind, size=len(text), sha256="", name=name, disposition="attachment" if name else "")
    reader = svg.read if kind == "svg" else html.read
    list(reader(Part(path="1", octets=text.encode(), charset="utf-8"), finds))
    return Content(finds.opened(), followed)


def linked(*targets: str, source: str = "html-a", shown: str = "", **more: Any) -> Content:
    """What is in a message that has these links."""
    return Content(Opened(links=tuple(Link(target=t, source=source, shown=shown, item="1") for t in targets)), **more)
