"""HTML as a stream of what begins, what ends, texts and comments, in the tree's order.

In: HTML, any. Out: events: ("start", tag, attributes), ("end", tag, {}), ("text", text, {}), ("comment", text, {}).
Standard: the HTML Standard §13.2. Two parsers: lexbor builds the tree as browsers do, ten times as fast, but its cost
grows with the square of depth and of attributes; what could cost too much goes through justhtml's tokenizer, which is
linear and knows no tree. Both read entities, and neither loses a link that a browser sees.
Not here: what the events mean (`html_page`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from justhtml import stream
from selectolax.lexbor import LexborHTMLParser

Event = tuple[str, str, Mapping[str, str | None]]

MAX_TAGS = 20_000  # for the tree: nested, they cost half a second
MAX_ATTRIBUTES = 2_000  # of one tag, for the tree
MAX_EVENTS = 400_000
MAX_COMMENTS = 500  # for the tokenizer, which looks for the end of each to the end of the text; more are read as tags
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
# the HTML Standard §13.2.5.6–40, the plain cases: a name, then attributes with blanks between them
_TAG = re.compile(
    r"</?[a-zA-Z][^\s\"'<>=/`]{0,60}+"
    r"(?:[ \t\r\n\f]++[^\s\"'<>=/`]{1,200}+"
    r"(?:[ \t\r\n\f]*+=[ \t\r\n\f]*+(?:\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>`]++))?+)*+"
    r"[ \t\r\n\f]*+/?+>"
)
_OTHER_SIGNS = frozenset((*"!? \t\r\n\f0123456789=<>-+.,;:()[]{}&%$#@*'\"\\|~^_`", ""))
_NOTHING: Mapping[str, str | None] = {}


def events_of(text: str) -> Iterator[Event]:
    """The events of `text`."""
    return _from_tree(text) if is_cheap(text) else _from_tokens(text)


def is_cheap(text: str) -> bool:
    """Whether the tree is built in bearable time, whatever `text` holds."""
    if text.count("<") > MAX_TAGS:
        return False
    longest = max(text.split("<"), key=len)
    if len(longest) < 2 * MAX_ATTRIBUTES or _may_have(longest) < MAX_ATTRIBUTES:
        return True
    return _tags_are_small(text)


def _may_have(piece: str) -> int:
    """At most how many attributes `piece` has, if it is all one tag."""
    between = sum(piece.count(sign) for sign in (" ", "\n", "\t", "\f", "\r", '"', "'"))
    return between + piece.count("/") // 8  # base64 is full of slashes


def _tags_are_small(text: str) -> bool:
    """Whether what is long stands between tags, as style sheets do. Where every "<" begins a tag that is written as it
    should be, without "<" and ">" in its values, every parser ends it at its ">", and no attribute stands elsewhere.
    From the first that is not, all of the text may be attributes."""
    at = text.find("<")
    while at >= 0:
        tag = _TAG.match(text, at)
        if tag is not None:
            if tag.end() - at >= 2 * MAX_ATTRIBUTES and _may_have(tag[0]) >= MAX_ATTRIBUTES:
                return False
            end = tag.end()
        elif text[at + 1 : at + 2] in _OTHER_SIGNS or not text[at + 1 : at + 2].isascii():
            end = at + 1  # a comment, a document type, or a sign by itself: no attributes
        else:
            return all(
                len(rest) < 2 * MAX_ATTRIBUTES or _may_have(rest) < MAX_ATTRIBUTES for rest in text[at:].split("<")
            )
        at = text.find("<", end)
    return True


def _from_tree(text: str) -> Iterator[Event]:
    root: Any = LexborHTMLParser(text).root
    node = root.parent.first_child if root is not None and root.parent is not None else root  # comments may lead
    while node is not None:
        if node.is_element_node:
            tag = node.tag
            yield ("start", tag, node.attributes)
            inside = node.first_child
            if inside is not None:
                node = inside
                continue
            yield ("end", tag, _NOTHING)
        elif node.is_text_node:
            yield ("text", node.text_content or "", _NOTHING)
        elif node.is_comment_node:
            yield ("comment", node.comment_content or "", _NOTHING)
        while node is not None:
            after = node.next
            if after is not None:
                node = after
                break
            node = node.parent
            if node is None or not node.is_element_node:
                return
            yield ("end", node.tag, _NOTHING)


def _from_tokens(text: str) -> Iterator[Event]:
    pieces = text.split("<!--", MAX_COMMENTS)
    text = "<!--".join((*pieces[:-1], pieces[-1].replace("<!--", "<!- ")))
    for count, event in enumerate(stream(text)):
        if count > MAX_EVENTS:
            return
        if event[0] == "start":
            tag, attributes = event[1]
            yield ("start", tag, attributes)
            if tag in VOID:
                yield ("end", tag, _NOTHING)
        elif event[0] in ("end", "text", "comment"):
            yield (event[0], str(event[1]), _NOTHING)
