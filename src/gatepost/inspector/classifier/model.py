"""What features weigh: a message's likeness to spam, and to scam and phishing, by its words and facts.

In: features, the start model's counts, and what was learnt here. Out: `Opinion`, with the features that weighed most.
Each feature has a probability by how often it stood in unwanted and in good mail (Robinson's f(w): a feature seen
seldom is believed little); the score is the damped sum of the log-odds of those that say most. Mail of a kind that was
never seen scores near zero, which is "nothing known", not "good".
Standard: none (G. Robinson, "A Statistical Approach to the Spam Problem", 2003). Not here: features (`tokens`), the
start model's making (`train`) and reading (`start`), what follows (`rules.classifier`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gatepost.ports.memory import NOTHING, Counts, Learned

HAM, SPAM, PHISH = 0, 1, 2
KINDS = {"spam": SPAM, "phish": PHISH}
LESSON = 4  # messages of the start model that one learnt here outweighs: it is this place's own mail
# Lessons of one side only would make every new word a mark of that side. Until this many messages of the other side
# were learnt, and a quarter as many, they count only for mail that is as good as a copy of what was learnt.
_FEWEST = 20
_COPY = 0.45  # share of its pairs of words that stand in lessons; ordinary letters reach 0.4 after 700 lessons of spam
_RARE = 3  # lessons: a pair that stands in more of them is common speech
_DOUBT = 0.5  # Robinson's s: how many messages' worth of "I do not know" stand before each feature
TELLING = 0.8  # log-odds (a probability of 0.69) from which a feature counts
_MOST = 150  # features that count: a long message must not win by length
_DAMPING = 0.7  # what the number of features is raised to: words of one text are no independent witnesses
_SILENT = 100  # features that say nothing, counted in with every message: few words are no ground for an opinion
_SHOWN = 8  # features that are told for and against


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """`kind` is the likelier of "spam" and "phish", `score` its likeness: 0 says nothing, positive unwanted, negative
    good mail. `against` and `favour` are the features that weighed most, with their log-odds. `learned` says whether
    lessons of this place had a part. `grave` is set by who knows the other findings."""

    kind: str
    score: float
    against: tuple[tuple[str, float], ...]
    favour: tuple[tuple[str, float], ...]
    learned: bool
    grave: bool = False


@dataclass(frozen=True)
class Model:
    """`messages` were counted in all, `counts` by feature."""

    messages: Counts
    counts: Mapping[str, Counts]

    @cached_property
    def odds(self) -> Mapping[str, tuple[float, float]]:
        """The log-odds for spam and for phish of each feature that counts for either."""
        both = (
            (name, _odds(counts, self.messages, SPAM), _odds(counts, self.messages, PHISH))
            for name, counts in self.counts.items()
        )
        return {name: (spam, phish) for name, spam, phish in both if max(abs(spam), abs(phish)) >= TELLING}


def weigh(features: Iterable[str], model: Model, learned: Learned | None = None, *, grave: bool = False) -> Opinion:
    """The opinion on a message with `features`."""
    names = tuple(features)
    lessons = _usable(names, learned) if learned is not None else {}
    table = model.odds
    known: list[tuple[str, float, float]] = []
    if not lessons:
        known = [(name, *table[name]) for name in names if name in table]
    else:
        assert learned is not None
        totals = _sum(model.messages, learned.messages)
        for name in names:
            lesson = lessons.get(name)
            if lesson is None:
                found = table.get(name)
                if found is not None:
                    known.append((name, found[0], found[1]))
            else:
                counts = _sum(model.counts.get(name, NOTHING), lesson)
                known.append((name, _odds(counts, totals, SPAM), _odds(counts, totals, PHISH)))
    spam, phish = _score([row[1] for row in known]), _score([row[2] for row in known])
    kind = "phish" if phish > spam else "spam"
    mine = [(row[0], row[2] if phish > spam else row[1]) for row in known]
    ranked = sorted((pair for pair in mine if abs(pair[1]) >= TELLING), key=lambda pair: (-pair[1], pair[0]))
    return Opinion(
        kind=kind,
        score=round(max(spam, phish), 2),
        against=tuple((name, round(odds, 1)) for name, odds in ranked[:_SHOWN] if odds >= TELLING),
        favour=tuple((name, round(odds, 1)) for name, odds in ranked[: -_SHOWN - 1 : -1] if odds <= -TELLING),
        learned=bool(lessons),
        grave=grave,
    )


def _usable(names: Sequence[str], learned: Learned) -> Mapping[str, Counts]:
    """The lessons that may count for a message with these features."""
    good, bad = learned.messages[HAM], learned.messages[SPAM] + learned.messages[PHISH]
    if min(good, bad) >= max(_FEWEST, max(good, bad) / 4):
        return learned.counts
    pairs = [name for name in names if "_" in name and ":" not in name]
    rare = sum(1 for name in pairs if 0 < sum(learned.counts.get(name, NOTHING)) <= _RARE)
    return learned.counts if rare > _COPY * len(pairs) else {}


def _sum(start: Counts, lesson: Counts) -> Counts:
    return (start[0] + LESSON * lesson[0], start[1] + LESSON * lesson[1], start[2] + LESSON * lesson[2])


def _odds(counts: Counts, messages: Counts, kind: int) -> float:
    """ln(f / (1 - f)) with Robinson's f(w) = (s·x + n·p(w)) / (s + n), x = 0.5."""
    good = counts[HAM] / messages[HAM] if messages[HAM] else 0.0
    bad = counts[kind] / messages[kind] if messages[kind] else 0.0
    if not good + bad:
        return 0.0
    number = counts[HAM] + counts[kind]
    f = (_DOUBT * 0.5 + number * bad / (good + bad)) / (_DOUBT + number)
    return math.log(f / (1.0 - f))


def _score(odds: Iterable[float]) -> float:
    telling = [one for one in odds if abs(one) >= TELLING]
    if len(telling) > _MOST:
        telling.sort(key=abs, reverse=True)
        del telling[_MOST:]
    return float(math.fsum(telling) / (len(telling) + _SILENT) ** _DAMPING)
