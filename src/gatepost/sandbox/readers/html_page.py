"""A page, gathered from the events of its HTML: links with what is shown for them, visible and hidden text, signs.

In: events (`html_events`), one at a time. Out: the attributes of `Page`. Linear in the events, whatever they are.
Standard: the HTML Standard for which attributes are followed.
Not here: parsing (`html_events`), what hides text (`html_look`), who is told (`html`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from gatepost.sandbox.readers.css import addresses_in, read_sheet
from gatepost.sandbox.readers.html_events import VOID, Event
from gatepost.sandbox.readers.html_look import State, Styles

MAX_LINKS = 3000
MAX_DEEP = 20_000  # open elements that are remembered
MAX_BACK = 60  # open elements that an end tag may close over
MAX_SHOWN = 500  # characters kept of a link's text
MAX_SCRIPT = 500_000  # characters of all scripts together that are looked at
MAX_COMMENT = 20_000  # characters of one conditional comment that are read as HTML

_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset", "figure"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"),
        *("section", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul"),
    )
)
_REFRESH = re.compile(r"^[\d.,;\s]{0,20}(?:url\s{0,5}=\s{0,5})?[\"']?([^\"']{1,3000})", re.IGNORECASE)
_CONDITION = re.compile(r"\s{0,100}\[if\s[^\]]{1,100}\]>", re.IGNORECASE)
_SCHEME = re.compile(r"\s{0,20}[a-zA-Z][a-zA-Z0-9+.-]{0,30}:")
_FRAMES = {"iframe": "src", "frame": "src", "embed": "src", "object": "data", "portal": "src"}
_LOOKS = frozenset(("style", "bgcolor", "background", "color", "text", "hidden"))
_UNREAD = frozenset(("script", "style", "title", "noembed", "noframes", "template", "head"))


@dataclass(slots=True)
class Found:
    """A link; `shown` grows while its element is open."""

    target: str
    source: str
    shown: str = ""


@dataclass(slots=True)
class Page:
    """`free` is the visible text outside of links. `scripts` is the text of all scripts and event attributes. `signs`
    are words for what else was seen: "form", "password-field", "event-attribute", "download-attribute", "script",
    "frame", "refresh", "base"."""

    links: list[Found] = field(default_factory=list)
    visible: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    signs: dict[str, int] = field(default_factory=dict)
    conditional: list[str] = field(default_factory=list)
    base: str = ""
    _styles: Styles = field(default_factory=Styles)
    _stack: list[State] = field(default_factory=lambda: [State("")])
    _style: list[str] = field(default_factory=list)
    _anchor: Found | None = None
    _script_room: int = MAX_SCRIPT

    def feed(self, event: Event) -> None:
        """One event."""
        kind, value, attributes = event
        if kind == "text":
            self._text(value)
        elif kind == "start":
            self._start(value, attributes)
        elif kind == "end":
            self._end(value)
        elif kind == "comment":
            condition = _CONDITION.match(value)
            if condition is not None:
                self.conditional.append(value[condition.end() : condition.end() + MAX_COMMENT])

    # --- texts

    def _text(self, text: str) -> None:
        state = self._stack[-1]
        if state.tag == "style":
            self._style.append(text)
        elif state.tag == "script":
            self._script(text)
        elif state.tag == "noscript" and "<" in text:  # the tokenizer does not look into it, and readers run no script
            self.conditional.append(text[:MAX_COMMENT])
        elif state.tag in _UNREAD:
            pass
        elif state.conceals:
            if not text.isspace():
                self.hidden.append(text)
        else:
            self.visible.append(text)
            if self._anchor is None:
                self.free.append(text)
            elif len(self._anchor.shown) < MAX_SHOWN:
                self._anchor.shown += text[:MAX_SHOWN]

    def _break(self, hidden: bool) -> None:
        """A new line, where an element that stands by itself begins or ends."""
        if hidden:
            self.hidden.append("\n")
            return
        self.visible.append("\n")
        self.free.append("\n")

    def _script(self, text: str) -> None:
        if self._script_room > 0:
            self.scripts.append(text[: self._script_room])
            self._script_room -= len(text)

    # --- elements

    def _start(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        above = self._stack[-1]
        if tag in _BLOCKS:
            self._break(above.hidden)
        state = above
        if attributes:
            self._links(tag, attributes)
        if self._styles.looks or not _LOOKS.isdisjoint(attributes):
            state = self._styles.inside(tag, attributes, above)
        if tag in VOID:
            return
        if state is above:
            state = above.within(tag)
        if len(self._stack) < MAX_DEEP:
            self._stack.append(state)
        if tag == "script":
            self._sign("script")

    def _end(self, tag: str) -> None:
        if tag == "style" and self._style:
            self._add_sheet("".join(self._style))
            self._style.clear()
        if tag == "a":
            self._anchor = None
        if tag in VOID:
            return
        stack = self._stack
        for back in range(1, min(MAX_BACK, len(stack) - 1) + 1):
            if stack[-back].tag == tag:
                del stack[-back:]
                break
        if tag in _BLOCKS:
            self._break(stack[-1].hidden)

    def _add_sheet(self, text: str) -> None:
        sheet = read_sheet(text)
        self._styles.looks.update(sheet.looks)
        for address in sheet.addresses:
            self._link(address, "html-style")

    # --- links

    def _links(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        if tag in ("a", "area"):
            target = attributes.get("href") or attributes.get("xlink:href")
            if target:
                found = self._link(target, "html-a" if tag == "a" else "html-area")
                self._anchor = found if tag == "a" else self._anchor
                self.free.append(" ")
            if "download" in attributes:
                self._sign("download-attribute")
        elif tag in ("img", "input", "button", "form", "meta", "link", "script", "base") or tag in _FRAMES:
            self._special(tag, attributes)
        background, style = attributes.get("background"), attributes.get("style")
        if background:
            self._link(background, "html-image")
        if style and "url(" in style.lower():
            for address in addresses_in(style):
                self._link(address, "html-style")
        for name in attributes:
            if name[:2] == "on" and attributes[name]:
                self._sign("event-attribute")
                self._script((attributes[name] or "")[:4000])

    def _special(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        get = attributes.get
        if tag == "form":
            self._sign("form")
            self._link(get("action") or "", "html-form")
        elif tag in ("input", "button"):
            if (get("type") or "").strip().lower() == "password":
                self._sign("password-field")
            if get("formaction"):
                self._link(get("formaction") or "", "html-form")
            if get("src"):
                self._link(get("src") or "", "html-image")
        elif tag == "meta":
            self._meta(get("http-equiv") or "", get("content") or "")
        elif tag == "base":
            if get("href") and not self.base:
                self.base = (get("href") or "").strip()[:2000]
                self._sign("base")
                self.links.append(Found(self.base, "html-base"))
        elif tag == "link":
            if "stylesheet" in (get("rel") or "").lower():
                self._link(get("href") or "", "html-style")
        elif tag == "img":
            self._link(get("src") or "", "html-image")
        elif tag == "script":
            self._link(get("src") or "", "html-script")
        else:
            self._sign("frame")
            self._link(get(_FRAMES[tag]) or "", "html-frame")
            if get("srcdoc"):
                self.conditional.append((get("srcdoc") or "")[:MAX_COMMENT])

    def _meta(self, equiv: str, value: str) -> None:
        if equiv.strip().lower() == "refresh":
            found = _REFRESH.match(value)
            if found is not None and found[1].strip():
                self._sign("refresh")
                self._link(found[1], "html-refresh")

    def _link(self, target: str, source: str) -> Found | None:
        """Notes a link; a relative one is told as the page's base makes it. Pictures in the mail itself are none."""
        lead = target.lstrip()[:11].lower()
        if not lead or lead[0] == "#" or len(self.links) >= MAX_LINKS:
            return None
        if source in ("html-image", "html-style") and lead.startswith(("cid:", "data:")):
            return None
        if self.base and not _SCHEME.match(target):
            target = _joined(self.base, target)
        found = Found(target, source)
        self.links.append(found)
        return found

    def _sign(self, word: str) -> None:
        self.signs[word] = self.signs.get(word, 0) + 1


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target.strip())
    except ValueError:  # brackets that are no IPv6 address
        return base + target
