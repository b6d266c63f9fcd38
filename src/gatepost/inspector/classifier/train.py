"""Makes the start model: counts of features over a labelled collection, without what only tells of the collection.

In: samples, each with its label, features, and the group of near-duplicates it belongs to. Out: a `Model`, and its
text, the same for the same samples in any order. Standard: none.
Not here: where samples come from (`bench/labelled.py`), what a feature is (`tokens`), reading the text (`start`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.inspector.classifier.custom import is_custom
from gatepost.inspector.classifier.model import HAM, PHISH, SPAM, TELLING, Model
from gatepost.ports.memory import Counts

LABELS = {"ham": HAM, "spam": SPAM, "phish": PHISH}
TITLE = "gatepost start model 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One message of the collection; `group` is the same for near-duplicates. `weight` is how often it counts:
    more for kinds of mail that the collection has too little of."""

    label: str
    group: int
    features: tuple[str, ...]
    weight: int = 1


def train(samples: Iterable[Sample]) -> Model:
    """Counts `samples`. A feature of one message, or of copies of one, is chance and left out."""
    messages = [0, 0, 0]
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    first: dict[str, int] = {}
    several: set[str] = set()
    for sample in samples:
        label = LABELS[sample.label]
        messages[label] += sample.weight
        for name in sample.features:
            counts[name][label] += sample.weight
            if first.setdefault(name, sample.group) != sample.group:
                several.add(name)
    kept = {name: _counts(counts[name]) for name in several if _says_something(name, counts[name])}
    return Model(messages=_counts(messages), counts=kept)


def _counts(numbers: list[int]) -> Counts:
    return (numbers[0], numbers[1], numbers[2])


def _says_something(name: str, counts: list[int]) -> bool:
    # The name of an author whom only good mail has is a person of the collection.
    person = name.startswith("n:") and counts[HAM] > counts[SPAM] + counts[PHISH]
    return not person and not is_custom(name)


def write_model(model: Model) -> str:
    """The model as text: a title, the numbers of messages, a line a feature, in order. A feature that says next to
    nothing for either kind is left out: nobody would look at it."""
    telling = (name for name, odds in model.odds.items() if max(map(abs, odds)) >= TELLING)
    lines = [TITLE, " ".join(map(str, model.messages))]
    lines += ["{}\t{} {} {}".format(name, *model.counts[name]) for name in sorted(telling)]
    return "\n".join(lines) + "\n"
