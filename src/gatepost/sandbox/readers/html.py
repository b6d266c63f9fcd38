"""Reads HTML: links with what is shown for them, visible and hidden text, scripts and what they are good for.

In: the octets of a text/html part or of an HTML file. Out: what `Finds` is told. Its traits:
- "html.script": there is script; "how" lists elements and attributes
- "html.smuggling": script builds a file out of itself and hands it over; "signs" lists what of it was seen
- "html.form": a form; "password" tells whether it asks for one, "remote" how many lead elsewhere
- "html.hidden-text": text that does not show; "hidden" and "visible" count characters without blanks
- "html.frame", "html.refresh", "html.base": with "count"
- "html.too-long": only its beginning and end were read; "octets" is its size
- "text.split-words": as in `text`
Standard: the HTML Standard. Bounded by `charset.MAX_TEXT`, linear. Conditional comments, which Outlook obeys, and the
pages of `srcdoc` are read for links as well.
Not here: what a link means (`inspector.links`), styles (`css`), plain text (`text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.charset import is_cut, read_text
from gatepost.sandbox.readers.html_events import events_of
from gatepost.sandbox.readers.html_page import Page
from gatepost.sandbox.readers.text import count_split_words, find_addresses

MAX_INNER = 40  # conditional comments and inner pages that are read

_WIDTHLESS = re.compile("[\u034f\u200b-\u200d\u2060\u00ad\ufeff]+")
_SIGNS = {  # what a script needs to make a file out of itself
    "Blob": re.compile(r"\bnew\s+(?:window\.)?(?:Blob|File)\s*\("),
    "createObjectURL": re.compile(r"\bcreateObjectURL\b"),
    "msSaveBlob": re.compile(r"\bmsSave(?:OrOpen)?Blob\b"),
    "atob": re.compile(r"\batob\b"),
    "fromCharCode": re.compile(r"\bfromCharCode\b"),
    "unescape": re.compile(r"\b(?:unescape|decodeURIComponent)\s*\("),
    "Uint8Array": re.compile(r"\bUint8Array\b"),
    "document.write": re.compile(r"\bdocument\s*\.\s*write(?:ln)?\s*\("),
    "eval": re.compile(r"\beval\s*\(|\bnew\s+Function\s*\("),
    "download": re.compile(r"\.download\s*=|setAttribute\(\s*[\"']download"),
    "click": re.compile(r"\.click\s*\(\s*\)"),
    "location": re.compile(r"\b(?:location\s*(?:\.href\s*)?=|location\.(?:replace|assign)\s*\()"),
}
_LONG_DATA = re.compile(
    r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{1000}|(?<!\\x..)(?:\\x[0-9a-fA-F]{2}){200}|(?<!%..)(?:%[0-9a-fA-F]{2}){200}"
)
_HANDS_OVER = frozenset(("Blob", "createObjectURL", "msSaveBlob", "download"))
_DECODES = frozenset(("atob", "fromCharCode", "unescape", "Uint8Array", "long-data"))
_WRITES = frozenset(("document.write", "eval", "location"))


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells everything that the page holds."""
    text = read_text(content.octets, content.charset, markup=True)
    page = read_page(text)
    path = content.path
    for link in page.links:
        finds.link(link.target, source=link.source, item=path, shown=tidy(link.shown))
    visible, hidden = tidy("".join(page.visible)), tidy(" ".join(page.hidden))
    for address in find_addresses("".join(page.free)):
        finds.link(address.target, source="text", item=path)
    finds.text(item=path, kind="html", visible=visible, hidden=hidden)
    if is_cut(content.octets, text):
        finds.trait(path, "html.too-long", octets=len(content.octets))
    _tell_traits(page, finds, path, visible, hidden)
    return ()


def read_page(text: str) -> Page:
    """The page that `text` makes, with what its comments for Outlook and its inner pages link to."""
    page = Page()
    for event in events_of(text):
        page.feed(event)
    return follow_inner(page)


def follow_inner(page: Page) -> Page:
    """`page` with what its inner pages hold."""
    for inner in page.conditional[:MAX_INNER]:
        within = Page(base=page.base)
        for event in events_of(inner):
            within.feed(event)
        page.links += within.links[: max(0, 3000 - len(page.links))]
        page.scripts += within.scripts
        for word, count in within.signs.items():
            page.signs[word] = page.signs.get(word, 0) + count
    return page


def tidy(text: str) -> str:
    """`text` with blanks as one space, characters without width and empty lines dropped."""
    if not text.isascii():
        text = _WIDTHLESS.sub("", text)
    words = (line.split() for line in text.split("\n"))
    return "\n".join([" ".join(line) for line in words if line])


def smuggling_signs(script: str, *, download: bool = False) -> list[str]:
    """The signs in `script` of a file or page that it makes out of itself; empty unless they fit together."""
    seen = {name for name, sign in _SIGNS.items() if sign.search(script)}
    if _LONG_DATA.search(script):
        seen.add("long-data")
    if download:
        seen.add("download")
    makes_file = bool(seen & _HANDS_OVER) and bool(seen & _DECODES) and len(seen) > 2
    makes_page = bool(seen & _WRITES) and "long-data" in seen
    return sorted(seen) if makes_file or makes_page else []


def _tell_traits(page: Page, finds: Finds, path: str, visible: str, hidden: str) -> None:
    signs = page.signs
    how = [word for word in ("script", "event-attribute") if word in signs]
    if how:
        finds.trait(path, "html.script", how=how)
    script = "".join(page.scripts)
    smuggles = smuggling_signs(script, download="download-attribute" in signs) if script else []
    if smuggles:
        finds.trait(path, "html.smuggling", signs=smuggles)
    if "form" in signs:
        remote = sum(1 for link in page.links if link.source == "html-form" and ":" in link.target[:20])
        finds.trait(path, "html.form", password="password-field" in signs, remote=remote)
    elif "password-field" in signs:
        finds.trait(path, "html.form", password=True, remote=0)
    for word in ("frame", "refresh", "base"):
        if word in signs:
            finds.trait(path, f"html.{word}", count=signs[word])
    count = len(hidden) - hidden.count(" ") - hidden.count("\n")
    if count:
        finds.trait(path, "html.hidden-text", hidden=count, visible=len(visible) - visible.count(" "))
    split = count_split_words("".join(page.visible))
    if split:
        finds.trait(path, "text.split-words", count=split)
