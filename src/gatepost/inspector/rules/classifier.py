"""The classifier's opinion as findings: what a message is like, by its words and facts.

In: `Facts.opinion`. Out: `Seen`, with the words and facts that weighed. Standard: none; DESIGN, "no statistical
classifier decides alone": alone it puts a message into the Junk folder at most (`policy`).
Not here: the opinion (`inspector.classifier`), the levels' measurement (`docs/detection.md`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.classifier.model import Opinion
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule

# Score, weight, severity. Measured on held-out mail (docs/detection.md). Only the first puts a message into the Junk
# folder by itself; the others ask for other signs beside them, the fewer the surer the score.
LEVELS = (
    (1.3, 5.2, Severity.WARNING),
    (0.8, 4.0, Severity.NOTICE),
    (0.5, 3.0, Severity.NOTICE),
    (0.2, 2.6, Severity.INFO),
)
# Score and weight of what is like good mail. It is little, since anybody can write so.
GOOD = ((-3.0, -1.5), (-1.5, -0.5))


def _opinion(facts: Facts) -> bool:
    return facts.opinion is not None


def _unwanted(opinion: Opinion | None, kind: str) -> Seen | None:
    if opinion is None or opinion.kind != kind:
        return None
    for score, weight, severity in LEVELS:
        if opinion.score >= score:
            summary = _FAINT[kind] if severity is Severity.INFO else None
            return Seen(evidence=_evidence(opinion), weight=weight, severity=severity, summary=summary)
    return None


def _evidence(opinion: Opinion) -> dict[str, object]:
    return {
        "score": opinion.score,
        "against": [name for name, _ in opinion.against],
        "in_favour": [name for name, _ in opinion.favour],
        "learned_here": opinion.learned,
        "words": ", ".join(_readable(name) for name, _ in opinion.against[:5]) or "-",
    }


def _readable(name: str) -> str:
    """A feature as a person reads it."""
    kind, colon, rest = name.partition(":")
    return f"{_PLACES.get(kind, kind)} {rest}" if colon else name.replace("_", " ")


_FAINT = {
    "spam": "Some of its words are more common in advertising than in good mail: {words}.",
    "phish": "Some of its words are more common in fraud than in good mail: {words}.",
}
_PLACES = {
    "s": "in the subject",
    "n": "in the author's name",
    "l": "of the links",
    "h": "of the header",
    "m": "attached",
    "t": "of the text",
    "f": "finding",
}


@rule(
    code="classifier.spam",
    severity=Severity.WARNING,
    weight=5.2,
    group="classifier",
    summary="It reads like advertising nobody asked for: {words}.",
    why="Its words and its make-up are mostly those of mail that people called spam. Statistics err, so this alone "
    "puts a message into the Junk folder at most.",
    remedy="`gatepost learn ham FILE` (or moving it out of Junk) teaches the gate that such mail is wanted here.",
    reference="practice 2: spam",
    when=_opinion,
)
def spam(facts: Facts) -> Seen | None:
    return _unwanted(facts.opinion, "spam")


@rule(
    code="classifier.phish",
    severity=Severity.WARNING,
    weight=5.2,
    group="classifier",
    summary="It reads like fraud, as scam and phishing do: {words}.",
    why="Its words and its make-up are mostly those of mail that wanted money or passwords under false pretences. "
    "Statistics err, so this alone puts a message into the Junk folder at most.",
    remedy="Ask the sender by another way whether it is real. `gatepost learn ham FILE` teaches the gate if it is.",
    reference="practice 2: phishing",
    when=_opinion,
)
def phish(facts: Facts) -> Seen | None:
    return _unwanted(facts.opinion, "phish")


@rule(
    code="classifier.ham",
    severity=Severity.INFO,
    weight=-0.5,
    group="classifier",
    summary="It reads like ordinary mail.",
    why="Its words and its make-up are mostly those of mail that people wanted. That weighs little, since anybody can "
    "write so, and nothing where something grave was found.",
    reference="practice 2: spam",
    when=_opinion,
)
def ham(facts: Facts) -> Seen | None:
    opinion = facts.opinion
    if opinion is None or opinion.grave:
        return None
    for score, weight in GOOD:
        if opinion.score <= score:
            return Seen(evidence=_evidence(opinion), weight=weight)
    return None
