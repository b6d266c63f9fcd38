"""Fuzzes the readers of pages: HTML both ways, style sheets, SVG, calendar parts, plain text."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content
from gatepost.sandbox.readers import calendar, css, html, svg, text
from gatepost.sandbox.readers.html_events import _from_tokens, _from_tree, is_cheap
from gatepost.sandbox.readers.html_page import Page

CORPUS = [
    b"<html><head><base href='http://b.example/'><style>.x{display:none} @media a{b{c:d}} p{background:url(x)}</style>"
    b"<meta http-equiv=refresh content='0;url=http://r.example'></head><body text=#fff bgcolor=white><a href=x>y</a>",
    b"<p style='font-size:0;color:rgb(1,2,3);background:\\72 ed/**/'>x<b>y<p>z</b><table><td><form action=//f>",
    b"<!--[if mso]><a href=http://m/>n</a><![endif]--><iframe srcdoc='&lt;img src=http://i/&gt;'></iframe>",
    b"<script>new Blob([atob('QQ==')]);createObjectURL()</script><svg onload=x><a xlink:href=y><![CDATA[z]]></svg>",
    b"BEGIN:VCALENDAR\r\nMETHOD:X\r\nORGANIZER;CN=\"a:b\":mailto:x@y\r\nDESCRIPTION:see http://e\r\n x.com\\n\r\n",
    b"\xff\xfe<\x00p\x00>\x00", b"<meta charset=utf-7>+ADw-", b"<title><textarea><plaintext><noscript><template>",
]  # fmt: skip


def target(data: bytes) -> None:
    for reader in (html, svg, css, calendar, text):
        finds = Finds()
        finds.item("1", kind="html", size=len(data), sha256="")
        for charset in ("", "utf-8"):
            list(reader.read(Content(path="1", octets=data, charset=charset), finds))
        finds.opened()  # what a child tells must pass the parent's check
    words = data.decode("utf-8", "replace")
    for events in (_from_tokens(words), _from_tree(words) if is_cheap(words) else ()):
        page = Page()
        for event in events:
            page.feed(event)


if __name__ == "__main__":
    main(target, CORPUS)
