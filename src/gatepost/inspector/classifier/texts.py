"""What a person reads in a message, as plain text, with its links: what the features are made of.

In: a message; its opened content where an opener read it in a child, else its own text parts, read here in a plain way.
Out: `Read`. Bounded and linear: HTML is only stripped of its tags here, nothing in it is obeyed.
De-fanging ("hxxp://a[.]b", so that nobody follows a link) is undone: an archived mail reads as it did when it came.
Standard: none. Not here: opening (`sandbox`), features (`tokens`).
"""

from __future__ import annotations

import html
import operator
import re
from dataclasses import dataclass

from gatepost.inspector.content import Content
from gatepost.message.message import Message
from gatepost.message.part import Part

MAX_TEXT = 60_000  # characters that are read in all
MAX_SOURCE = 200_000  # of HTML, before its tags go
MAX_PARTS = 50
_LINK = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"'\])},]{3,500}|\bwww\.[\w.-]{4,100}[^\s<>\"'\])},]{0,300}", re.IGNORECASE
)
_ADDRESS = re.compile(r"\S{1,64}@\S{1,255}")
_DEFANGED_SCHEME = re.compile(r"\bhxxp", re.IGNORECASE)
_LINK_SIGN = re.compile(r"[:wW](?://|[wW]{2}\.)")
_BEFORE_SIGN = 5  # characters of a scheme
_LONGEST_LINK = 520
_LOCAL, _DOMAIN = 64, 255  # characters of an address before and after its "@"
_DEFANGED_DOT = re.compile(r"\[\.\]|\(\.\)")
_QUOTES = frozenset((">", "|"))  # what quoted lines begin with
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_RULE = re.compile(r"[_=-]{25,}[ \t]*")
_FOOTER = 10  # lines that a list adds below a message, under a rule of underscores or hyphens
_SILENT_START = re.compile(r"<(script|style|title|!--)")  # elements whose text does not show, and comments
_TARGET = re.compile(r"""\b(?:href|action)\s*=\s*["']?\s*([^\s"'>]{4,1000})""", re.IGNORECASE)
_BLOCK = re.compile(r"</?(?:p|div|br|tr|td|th|li|ul|ol|h\d|table|body|blockquote)\b[^<>]{0,1000}>", re.IGNORECASE)
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]{0,2000}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """`text` has neither links nor addresses in it, no quoted lines and no footer of a list. `kinds` are those of what
    is attached; `hidden` counts characters that do not show, `quoted` lines, `pictures` images."""

    text: str
    links: tuple[str, ...]
    kinds: tuple[str, ...]
    hidden: int
    quoted: int
    pictures: int
    signature: bool


def read_texts(message: Message, content: Content | None) -> Read:
    """What is there to read."""
    if content is not None and (content.opened.texts or content.opened.items):
        return _from_content(content)
    return _from_parts(message)


def _from_content(content: Content) -> Read:
    opened = content.opened
    main = [text for text in opened.texts if "/" not in text.item]
    plain = "\n".join(text.visible for text in main if text.kind == "plain")
    rich = "\n".join(text.visible for text in main if text.kind == "html")
    inside = "\n".join(text.visible for text in opened.texts if "/" in text.item)
    links = [link.target for link in opened.links if not link.source.startswith("html-image")]
    kinds = [item.kind for item in content.attachments]
    pictures = sum(item.declared_type.startswith("image/") for item in opened.items)
    pictures += sum(link.source == "html-image" for link in opened.links)
    hidden = sum(len(text.hidden) for text in main)
    return _read(_fuller(plain, rich) + "\n" + inside, links, kinds, hidden, pictures)


def _from_parts(message: Message) -> Read:
    plain: list[str] = []
    rich: list[str] = []
    links: list[str] = []
    kinds: list[str] = []
    pictures = 0
    for number, part in enumerate(message.tree.walk()):
        if number >= MAX_PARTS:
            break
        if part.children:
            continue
        kind = part.content_type.value
        if part.disposition.value == "attachment" or not kind.startswith("text/"):
            kinds.append(kind.rpartition("/")[2])
            pictures += kind.startswith("image/")
        elif kind == "text/html":
            text, found, images = _strip(_source(part))
            rich.append(text)
            links += found
            pictures += images
        else:
            plain.append(_source(part)[:MAX_TEXT])
    return _read(_fuller("\n".join(plain), "\n".join(rich)), links, kinds, 0, pictures)


def _source(part: Part) -> str:
    return part.text[:MAX_SOURCE]


def _fuller(plain: str, rich: str) -> str:
    """A message says the same in both, as a rule; where one says more, that is what is read."""
    return plain if 2 * len(plain.split()) >= len(rich.split()) else rich


def _strip(source: str) -> tuple[str, list[str], int]:
    """HTML without its tags, its links, and how many images it shows."""
    source = _without_silent(source)
    links = [html.unescape(target) for target in _TARGET.findall(source)]
    images = source.lower().count("<img")
    return html.unescape(_TAG.sub("", _BLOCK.sub("\n", source)))[:MAX_TEXT], links, images


def _without_silent(source: str) -> str:
    """`source` without scripts, styles and comments, in one pass: one that is never closed ends the text."""
    lower = source.lower()
    if len(lower) != len(source):  # a few characters have a longer lower case
        source = lower
    kept: list[str] = []
    at = 0
    for match in _SILENT_START.finditer(lower):
        if match.start() < at:
            continue
        kept.append(source[at : match.start()])
        end = "-->" if match[1] == "!--" else f"</{match[1]}"
        found = lower.find(end, match.end())
        at = found + len(end) if found >= 0 else len(source)
    kept.append(source[at:])
    return " ".join(kept)


def _without_footer(text: str) -> str:
    """`text` up to a rule that has no more than ten lines below it."""
    lines = text.rstrip().split("\n")
    for back in range(2, min(_FOOTER + 2, len(lines))):
        if _RULE.fullmatch(lines[-back]):
            return "\n".join(lines[:-back])
    return text


def _read(text: str, links: list[str], kinds: list[str], hidden: int, pictures: int) -> Read:
    text = _undo_defanging(text[:MAX_TEXT].replace("\r\n", "\n"))
    text = _without_footer(text)
    text, quoted = _without_quotes(text)
    all_links = [_undo_defanging(link) for link in links]
    text = _take_links(text, all_links)
    text = _without_addresses(text)
    return Read(
        text=text,
        links=tuple(dict.fromkeys(_full(link) for link in all_links if _is_web(link))),
        kinds=tuple(dict.fromkeys(kinds)),
        hidden=hidden,
        quoted=quoted,
        pictures=pictures,
        signature="--" in text and bool(_SIGNATURE.search(text)),
    )


def _without_quotes(text: str) -> tuple[str, int]:
    """`text` with its quoted lines empty, and how many there were."""
    if ">" not in text and "|" not in text:
        return text, 0
    lines = text.split("\n")
    kept = ["" if line[:4].lstrip(" \t")[:1] in _QUOTES else line for line in lines]
    return "\n".join(kept), sum(map(operator.ne, lines, kept))


def _take_links(text: str, links: list[str]) -> str:
    """`text` with a blank for each link, which is added to `links`. Only where a sign of one stands is the pattern
    tried: everywhere it costs more than all the rest."""
    kept: list[str] = []
    at = 0
    for sign in _LINK_SIGN.finditer(text):
        low = max(at, sign.start() - _BEFORE_SIGN)
        link = _LINK.search(text, low, sign.start() + _LONGEST_LINK) if sign.start() >= at else None
        if link is None or link.start() > sign.start():
            continue
        links.append(link[0])
        kept += (text[at : link.start()], " ")
        at = link.end()
    return "".join((*kept, text[at:])) if kept else text


def _without_addresses(text: str) -> str:
    """`text` with a blank for each address, looked for around each "@" only."""
    kept: list[str] = []
    at, sign = 0, text.find("@")
    while sign >= 0:
        found = _ADDRESS.search(text, max(at, sign - _LOCAL), sign + _LOCAL + _DOMAIN + 1) if sign >= at else None
        if found is not None and found.start() <= sign:
            kept += (text[at : found.start()], " ")
            at = found.end()
        sign = text.find("@", max(sign + 1, at))
    return "".join((*kept, text[at:])) if kept else text


def _undo_defanging(text: str) -> str:
    if "[.]" in text or "(.)" in text:
        text = _DEFANGED_DOT.sub(".", text)
    return _DEFANGED_SCHEME.sub("http", text) if "hxxp" in text.lower() else text


def _is_web(link: str) -> bool:
    return link.lower().lstrip().startswith(("http:", "https:", "ftp:", "www."))


def _full(link: str) -> str:
    link = link.strip()
    return link if "://" in link[:12] else "http://" + link
