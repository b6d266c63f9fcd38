"""The families of advertising nobody asked for, and which of their phrases a text holds.

In: texts as they are compared (`topics.Folded`). Out: for each family the phrases that were found.
Only those phrases are looked for whose words and pairs of words all stand in the text. A phrase inside a longer one
that was found too counts once. Newsletters that people asked for hold some of these phrases as well: what counts is
how many, and of how many families. Standard: none.
Not here: the phrases (`data/adverts-*.toml`), what they weigh (`rules.advert`).
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise

from gatepost.inspector.wording.topics import LANGUAGES, Folded, fold

MAX_FOUND = 20  # phrases of one family that are told apart; more say no more


class Family(enum.StrEnum):
    """What an advertisement is about, or how it presses."""

    URGE = "urge"  # act now, limited time
    BARGAIN = "bargain"  # free trial, no obligation, money back
    INCOME = "income"  # work at home, get rich
    LOAN = "loan"  # loans, debts, insurance
    CURE = "cure"  # weight loss, pills, eternal youth
    ADULT = "adult"
    GAMBLING = "gambling"  # casinos, lotteries, prizes
    GOODS = "goods"  # replicas, cheap software, diplomas
    MAILING = "mailing"  # bulk mail, search engines, web design
    STOCK = "stock"  # shares and investments
    EXCUSE = "excuse"  # this is not spam, you opted in
    REMOVAL = "removal"  # reply with "remove"
    STRANGER = "stranger"  # dear friend; how one speaks to nobody in particular


def find_adverts(text: Folded) -> Mapping[Family, tuple[str, ...]]:
    """The phrases in `text` by family, families without one left out."""
    table = _prepared()
    pairs = set(pairwise(text.text.split()))
    found: dict[Family, list[str]] = {}
    for key in table.keys() & text.words:
        for phrase, needed, family in table[key]:
            if needed <= pairs and (len(needed) < 2 or phrase in text.text):
                found.setdefault(family, []).append(phrase)
    return {family: _longest(phrases) for family, phrases in found.items()}


def merged(every: Iterable[Mapping[Family, tuple[str, ...]]]) -> Mapping[Family, tuple[str, ...]]:
    """What several texts hold together, each phrase once."""
    found: dict[Family, dict[str, None]] = {}
    for one in every:
        for family, phrases in one.items():
            found.setdefault(family, {}).update(dict.fromkeys(phrases))
    return {family: tuple(phrases) for family, phrases in found.items()}


def _longest(phrases: list[str]) -> tuple[str, ...]:
    """`phrases` without those inside others, in a fixed order."""
    if len(phrases) == 1:
        return (phrases[0].strip(),)
    kept: list[str] = []
    for phrase in sorted(phrases, key=lambda one: (-len(one), one))[: 3 * MAX_FOUND]:
        if not any(phrase in longer for longer in kept):
            kept.append(phrase)
    return tuple(phrase.strip() for phrase in kept[:MAX_FOUND])


@cache
def _prepared() -> Mapping[str, tuple[tuple[str, frozenset[tuple[str, str]], Family], ...]]:
    """Phrases, a space on both sides, and their pairs of neighbouring words, by their longest word."""
    folder = files("gatepost.inspector.wording").joinpath("data")
    table: dict[str, dict[tuple[str, Family], None]] = {}
    for language in LANGUAGES:
        families = tomllib.loads(folder.joinpath(f"adverts-{language}.toml").read_text("utf-8"))
        for name, phrases in families.items():
            for phrase in phrases:
                text = fold(phrase).text
                table.setdefault(max(text.split(), key=len), {})[text, Family(name)] = None
    return {
        key: tuple((phrase, frozenset(pairwise(phrase.split())), family) for phrase, family in phrases)
        for key, phrases in table.items()
    }
