"""Rules on the header section of bulk mail: shouting subjects, senders nobody is called, forged programs' marks.

In: `Facts`. Out: `Seen`. Each stands in honest mail too and weighs little; the group `shape` is capped below `tag_at`.
Standard: RFC 5322 §3.6 (fields); practice of those who have watched bulk mailers for twenty years.
Not here: what programs leave (`shape_programs`), the body (`shape_body`), words (`advert`), fields that are missing or
broken (`fields`, `senders`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.threads import looks_like_reply, references_of
from gatepost.inspector.wording import fold
from gatepost.message.addresses import parse_addresses
from gatepost.message.words import decode_words

MAX_FIELD = 2000  # characters of a field that are looked at
MAX_SUBJECT = 300  # of a subject; nobody sees more
_CAPITALS_FROM = 10  # letters; fewer may be a name
_MANY = 5  # recipients from which their order says something
_ORDERED = 0.9  # share of neighbours in the order of the alphabet
_CODE = re.compile(
    r"\s{6,}\S|\s{4,}[\[(<{#]?[\w-]{3,24}[\])>}]?\s*$|\.{3,}\s?\d{3,}$"
    r"|[\s.][\[]?(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{6,20}[\]]?\s*$|[\s.]\((?=[a-zA-Z]*\d)[a-zA-Z\d]{6,20}\)\s*$"
)
_GAPS = re.compile(r"(?<!\S)(?:[^\W\d_][ .*_-]{1,3}){4,20}[^\W\d_](?![^\W_])")
_MONEY = re.compile(r"[$€£]\s?\d|\$\$|\d\s?(?:€|euros?\b|usd\b|dollars?\b)", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_RANDOM = re.compile(
    r"(?=[^a-z]*[a-z]\D*\d[^a-z]*[a-z]\D*\d)[a-z\d]{7,}|[a-z]{1,4}\d{5,}|\d[\da-z_]{5,}|[a-z]+\d{2,}[a-z]{2,}\d*"
    r"|[a-z]*[bcdfghjklmnpqrstvwxz]{6}[a-z]*"
)
LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe", "list-help")
_DIGITS = str.maketrans("013457", "oieast")
_DISGUISED_TEXT = (
    "free mortgage viagra cialis sex porn cash money loan loans credit debt pharmacy pills pill weight casino prices "
    "price sexy xanax valium rolex click offer earn income winner order buy adult girls teen diet"
)
_DISGUISED = frozenset(_DISGUISED_TEXT.split())


def disguised(words: Iterable[str]) -> str:
    """The first of `words` that is one of advertising with digits for letters, empty for none."""
    for word in words:
        if not word.isalpha() and not word.isdigit() and word.translate(_DIGITS) in _DISGUISED:
            return word
    return ""


@lru_cache(maxsize=64)
def _decoded(text: str) -> str:
    return decode_words(text)


def _subject(facts: Facts) -> str:
    return _decoded(facts.header.text("subject")[:MAX_FIELD])[:MAX_SUBJECT]


def subject_signs(subject: str) -> Iterator[str]:
    """How `subject` shouts, in plain words."""
    letters = list(filter(str.isalpha, subject))
    if len(letters) >= _CAPITALS_FROM and sum(map(str.isupper, letters)) > 0.7 * len(letters):
        yield "capitals"
    if "!!" in subject or subject.count("!") > 1:
        yield "exclamation marks"
    if _MONEY.search(subject):
        yield "money"
    if _GAPS.search(subject):
        yield "letters with gaps"
    if _DIGIT.search(subject) and disguised(fold(subject).words):
        yield "digits for letters"
    if _CODE.search(subject):
        yield "a code at its end"
    if "***" in subject or "~~" in subject or ">>>" in subject:
        yield "ornaments"


@rule(
    code="shape.subject",
    severity=Severity.NOTICE,
    weight=0.4,
    group="shape",
    summary="The subject shouts, or hides from filters: {words}.",
    why="Advertisers shout to be read, and vary a subject so that no two messages are alike. Shops shout at times too.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
)
def subject(facts: Facts) -> Seen | None:
    signs = list(subject_signs(_subject(facts)))
    if not signs:
        return None
    evidence = {"signs": signs, "words": ", ".join(signs)}
    grave = {"letters with gaps", "digits for letters", "a code at its end"} & set(signs)
    return Seen(evidence=evidence, weight=min(2.0, 0.4 * len(signs) + 0.6 * len(grave)))


@rule(
    code="shape.sender-invented",
    severity=Severity.NOTICE,
    weight=0.8,
    group="shape",
    summary="The sender's address looks invented by a program: {local}.",
    why="Bulk mailers make up an address for each run. Some people and ticket systems have such addresses too.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
)
def sender_invented(facts: Facts) -> Seen | None:
    if not facts.authors:
        return None
    local = facts.authors[0].addr_spec.local_part.lower()[:64]
    return Seen(evidence={"local": local}) if _RANDOM.fullmatch(local) else None


@rule(
    code="shape.sender-is-recipient",
    severity=Severity.NOTICE,
    weight=0.6,
    group="shape",
    summary="Sender and recipient are the same address, {address}.",
    why="Who hides the true recipients writes one address into both. Notes to oneself and some circulars do so too.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
)
def sender_is_recipient(facts: Facts) -> Seen | None:
    if not facts.authors or facts.aligned_pass or any(facts.header.first(name) for name in LIST_FIELDS):
        return None
    field = facts.header.first("to")
    boxes = parse_addresses(field.text[:MAX_FIELD]).mailboxes if field is not None else ()
    mine = facts.authors[0].address.lower()
    if len(boxes) == 1 and mine and boxes[0].address.lower() == mine:
        return Seen(evidence={"address": mine})
    return None


@rule(
    code="shape.no-recipient",
    severity=Severity.NOTICE,
    weight=0.6,
    group="shape",
    summary="The message names nobody as its recipient ({how}).",
    why="Whoever writes to a bought list does not show it. Circulars to clubs and colleagues are sent so too.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="RFC 5322 §3.6.3",
)
def no_recipient(facts: Facts) -> Seen | None:
    fields = [*facts.header.all("to"), *facts.header.all("cc")]
    text = " ".join(field.text for field in fields)[:MAX_FIELD]
    if "@" in text or any(facts.header.first(name) for name in LIST_FIELDS):
        return None
    if not facts.header.fields:
        return None  # no header at all: the rules on missing fields say it
    if not fields:
        return Seen(evidence={"how": "no To or Cc"})
    hidden = "undisclosed" in text.lower() or text.strip().endswith(":;")
    return Seen(evidence={"how": "undisclosed" if hidden else "no address in To"}, weight=0.3 if hidden else 0.8)


@rule(
    code="shape.alike-recipients",
    severity=Severity.NOTICE,
    weight=1.5,
    group="shape",
    summary="It is addressed to {count} people in the order of the alphabet, from {first} to {last}.",
    why="Such a row comes from a harvested list; people write to those they know in another order.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
)
def alike_recipients(facts: Facts) -> Seen | None:
    fields = [*facts.header.all("to"), *facts.header.all("cc")]
    text = ", ".join(field.text for field in fields)[: 2 * MAX_FIELD]
    if text.count("@") < _MANY:
        return None
    boxes = parse_addresses(text).mailboxes
    names = [box.address.lower() for box in boxes if box.address]
    if len(set(names)) < _MANY:
        return None
    ordered = sum(one <= two for one, two in pairwise(names))
    begins = {name[:2] for name in names}
    if ordered >= _ORDERED * (len(names) - 1) and len(begins) <= 2:
        return Seen(evidence={"count": len(names), "first": names[0], "last": names[-1]})
    return None


@rule(
    code="shape.false-answer",
    severity=Severity.INFO,
    weight=0.2,
    group="shape",
    summary="The subject says that this answers something, and no field says what.",
    why='A "Re:" makes people open a message. Some programs leave the fields out of true answers too.',
    reference="RFC 5322 §3.6.5",
)
def false_answer(facts: Facts) -> Seen | None:
    text = _subject(facts)
    if not looks_like_reply(text) or references_of(facts.header):
        return None
    if facts.header.first("in-reply-to") or facts.header.first("references") or facts.header.first("thread-index"):
        return None
    return Seen()


@rule(
    code="shape.urgent",
    severity=Severity.INFO,
    weight=0.6,
    group="shape",
    summary="It is marked as urgent by {field}, and answers nothing.",
    why="Advertisers mark their mail as urgent; so do people at times.",
    reference="RFC 2156 §5.3.6",
)
def urgent(facts: Facts) -> Seen | None:
    for name in ("x-priority", "x-msmail-priority", "importance", "priority"):
        text = facts.header.text(name)[:40].strip().lower()
        if text.startswith(("1", "high", "urgent", "2")) and not references_of(facts.header):
            return Seen(evidence={"field": name})
    return None
