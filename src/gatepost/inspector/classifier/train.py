"""Makes the start model: counts of features over a labelled collection, without what only tells of the collection.

In: samples, each with its label, features, and the group of near-duplicates it belongs to. Out: a `Model`, and its
text, the same for the same samples in any order. Standard: none.
Not here: where samples come from (`bench/labelled.py`), what a feature is (`tokens`), reading the text (`start`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.inspector.classifier.model import HAM, PHISH, SPAM, TELLING, Model
from gatepost.ports.memory import Counts

LABELS = {"ham": HAM, "spam": SPAM, "phish": PHISH}
TITLE = "gatepost start model 1"
# Lists, people and tools that the public collections of 2002 are made of: they are good mail there and nowhere else.
_COLLECTION_TEXT = (
    "spamassassin spamd spamc satalk sadev razor vipul exmh fork rohit khare jmason mason justin xent beberg ilug iiu "
    "freshrpms rpm rpms zzzlist zzzz yyyy forteana forteanalist yahoogroups egroups yahoo sourceforge thinkgeek "
    "heaven mailman listinfo listmaster netnoteinc taint slashnull dogma jalapeno phobos lockergnome sf sfnet "
    "osdn procmail fetchmail redhat debian perl python linux kernel sponsored deathtospamdeathtospamdeathtospam "
    "craig hughes theo quinlan garrigues deersoft nmh tcl sitescooper newsisfree boingboing bbc oreilly cnet zdnet "
    "google gmail hotmail googleapis"
)
# What every mailing of a business says today, good or bad. The collection's good mail is older than that custom, so
# these words would be the mark of spam to it.
_CUSTOM_TEXT = (
    "unsubscribe subscribe subscribed subscription privacy policy copyright rights reserved preferences newsletter "
    "browser click here view email mail address receive received receiving because sent message account online app "
    "apps ai facebook twitter instagram linkedin youtube whatsapp iphone android smartphone zoom webinar blog "
    "streaming log login settings notifications regards kind dear sir madam hello hi thanks thank "
    "order orders ordered shipping shipped delivery invoice receipt payment"
)
LEFT_OUT = frozenset(_COLLECTION_TEXT.split()) | frozenset(_CUSTOM_TEXT.split())
# Facts that changed with the years for all mail: its formats, programs and links. What is learnt here may use them.
OF_THE_YEARS = frozenset({
    "t:hidden", "t:pictures", "t:pictures-only", "h:list-unsubscribe", "h:list-unsubscribe-post", "h:mime-version",
    "h:name-odd", "h:subject-pictures", "h:local-noreply", "h:x-mailer", "h:user-agent", "h:organization",
    "h:domain-deep", "l:host-deep", "l:query", "l:path-long", "l:bare",
})  # fmt: skip
OF_THE_YEARS_TOO = ("m:", "l:scheme-", "l:count-", "l:hosts-", "t:words-")


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
    kind, _, rest = name.rpartition(":")
    if name in OF_THE_YEARS or name.startswith(OF_THE_YEARS_TOO):
        return False
    if not LEFT_OUT.isdisjoint(rest.removeprefix("path-").split("_")):
        return False
    # The name of an author whom only good mail has is a person of the collection.
    return not (kind == "n" and counts[HAM] > counts[SPAM] + counts[PHISH])


def write_model(model: Model) -> str:
    """The model as text: a title, the numbers of messages, a line a feature, in order. A feature that says next to
    nothing for either kind is left out: nobody would look at it."""
    telling = (name for name, odds in model.odds.items() if max(map(abs, odds)) >= TELLING)
    lines = [TITLE, " ".join(map(str, model.messages))]
    lines += ["{}\t{} {} {}".format(name, *model.counts[name]) for name in sorted(telling)]
    return "\n".join(lines) + "\n"
