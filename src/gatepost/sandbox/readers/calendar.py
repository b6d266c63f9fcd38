"""Reads calendar parts: an invitation's links and the texts that a person sees.

In: the octets of a text/calendar part or an .ics file. Out: links ("calendar"), a text, and the trait
"calendar.invitation" with "method", "organizer" and "attachments" (how many are inside or linked).
Standard: RFC 5545 §3.1 (lines and folding), §3.3.11 (escapes), §3.8.1 (ATTACH, DESCRIPTION, LOCATION), RFC 7986 §5.11
(CONFERENCE). HTML in X-ALT-DESC or ALTREP is read as HTML. Not here: dates and attendance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.charset import read_text
from gatepost.sandbox.readers.html import read_page, tidy
from gatepost.sandbox.readers.text import find_addresses

MAX_LINES = 20_000
_FOLD = re.compile(r"\r?\n[ \t]")  # RFC 5545 §3.1
_ALTREP = re.compile(r"ALTREP=\"([^\"]{1,2000})\"", re.IGNORECASE)
_ESCAPES = re.compile(r"\\([nN,;\\])")
_TEXTS = ("SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT")
_ADDRESSES = ("URL", "CONFERENCE", "ATTACH", "X-GOOGLE-CONFERENCE", "IMAGE", "SOURCE")


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells what the invitation says and links to."""
    text = _FOLD.sub("", read_text(content.octets, content.charset or "utf-8"))
    path = content.path
    words: list[str] = []
    method, organizer, attached = "", "", 0
    for line in text.splitlines()[:MAX_LINES]:
        left, value = _divided(line)
        name = left.partition(";")[0].strip().upper()
        if name in _TEXTS:
            words.append(_unescaped(value))
            for alternative in _ALTREP.findall(left)[:5]:
                finds.link(alternative, source="calendar", item=path)
        elif name == "X-ALT-DESC":
            for link in read_page(_unescaped(value)).links:
                finds.link(link.target, source="calendar", item=path, shown=tidy(link.shown))
        elif name in _ADDRESSES:
            attached += name == "ATTACH"
            if "ENCODING=BASE64" not in left.upper():
                finds.link(value.strip(), source="calendar", item=path)
        elif name == "METHOD":
            method = value.strip().upper()
        elif name == "ORGANIZER":
            organizer = value.strip()
    visible = "\n".join(words)
    for address in find_addresses(visible):
        finds.link(address.target, source="calendar", item=path)
    finds.text(item=path, kind="calendar", visible=visible)
    if method or organizer:
        finds.trait(path, "calendar.invitation", method=method[:40], organizer=organizer, attachments=attached)
    return ()


def _divided(line: str) -> tuple[str, str]:
    """Name with parameters, and value: the first colon outside quotes divides them."""
    quoted = False
    for at, char in enumerate(line[:2000]):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            return line[:at], line[at + 1 :]
    return line, ""


def _unescaped(value: str) -> str:
    return _ESCAPES.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
