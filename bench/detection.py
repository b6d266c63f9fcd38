"""What is found and what is missed on the shared corpus: Gatepost, SpamAssassin and rspamd on the same messages.

In: the corpus (`labelled`), options. Out: tables in Markdown: false alarms on good mail first, then what is caught, as
counts with 95 % intervals (Wilson); with --write they go into docs/detection.md.
Gatepost is cross-validated: the start model is trained anew for each fifth of the corpus from the other four; copies of
a message are never on both sides. "Stopped" is what each would put into the Junk folder or worse by itself, as
installed. Run: python bench/detection.py [--only gatepost,rspamd,spamassassin] [--missed] [--write]
Not here: the filters (`filters`), how fast they are (`inspection`).
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from filters import Filter, FilterMissing, Rspamd, Score, SpamAssassin
from labelled import FOLDS, Judged, folds, judge_corpus, read_corpus, sample, settings

from gatepost.finding import Severity
from gatepost.inspector.classifier.model import Model, weigh
from gatepost.inspector.classifier.train import train
from gatepost.inspector.policy import decide
from gatepost.inspector.rule import run_rules
from gatepost.inspector.rules import last_rules
from pages import write_part

KINDS = (("ham", "good mail stopped"), ("spam", "spam stopped"), ("phish", "scam and phishing stopped"))
SEEDS = ("second", "third", "fourth")
AT_ONCE = 2  # what `filters` starts of each
GOALS = {"ham": "no more than 0.1 %", "spam": "90 %", "phish": "80 %"}


@dataclass(frozen=True, slots=True)
class Column:
    """One contestant's scores, in the order of the corpus."""

    name: str
    scores: Sequence[Score]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, p = 1.96, hits / of
    middle, spread = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (middle - spread) / (1 + z * z / of)), min(1.0, (middle + spread) / (1 + z * z / of))


def share(hits: int, of: int) -> str:
    """Count, percent and interval."""
    low, high = wilson(hits, of)
    return f"{hits} of {of} = {100 * hits / max(1, of):.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def gatepost_score(one: Judged, model: Model | None) -> Score:
    """What the whole gate makes of a message, its classifier using `model`; None: no classifier."""
    findings = one.inspection.findings
    if model is not None:
        grave = any(finding.severity.rank >= Severity.WARNING.rank for finding in findings)
        facts = replace(one.inspection.facts, opinion=weigh(one.features, model, grave=grave))
        findings = (*findings, *run_rules(last_rules(()), facts))
    decision = decide(findings, settings(classifier=True))
    return Score(decision.score, decision.action.rank > 0)


def cross_validated(judged: Sequence[Judged], seed: str = "") -> list[Score]:
    """Each message's score under a model that saw neither it nor a copy of it."""
    fold = folds(judged, seed)
    scores: list[Score] = [Score(0.0, False)] * len(judged)
    for number in range(FOLDS):
        model = train(sample(one) for one, its in zip(judged, fold, strict=True) if its != number)
        for at, one in enumerate(judged):
            if fold[at] == number:
                scores[at] = gatepost_score(one, model)
    return scores


def without_source(judged: Sequence[Judged], source: str) -> list[Score]:
    """The scores of one source's messages under a model that saw nothing of that source."""
    model = train(sample(one) for one in judged if one.mail.source != source)
    return [gatepost_score(one, model) for one in judged if one.mail.source == source]


def ask(make: Callable[[Path], Filter], judged: Sequence[Judged], folder: Path) -> Column:
    """A filter's scores, as many messages at once as it has processes."""
    with make(folder) as contestant, ThreadPoolExecutor(AT_ONCE) as pool:
        scores = []
        for score in pool.map(contestant.check, (one.mail.raw.replace(b"\n", b"\r\n") for one in judged)):
            scores.append(score)
            if len(scores) % 200 == 0:
                print(f"{contestant.name}: {len(scores)} messages", file=sys.stderr, flush=True)
        return Column(f"{contestant.name} {contestant.version}", scores)


def main_table(judged: Sequence[Judged], columns: Sequence[Column]) -> list[str]:
    """What is stopped as installed."""
    lines = ["| | goal | " + " | ".join(column.name for column in columns) + " |", "|---|---|" + "---|" * len(columns)]
    for label, title in KINDS:
        mine = [at for at, one in enumerate(judged) if one.mail.label == label]
        cells = [share(sum(column.scores[at].spam for at in mine), len(mine)) for column in columns]
        lines.append(f"| {title} | {GOALS[label]} | " + " | ".join(cells) + " |")
    return lines


def strict_table(judged: Sequence[Judged], columns: Sequence[Column]) -> list[str]:
    """What would be caught if each one's threshold stood just above the worst good message."""
    lines = ["| | " + " | ".join(column.name for column in columns) + " |", "|---|" + "---|" * len(columns)]
    least = {
        column.name: max(column.scores[at].points for at, one in enumerate(judged) if one.mail.label == "ham")
        for column in columns
    }
    lines.append("| highest score of good mail | " + " | ".join(f"{least[c.name]:.1f}" for c in columns) + " |")
    for label, title in KINDS[1:]:
        mine = [at for at, one in enumerate(judged) if one.mail.label == label]
        cells = [share(sum(c.scores[at].points > least[c.name] for at in mine), len(mine)) for c in columns]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def parts_table(judged: Sequence[Judged], whole: Sequence[Score]) -> list[str]:
    """Gatepost source by source: in folds, without its classifier, and with a model that never saw the source."""
    lines = [
        "| source | stopped, cross-validated | by the rules alone | model never saw the source |",
        "|---|---|---|---|",
    ]
    for source in sorted({one.mail.source for one in judged}):
        mine = [at for at, one in enumerate(judged) if one.mail.source == source]
        rules = [gatepost_score(judged[at], None).spam for at in mine]
        unseen = [score.spam for score in without_source(judged, source)]
        label = judged[mine[0]].mail.label
        cells = (share(sum(flags), len(mine)) for flags in ([whole[at].spam for at in mine], rules, unseen))
        lines.append(f"| {source} ({label}) | " + " | ".join(cells) + " |")
    return lines


def repeats_table(judged: Sequence[Judged], first: Sequence[Score]) -> list[str]:
    """The counts with other folds: how much of the first is luck."""
    lines = ["| folds | " + " | ".join(title for _, title in KINDS) + " |", "|---|" + "---|" * len(KINDS)]
    for seed in ("", *SEEDS):
        scores = cross_validated(judged, seed) if seed else first
        pairs = list(zip(judged, scores, strict=True))
        counts = (sum(score.spam for one, score in pairs if one.mail.label == label) for label, _ in KINDS)
        lines.append(f"| {seed or 'those above'} | " + " | ".join(map(str, counts)) + " |")
    return lines


def missed(judged: Sequence[Judged], whole: Sequence[Score]) -> list[str]:
    """Every message that was judged wrongly, by name."""
    lines = []
    for one, score in zip(judged, whole, strict=True):
        if score.spam == (one.mail.label == "ham"):
            subject = one.inspection.as_json()["message"]["subject"][:60]
            lines.append(f"{one.mail.label} {one.mail.source}/{one.mail.name} {score.points:.1f} {subject!r}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="gatepost,spamassassin,rspamd", help="contestants")
    parser.add_argument("--missed", action="store_true", help="name what was judged wrongly")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/detection.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the filters end with us
    judged = judge_corpus(read_corpus())
    whole = cross_validated(judged)
    columns = [Column("Gatepost", whole)]
    peers: tuple[tuple[str, Callable[[Path], Filter]], ...] = (("spamassassin", SpamAssassin), ("rspamd", Rspamd))
    with tempfile.TemporaryDirectory(prefix="gatepost-detection-") as folder:
        for name, make in peers:
            if name in options.only.split(","):
                try:
                    columns.append(ask(make, judged, Path(folder)))
                except FilterMissing as error:
                    print(f"detection: without {name}: {error}", file=sys.stderr)
    lines = ["As installed:", "", *main_table(judged, columns), ""]
    lines += ["With each threshold just above the worst good message (0 of 600, the nearest to 0.1 %):", ""]
    lines += [*strict_table(judged, columns), "", "Gatepost by source:", "", *parts_table(judged, whole)]
    lines += ["", "Gatepost with other folds:", "", *repeats_table(judged, whole)]
    print("\n".join(lines))
    if options.missed:
        print("\n".join(["", "Judged wrongly:", *missed(judged, whole)]))
    if options.write:
        write_part("detection.md", "detection", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
