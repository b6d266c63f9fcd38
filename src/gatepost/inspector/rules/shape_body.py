"""Rules on the make-up of bulk mail's body: pictures for words, loud type, hidden and odd words, ways out.

In: `Facts`. Out: `Seen`. Each stands in honest mail too and weighs little; the group `shape` is capped below `tag_at`.
Only the first octets of a page are looked at. Standard: practice.
Not here: the header section (`shape_header`), its parts (`shape_parts`), words (`advert`),
what pages do (`markup`), where links lead (`links`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.shape_header import disguised
from gatepost.inspector.rules.shape_parts import has_text, own_parts

MAX_PAGE = 30_000  # octets of a page that are looked at
MAX_TEXT = 12_000  # characters of what shows
_FEW_WORDS = 40
_LARGE = re.compile(rb"<font[^>]{0,120}?\bsize\s*=\s*[\"']?\+?[4-7]")
_GLARING = re.compile(rb"<font[^>]{0,120}?\bcolor\s*=\s*[\"']?#?(?:ff0000|red|0000ff|blue|ffff00|yellow|00ff00|lime)")
_COMMENT = re.compile(rb"<!--[^>]{0,60}-->")
_TOLL_FREE = re.compile(r"(?<![\d-])1?[ .(-]{0,3}(?:800|888|877|866|855|844)[) .-]{1,3}\w{3}[ .-]\w{4}(?![\w-])")
_TOLL_FREE_CODES = ("800", "888", "877", "866", "855", "844")
_OTHERS = bytes(octet for octet in range(256) if not chr(octet).isascii() or not chr(octet).isalpha())
_NO_CAPITALS = bytes(octet for octet in range(256) if not 65 <= octet <= 90)
_NOISE = re.compile(r"(?:^|\s)(?=[a-z]*[bcdfghjklmnpqrstvwxz]{5}|[a-z]*\d[a-z]+\d)[a-z0-9]{8,40}\s*$")
_REMOVE = ("remove", "unsubscribe", "unsub", "delete", "optout", "opt-out", "opt%20out", "removal", "stop")


def _pages(facts: Facts) -> Iterator[bytes]:
    for part in own_parts(facts):
        if part.content_type.value == "text/html":
            yield part.decoded.octets[:MAX_PAGE].lower()


def _visible(facts: Facts) -> str:
    return facts.content.visible[:MAX_TEXT] if facts.content is not None else ""


@rule(
    code="shape.pictures-only",
    severity=Severity.NOTICE,
    weight=1.2,
    group="shape",
    summary="It shows {pictures} pictures from elsewhere and {words} words.",
    why="What stands in a picture no filter reads.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
    when=has_text,
)
def pictures_only(facts: Facts) -> Seen | None:
    assert facts.content is not None
    pictures = sum(link.source == "html-image" for link in facts.content.opened.links[:1000])
    words = len(_visible(facts).split())
    if not pictures or words >= _FEW_WORDS or not facts.content.links.web:
        return None
    return Seen(evidence={"pictures": pictures, "words": words})


@rule(
    code="shape.loud-page",
    severity=Severity.NOTICE,
    weight=0.4,
    group="shape",
    summary="The page is set in large or glaring type ({large} times large, {glaring} times glaring).",
    why="Advertisers want to be seen. Some shops do too.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
    when=has_text,
)
def loud_page(facts: Facts) -> Seen | None:
    large = glaring = 0
    for page in _pages(facts):
        large += len(_LARGE.findall(page)) + page.count(b"<marquee") + page.count(b"<blink")
        glaring += len(_GLARING.findall(page))
    if not large and glaring < 3:
        return None
    return Seen(evidence={"large": large, "glaring": glaring}, weight=0.9 if large > 1 and glaring > 2 else None)


@rule(
    code="shape.words-split",
    severity=Severity.WARNING,
    weight=1.5,
    group="shape",
    summary="{count} words are split by tags or comments that do not show.",
    why="The reader sees the word and a simple filter does not.",
    remedy="Do not trust the message: no program writes so by itself.",
    reference="practice: hidden text",
    when=has_text,
)
def words_split(facts: Facts) -> Seen | None:
    count = 0
    for page in _pages(facts):
        for match in _COMMENT.finditer(page):
            count += page[match.start() - 1 : match.start()].isalpha() and page[match.end() : match.end() + 1].isalpha()
    return Seen(evidence={"count": count}) if count >= 5 else None


@rule(
    code="shape.odd-letters",
    severity=Severity.NOTICE,
    weight=1.2,
    group="shape",
    summary='Words are spelt with digits for letters ("{word}").',
    why="So written, a word that filters know reads the same and is another.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
    when=has_text,
)
def odd_letters(facts: Facts) -> Seen | None:
    word = disguised(sorted(facts.content.folded.words)) if facts.content is not None else ""
    return Seen(evidence={"word": word}) if word else None


@rule(
    code="shape.shouting",
    severity=Severity.NOTICE,
    weight=0.5,
    group="shape",
    summary="The text shouts: {words}.",
    why="Advertisers shout to be read. Some people do too.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
    when=has_text,
)
def shouting(facts: Facts) -> Seen | None:
    text = _visible(facts)
    octets = text.encode("ascii", "ignore")
    letters = len(octets.translate(None, _OTHERS))
    signs = []
    if letters > 100 and len(octets.translate(None, _NO_CAPITALS)) > 0.3 * letters:
        signs.append("capitals")
    if octets.count(b"!") > max(4, len(text) // 300):
        signs.append("exclamation marks")
    if b"$$" in octets or b"!!!" in octets:
        signs.append("ornaments")
    if not signs:
        return None
    return Seen(evidence={"words": ", ".join(signs), "signs": signs}, weight=(0.4, 0.9, 1.4)[len(signs) - 1])


@rule(
    code="shape.toll-free",
    severity=Severity.INFO,
    weight=0.7,
    group="shape",
    summary="It names a toll-free number: {number}.",
    why="Advertisements do; so do honest firms.",
    reference="practice: unasked advertising",
    when=has_text,
)
def toll_free(facts: Facts) -> Seen | None:
    text = _visible(facts)
    if not any(code in text for code in _TOLL_FREE_CODES):
        return None
    found = _TOLL_FREE.search(text)
    return Seen(evidence={"number": found[0].strip()}) if found is not None else None


@rule(
    code="shape.noise",
    severity=Severity.NOTICE,
    weight=1.5,
    group="shape",
    summary='The text ends with letters that mean nothing ("{noise}").',
    why="They make every copy another, so that filters of copies do not see it.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
    when=has_text,
)
def noise(facts: Facts) -> Seen | None:
    found = _NOISE.search(facts.content.visible.rstrip()[-200:].lower()) if facts.content is not None else None
    return Seen(evidence={"noise": found[0].strip()}) if found is not None else None


@rule(
    code="shape.remove-by-mail",
    severity=Severity.NOTICE,
    weight=0.4,
    group="shape",
    summary="The way out is a mail to {address}.",
    why="Who answers shows that the address is read. Small honest lists work so too.",
    remedy="Do not answer mailings that you did not ask for.",
    reference="practice: unasked advertising",
    when=has_text,
)
def remove_by_mail(facts: Facts) -> Seen | None:
    assert facts.content is not None
    for link in facts.content.opened.links[:1000]:
        target = link.target[:300].lower()
        if target.startswith("mailto:") and any(word in target for word in _REMOVE):
            address = target[7:90].partition("?")[0]
            if not _is_list_of(facts, address.rpartition("@")[2]):
                return Seen(evidence={"address": address})
    return None


def _is_list_of(facts: Facts, domain: str) -> bool:
    """Whether the message went to an address of `domain`: then it is a list's own command address."""
    told = " ".join(facts.header.text(name)[:1000] for name in ("to", "cc", "reply-to", "list-id", "list-post"))
    return bool(domain) and domain in told.lower()
