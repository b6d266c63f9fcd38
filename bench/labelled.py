"""The shared corpus of labelled mail, as detection is measured on it and the start model is made from it.

In: GATEPOST_SUITES or ../shared/suites. Out: messages with label, source and group of near-duplicates; each judged once
by all rules but the classifier's; folds. Everything in a fixed order, so that the same corpus gives the same model.
De-fanged links ("hxxps://a[.]b", put there by the corpus's makers) are made real again: whoever is measured gets the
mail as it came. DNS is never asked: the resolver knows no names, and rules that rest on who handed the mail in, on its
proof or on the clock are left out for all mail, since the corpus's parts differ in nothing more than in those.
Not here: what is measured (`detection`), what is made (`make_model`).
"""

from __future__ import annotations

import asyncio
import base64
import os
import quopri
import random
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatepost.api import Inspection, InspectionSettings, inspect_message
from gatepost.inspector.classifier.tokens import findings_features, message_features
from gatepost.inspector.classifier.train import Sample
from gatepost.inspector.rules import RULES
from gatepost.inspector.settings import InspectorSettings
from gatepost.message.dates import parse_date
from gatepost.message.message import Message, parse_message
from gatepost.net.zone import ZoneResolver
from gatepost.sandbox.pool import Sandbox

SUITES = Path(os.environ.get("GATEPOST_SUITES", Path(__file__).resolve().parents[2] / "shared" / "suites"))
LABELS = {"ham": "ham", "spam": "spam", "scam": "phish"}
FOLDS = 5
# Newsletters and the like are a fifth of the corpus's good mail; in mailboxes of today they are half of it.
WEIGHTS = {"sa-hard-ham-1": 2}
CLOCK = 1_790_000_000.0  # when a message without a readable Date is judged
# Sender proof, path, clock and memory: the corpus's parts differ in what was kept of these, which is no merit of rules.
UNFAIR = ("auth.", "path.", "date.in-future", "date.long-ago", "door.", "list.", "header.bare-line-ends",
          "sender.first-time", "sender.unknown-thread", "sender.volume", "sender.acquainted")  # fmt: skip
_DEFANGED = re.compile(rb"\bhxxp(s?)\b", re.IGNORECASE)
_TOGETHER = 8  # messages that are judged at once
_COMMON = 25  # a pair of words in more messages than that says nothing of copies
_ALIKE = 0.3  # share of a message's pairs of words that a copy has too


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One message of the corpus, with LF line ends and its links as they were."""

    name: str
    label: str
    source: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A message, what the rules found, its features, and its group of near-duplicates."""

    mail: Labelled
    inspection: Inspection
    features: tuple[str, ...]
    group: int


def settings(*, classifier: bool) -> InspectorSettings:
    """The default policy without the rules that the corpus cannot be fair to."""
    unfair = UNFAIR if classifier else (*UNFAIR, "classifier.")
    return InspectorSettings(disabled_rules=tuple(rule.code for rule in RULES if rule.code.startswith(unfair)))


def read_corpus(limit: int = 0) -> list[Labelled]:
    """All messages by name, or about `limit` spread over all labels."""
    found = []
    with tarfile.open(SUITES / "corpus" / "shared-corpus.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".eml") else None
            if file is not None:
                _, label, source, name = member.name.split("/")
                raw = file.read()
                raw = raw[raw.find(b"\n") + 1 :] if raw.startswith(b"From ") else raw
                found.append(Labelled(name=name, label=LABELS[label], source=source, raw=refanged(raw)))
    found.sort(key=lambda mail: (mail.source, mail.name))
    return found[:: max(1, len(found) // limit)] if limit else found


def refanged(raw: bytes) -> bytes:
    """`raw` with its de-fanged links made real, in whatever encoding they stand."""
    if b"[.]" not in raw and b"hxxp" not in raw.lower() and b"base64" not in raw.lower():
        return raw
    leaves = [part for part in parse_message(raw).tree.walk() if not part.children and part.source is raw]
    for part in sorted(leaves, key=lambda part: -part.body_start):
        if not part.content_type.value.startswith("text/"):
            continue
        old = part.decoded.octets
        new = _DEFANGED.sub(rb"http\1", old).replace(b"[.]", b".")
        if new != old:
            body = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(part.encoding, bytes)(
                new
            )
            raw = raw[: part.body_start] + body + (b"" if body.endswith(b"\n") else b"\n") + raw[part.body_end :]
    return raw


def judge_corpus(mails: Sequence[Labelled]) -> list[Judged]:
    """Every message judged by all rules but the classifier's, its content opened as the gate opens it."""
    inspections = asyncio.run(_inspect_all(mails))
    features = [
        (*message_features(found.facts.message, found.facts.content).names, *findings_features(found.findings))
        for found in inspections
    ]
    groups = group_copies(features)
    return [
        Judged(mail=mail, inspection=found, features=names, group=group)
        for mail, found, names, group in zip(mails, inspections, features, groups, strict=True)
    ]


async def _inspect_all(mails: Sequence[Labelled]) -> list[Inspection]:
    chosen = InspectionSettings(inspector=settings(classifier=False))
    resolver = ZoneResolver("")
    gates = asyncio.Semaphore(_TOGETHER)
    async with Sandbox() as sandbox:

        async def one(mail: Labelled) -> Inspection:
            async with gates:
                return await inspect_message(
                    mail.raw, resolver=resolver, opener=sandbox, now=_sent(parse_message(mail.raw)), settings=chosen
                )

        return await asyncio.gather(*(one(mail) for mail in mails))


def _sent(message: Message) -> float:
    date = message.header.first("date")
    return (parse_date(date.value).epoch if date is not None else None) or CLOCK


def group_copies(features: Sequence[Iterable[str]]) -> list[int]:
    """A number for each message, the same for near-duplicates: those that share much of their pairs of words."""
    pairs = [{name for name in names if "_" in name and ":" not in name} for names in features]
    holders: dict[str, list[int]] = defaultdict(list)
    for number, names in enumerate(pairs):
        for name in names:
            holders[name].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for having in holders.values():
        if len(having) <= _COMMON:
            shared.update((a, b) for at, b in enumerate(having) for a in having[:at])
    leader = list(range(len(pairs)))

    def find(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for (a, b), count in sorted(shared.items()):
        if count >= 5 and count > _ALIKE * min(len(pairs[a]), len(pairs[b])):
            leader[max(find(a), find(b))] = min(find(a), find(b))
    return [find(number) for number in range(len(pairs))]


def sample(one: Judged) -> Sample:
    """The message as it is learnt from."""
    weight = WEIGHTS.get(one.mail.source, 1)
    return Sample(label=one.mail.label, group=one.group, features=one.features, weight=weight)


def folds(judged: Sequence[Judged], seed: str = "") -> list[int]:
    """Each message's fold: every source spread over all of them, a group never cut. Another seed, other folds."""
    by_source: dict[str, set[int]] = defaultdict(set)
    source_of = {one.group: one.mail.source for one in reversed(judged)}
    for group, source in source_of.items():
        by_source[source].add(group)
    fold: dict[int, int] = {}
    for source in sorted(by_source):
        groups = sorted(by_source[source])
        random.Random(source + seed).shuffle(groups)
        fold.update((group, number % FOLDS) for number, group in enumerate(groups))
    return [fold[one.group] for one in judged]
