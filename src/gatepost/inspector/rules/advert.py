"""Rules on advertising nobody asked for: what it is about and how it presses, by its phrases.

In: `Facts`, with the texts that were opened. Out: `Seen`. One phrase weighs next to nothing, since mailings that people
asked for hold some as well; several of a family weigh more, and so do several families. The group `advert` is capped
below `tag_at`. Mail of an acquaintance, and of a proven list, weighs a fraction.
Standard: none but practice. Not here: the phrases (`wording.adverts`), the make-up (`shape_…`), fraud (`wording`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.knowing import is_acquainted, was_answered
from gatepost.inspector.rule import Rule, Seen, rule
from gatepost.inspector.wording import fold
from gatepost.inspector.wording.adverts import Family, find_adverts, merged
from gatepost.message.words import decode_words

MAX_SUBJECT = 1000  # characters
MILD = 0.3  # of its weight: from an acquaintance, or a list of a proven sender
TOLD = 4  # phrases in the summary
MANY_FAMILIES, MANY_PHRASES = 2, 4
# What one, two, three or more phrases of a family weigh. Measured on good mail: mailings that people asked for press
# and promise too, and name a way out, but hardly any speaks of loans, pills or income.
_MILDEST = (0.0, 0.3, 0.7)
_MILDER = (0.1, 0.6, 1.1)
_PLAIN = (0.3, 1.0, 1.6)
_STRONG = (0.5, 1.7, 2.4)
_WEIGHTS: Mapping[Family, tuple[float, float, float]] = {
    Family.URGE: _MILDEST,
    Family.BARGAIN: _MILDEST,
    Family.REMOVAL: _MILDEST,
    Family.STRANGER: _MILDER,
    Family.EXCUSE: _MILDER,
    Family.STOCK: _MILDER,
    Family.ADULT: _PLAIN,
    Family.GAMBLING: _PLAIN,
    Family.GOODS: _PLAIN,
    Family.MAILING: _PLAIN,
    Family.INCOME: _STRONG,
    Family.LOAN: _STRONG,
    Family.CURE: _STRONG,
}


@lru_cache(maxsize=64)
def _of_subject(text: str) -> Mapping[Family, tuple[str, ...]]:
    return find_adverts(fold(decode_words(text)))


def _found(facts: Facts) -> Mapping[Family, tuple[str, ...]]:
    """The phrases of text and subject together."""
    if facts.content is None:
        return {}
    subject = _of_subject(facts.header.text("subject")[:MAX_SUBJECT])
    return merged((facts.content.adverts, subject)) if subject else facts.content.adverts


def _any(facts: Facts) -> bool:
    return bool(_found(facts))


def _share(facts: Facts) -> float:
    """What is left of the weights, by who writes."""
    if is_acquainted(facts) or was_answered(facts):
        return MILD
    return MILD if facts.aligned_pass and facts.header.first("list-id") else 1.0


def _family(facts: Facts, family: Family) -> Seen | None:
    phrases = _found(facts).get(family)
    if not phrases:
        return None
    weight = _WEIGHTS[family][min(len(phrases), 3) - 1]
    shown = ", ".join(f'"{phrase}"' for phrase in phrases[:TOLD])
    return Seen(
        evidence={"phrases": list(phrases), "words": shown},
        weight=round(weight * _share(facts), 2),
        severity=Severity.INFO if len(phrases) == 1 else None,
    )


def _advert(family: Family, summary: str, why: str) -> Rule:
    """The rule of one family: all differ in nothing but what they say."""

    @rule(
        code=f"advert.{family.value}",
        severity=Severity.NOTICE,
        weight=_WEIGHTS[family][1],
        group="advert",
        summary=summary + ": {words}.",
        why=why,
        remedy="Whoever asked for such mail takes it out of Junk, which teaches the gate (`gatepost learn ham FILE`).",
        reference="practice: unasked advertising",
        when=_any,
    )
    def check(facts: Facts) -> Seen | None:
        return _family(facts, family)

    return check


urge = _advert(
    Family.URGE, "It presses to buy or answer at once", "Haste sells what nobody would buy on second thought."
)
bargain = _advert(Family.BARGAIN, "It promises something for nothing, or without risk", "So speak advertisements.")
income = _advert(
    Family.INCOME,
    "It promises income without much work",
    "Who knew such a way would not write to strangers; the income is the sender's.",
)
loan = _advert(
    Family.LOAN,
    "It offers loans, insurance or a way out of debt",
    "Lenders of this kind live from fees or from the data.",
)
cure = _advert(
    Family.CURE, "It offers pills, cures or a better body", "Such goods are without effect, forged or dangerous."
)
adult = _advert(
    Family.ADULT, "It is about sex, or offers company", "Such mail is sent to anybody, children among them."
)
gambling = _advert(
    Family.GAMBLING, "It is about gambling or prizes", "Who advertises it by mail to strangers is no honest house."
)
goods = _advert(
    Family.GOODS,
    "It offers goods that are sold by mail to strangers",
    "Copies, diplomas and cheap licences are forged.",
)
mailing = _advert(
    Family.MAILING, "It offers addresses, customers or work on a web site", "Such offers go to every address of a site."
)
stock = _advert(
    Family.STOCK, "It recommends shares or investments", "Who recommends a share to strangers holds it and will sell."
)
excuse = _advert(
    Family.EXCUSE, "It explains why it is allowed", "Mail that people want need not say that it is no spam."
)
removal = _advert(
    Family.REMOVAL, "It says how to be spared in future", "Honest mailings have a way out too, and say less about it."
)
stranger = _advert(
    Family.STRANGER, "It speaks as one does to nobody in particular", "So write those who know nothing of their reader."
)


@rule(
    code="advert.many",
    severity=Severity.NOTICE,
    weight=0.7,
    group="advert",
    summary="It has {number} phrases of {count} kinds of advertising.",
    why="A mailing that people asked for has some of them.",
    remedy="Whoever asked for such mail takes it out of Junk, which teaches the gate (`gatepost learn ham FILE`).",
    reference="practice: unasked advertising",
    when=_any,
)
def many(facts: Facts) -> Seen | None:
    found = _found(facts)
    phrases = sum(map(len, found.values()))
    if len(found) < MANY_FAMILIES or phrases < MANY_PHRASES:
        return None
    weight = min(1.6, 0.2 * (phrases - MANY_PHRASES + 1))
    evidence = {"count": len(found), "number": phrases, "families": sorted(found)}
    return Seen(evidence=evidence, weight=round(weight * _share(facts), 2))
