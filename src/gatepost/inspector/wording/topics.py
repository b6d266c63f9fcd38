"""The topics of fraud, and how a text is compared with their phrases.

In: a text. Out: `Folded`, the text as it is compared; for a topic the phrases found in it.
Accents, case, punctuation, invisible and look-alike characters do not count. A phrase is looked for only where its
longest word stands in the text, so that most cost one look into a set; the text is cut off at `MAX_TEXT`.
Standard: none. Not here: the phrases (`data/`), weights (`rules.wording`).
"""

from __future__ import annotations

import enum
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from gatepost.inspector.links.lookalike import skeleton

MAX_TEXT = 12_000  # characters; a fraud that begins behind so many is read by nobody
MAX_TOLD = 4  # phrases in the evidence
_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# in ASCII, what is neither letter nor digit becomes a blank, capitals become small
_ASCII_WORDS = bytes(ord(chr(code).lower()) if chr(code).isalnum() and code < 128 else 32 for code in range(256))
_FEW_MARKS = 20

LANGUAGES = ("english", "german", "french", "spanish")


class Topic(enum.StrEnum):
    """What a fraud is about."""

    BANK_CHANGE = "bank-change"
    GIFT_CARD = "gift-card"
    PASSWORD = "password"  # noqa: S105 - a topic
    INVOICE = "invoice"
    EXTORTION = "extortion"
    ADVANCE_FEE = "advance-fee"
    PARCEL = "parcel"
    PRIZE = "prize"
    ERRAND = "errand"  # "are you at your desk? I need a quick favour": how a false manager begins


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is all words, each with a space on both sides, `words` the same as a set."""

    text: str
    words: frozenset[str]


EMPTY = Folded(" ", frozenset())


def fold(text: str) -> Folded:
    """`text` as it is compared. Linear, and bounded by `MAX_TEXT`."""
    cut = text[:MAX_TEXT]
    if cut.isascii():
        words = cut.encode("ascii").translate(_ASCII_WORDS).decode("ascii").split()
    else:
        cut = _without_marks(unicodedata.normalize("NFKD", _INVISIBLE.sub("", cut.casefold())))
        words = [word if word.isascii() else skeleton(word) for word in _WORD.findall(cut)]
    return Folded(f" {' '.join(words)} ", frozenset(words)) if words else EMPTY


def _without_marks(text: str) -> str:
    """`text` without accents and the like; few of them are different ones."""
    marks = [character for character in set(text) if unicodedata.combining(character)]
    if len(marks) > _FEW_MARKS:
        return "".join(character for character in text if not unicodedata.combining(character))
    for mark in marks:
        text = text.replace(mark, "")
    return text


@dataclass(frozen=True, slots=True)
class _Group:
    """Phrases of which one is enough, each behind its longest word; `keys` are those words."""

    keys: frozenset[str]
    phrases: tuple[tuple[str, str], ...]

    def found_in(self, text: Folded) -> list[str]:
        return [phrase.strip() for key, phrase in self.phrases if key in text.words and phrase in text.text]


def find_topic(topic: Topic, texts: Iterable[Folded]) -> tuple[str, ...]:
    """The phrases of `topic` in one of `texts`, of the first language that fits; empty where none does."""
    for text in texts:
        found = _topics_in(text).get(topic)
        if found:
            return found
    return ()


@lru_cache(maxsize=8)
def _topics_in(text: Folded) -> Mapping[Topic, tuple[str, ...]]:
    """All topics of `text` with their phrases. Kept for a moment, since each rule asks for one of them."""
    prepared = _prepared()
    known = text.words & prepared.keys
    found: dict[Topic, tuple[str, ...]] = {}
    for topic, languages in prepared.topics.items() if known else ():
        for groups in languages:
            if any(group.keys.isdisjoint(known) for group in groups):
                continue
            phrases = [group.found_in(text) for group in groups]
            if all(phrases):
                found[topic] = tuple(phrase for here in phrases for phrase in here[:2])[:MAX_TOLD]
                break
    return found


class _Prepared:
    """For each topic and language the groups; `keys` are the keys of them all."""

    def __init__(self, topics: dict[Topic, tuple[tuple[_Group, ...], ...]]) -> None:
        self.topics = topics
        self.keys = frozenset(key for rows in topics.values() for row in rows for group in row for key in group.keys)


@cache
def _prepared() -> _Prepared:
    """The phrases, read once."""
    folder = files("gatepost.inspector.wording").joinpath("data")
    languages = [tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")) for name in LANGUAGES]
    return _Prepared(
        {
            topic: tuple(tuple(map(_group, language[topic])) for language in languages if topic in language)
            for topic in Topic
        }
    )


def _group(phrases: list[str]) -> _Group:
    keyed = []
    for phrase in phrases:
        folded = fold(phrase)
        keyed.append((max(folded.text.split(), key=len), folded.text))
    return _Group(frozenset(key for key, _ in keyed), tuple(keyed))
