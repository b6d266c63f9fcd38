"""Reads SVG: a picture that can hold links, script and whole pages.

In: the octets of an SVG file. Out: what `Finds` is told: links ("svg"), texts, and the traits
- "svg.script": script elements, event attributes or javascript: addresses; "how" lists which
- "svg.foreign-object": HTML inside, as a form or a page
- "svg.smuggling": as "html.smuggling"
Standard: SVG 2 §5.5 (foreignObject), §15 (script), read with the HTML parser, as a mail program or browser that is
handed broken SVG inside HTML would. Not here: HTML (`html`), pictures of dots (`picture`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.charset import read_text
from gatepost.sandbox.readers.css import addresses_in
from gatepost.sandbox.readers.html import smuggling_signs, tidy
from gatepost.sandbox.readers.html_events import events_of

MAX_LINKS = 1000
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells what the picture links to and runs."""
    text = read_text(content.octets, content.charset)
    path = content.path
    targets: dict[str, None] = {}
    texts: list[str] = []
    scripts: list[str] = []
    how: dict[str, None] = {}
    inside = ""
    for kind, value, attributes in events_of(_CDATA.sub("", text)):
        if kind == "start":
            inside = value
            if value == "script":
                how["script"] = None
            elif value.lower() == "foreignobject":
                finds.trait(path, "svg.foreign-object")
            _read_attributes(value, attributes, targets, scripts, how)
        elif kind == "text":
            (scripts if inside == "script" else texts).append(value)
        elif kind == "end":
            inside = ""
    for target in list(targets)[:MAX_LINKS]:
        finds.link(target, source="svg", item=path)
        if target.lstrip()[:11].lower() == "javascript:":
            how["javascript"] = None
    _tell(finds, path, "".join(texts), "".join(scripts), list(how))
    if _ENTITY.search(text):
        finds.trait(path, "svg.entity")
    return ()


def _read_attributes(
    tag: str, attributes: Mapping[str, str | None], targets: dict[str, None], scripts: list[str], how: dict[str, None]
) -> None:
    for name, value in attributes.items():
        if not value:
            continue
        if name in ("href", "xlink:href", "src", "action", "formaction", "data"):
            picture = tag.lower() in ("image", "feimage", "use", "pattern", "lineargradient", "radialgradient", "img")
            if value[0] != "#" and not (picture and value.lstrip()[:5].lower() == "data:"):
                targets[value] = None
        elif name.startswith("on"):
            how["event-attribute"] = None
            scripts.append(value[:4000])
        elif name == "style" and "url(" in value:
            targets.update(dict.fromkeys(addresses_in(value)))
        elif name in ("values", "to", "from") and ":" in value:  # animation can set a link's target
            targets.update(dict.fromkeys(part.strip() for part in value.split(";")[:10] if "://" in part))


def _tell(finds: Finds, path: str, words: str, script: str, how: list[str]) -> None:
    if how:
        finds.trait(path, "svg.script", how=how)
    smuggles = smuggling_signs(script) if script else []
    if smuggles:
        finds.trait(path, "svg.smuggling", signs=smuggles)
    visible = tidy(words)
    if visible:
        finds.text(item=path, kind="html", visible=visible)
