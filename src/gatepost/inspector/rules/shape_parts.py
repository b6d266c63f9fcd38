"""Rules on how bulk mail is put together: pages without a text, needless encodings, fields that every program writes.

In: `Facts`. Out: `Seen`. Each stands in honest mail too and weighs little; the group `shape` is capped below `tag_at`.
Standard: RFC 2045, RFC 2046. Not here: what is in the parts (`shape_body`), the header section (`shape_header`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.message.part import Part

MAX_PARTS = 50


def own_parts(facts: Facts) -> Iterator[Part]:
    """The leaves that are the message's own texts."""
    for number, part in enumerate(facts.message.tree.walk()):
        if number >= MAX_PARTS:
            return
        if not part.children and part.content_type.value in ("text/plain", "text/html") and not part.filename:
            yield part


def has_text(facts: Facts) -> bool:
    return facts.content is not None


@rule(
    code="shape.page-only",
    severity=Severity.INFO,
    weight=0.4,
    group="shape",
    summary="It is a page without a plain text beside it.",
    why="Mail programs write both; simple bulk software writes the page alone. So do many shops and machines.",
    reference="RFC 2046 §5.1.4",
    when=has_text,
)
def page_only(facts: Facts) -> Seen | None:
    kinds = {part.content_type.value for part in own_parts(facts)}
    return Seen() if kinds == {"text/html"} else None


@rule(
    code="shape.needless-base64",
    severity=Severity.NOTICE,
    weight=0.4,
    group="shape",
    summary="A text of plain ASCII is written in base64.",
    why="It needs none, so it is done to hide words from simple filters; some libraries do it without a reason.",
    remedy="The sending program should write the text as it is.",
    reference="RFC 2045 §6",
    when=has_text,
)
def needless_base64(facts: Facts) -> Seen | None:
    for part in own_parts(facts):
        if part.encoding == "base64" and part.decoded.octets.isascii() and part.decoded.octets.strip():
            utf8 = (part.content_type.parameters.get("charset") or "").lower().startswith("utf")
            return Seen(evidence={"part": part.content_type.value}, weight=None if utf8 else 1.5)
    return None


@rule(
    code="shape.no-charset",
    severity=Severity.NOTICE,
    weight=0.6,
    group="shape",
    summary="A text has characters outside ASCII and does not say in which alphabet.",
    why="The reader's program has to guess; bulk software for one country forgets to say.",
    remedy="The sending program has to name the charset.",
    reference="RFC 2046 §4.1.2",
    when=has_text,
)
def no_charset(facts: Facts) -> Seen | None:
    for part in own_parts(facts):
        charset = (part.content_type.parameters.get("charset") or "us-ascii").lower()
        if charset in ("us-ascii", "ascii") and not part.decoded.octets.isascii():
            return Seen(evidence={"part": part.content_type.value})
    return None


@rule(
    code="shape.no-mime-version",
    severity=Severity.NOTICE,
    weight=1.4,
    group="shape",
    summary="It is a page or has several parts, and lacks the MIME-Version field.",
    why="Every mail program writes it; simple bulk software forgets it.",
    remedy="The sending program has to be corrected.",
    reference="RFC 2045 §4",
)
def no_mime_version(facts: Facts) -> Seen | None:
    if facts.header.first("mime-version") is not None:
        return None
    kind = facts.message.tree.content_type.value
    return Seen() if kind == "text/html" or kind.startswith("multipart/") else None


@rule(
    code="shape.one-alternative",
    severity=Severity.NOTICE,
    weight=0.6,
    group="shape",
    summary="It offers alternatives of which there is only one.",
    why="A program that writes alternatives writes two; bulk software copies the form without the content.",
    remedy="The sending program has to be corrected.",
    reference="RFC 2046 §5.1.4",
)
def one_alternative(facts: Facts) -> Seen | None:
    tree = facts.message.tree
    return Seen() if tree.content_type.value == "multipart/alternative" and len(tree.children) == 1 else None


@rule(
    code="shape.page-as-text",
    severity=Severity.NOTICE,
    weight=0.8,
    group="shape",
    summary="A page is sent as plain text.",
    why="The reader sees tags; only software that nobody looks at does so.",
    remedy="The sending program has to be corrected.",
    reference="RFC 2046 §4.1",
    when=has_text,
)
def page_as_text(facts: Facts) -> Seen | None:
    for part in own_parts(facts):
        if part.content_type.value == "text/plain":
            start = part.decoded.octets[:2000].lstrip().lower()
            if start.startswith((b"<html", b"<!doctype html", b"<body", b"<center", b"<table", b"<font", b"<head")):
                return Seen()
    return None
