"""The DNS tree walk: the records between a domain and the top, and the organizational domain they tell of.

In: a domain, a resolver. Out: `Walk`.
Standard: RFC 9989 §4.10 (walk, at most eight questions), §4.10.2 (organizational domain). Not here: which policy and
which alignment follow (`evaluate`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from gatepost.msgauth.dmarc.record import DmarcRecord, Psd, is_policy_record, parse_record
from gatepost.msgauth.generations import Generations
from gatepost.ports import DnsStatus, Question, Resolver

MAX_QUESTIONS = 8  # RFC 9989 §4.10
MAX_NAME = 253


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a walk. `failed` means that DNS did not answer: nobody knows whether there is a record."""

    domain: str
    record: DmarcRecord | None
    failed: bool = False


@dataclass(frozen=True)
class Walk:
    """The steps from the longest name up, ended by the first `psd=y` or `psd=n`. `is_certain` when every question was
    answered. Without slots: one walk serves all messages of a domain, so what is told of it is kept in it."""

    start: str
    steps: tuple[Step, ...]
    is_certain: bool

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names whose records were looked at, in order."""
        return tuple("_dmarc." + step.domain for step in self.steps)

    def record_of(self, domain: str) -> DmarcRecord | None:
        """The record found at `domain`."""
        return next((step.record for step in self.steps if step.domain == domain), None)

    @property
    def suffix(self) -> Step | None:
        """The step that `psd=y` ended, if the walk did not start there."""
        last = self.steps[-1]
        is_suffix = last.record is not None and last.record.psd is Psd.YES and last.domain != self.start
        return last if is_suffix else None

    @cached_property
    def organizational_domain(self) -> str:
        """RFC 9989 §4.10.2, of a walk that is certain."""
        last = self.steps[-1]
        if last.record is not None and last.record.psd is Psd.NO:
            return last.domain
        if self.suffix is not None:
            return ".".join(self.start.split(".")[-last.domain.count(".") - 2 :])
        return next((step.domain for step in reversed(self.steps) if step.record is not None), self.start)


@lru_cache(maxsize=1024)
def walk_domains(domain: str) -> tuple[str, ...]:
    """RFC 9989 §4.10 steps 1, 3, 4 and 7: `domain`, then what is above it; of eight labels and more the middle is left
    out, so that there are never more than eight. A name so long that nothing fits before it has no record."""
    labels = domain.split(".")
    above = labels[1:] if len(labels) < MAX_QUESTIONS else labels[-(MAX_QUESTIONS - 1) :]
    names = (domain, *(".".join(above[at:]) for at in range(len(above))))
    return tuple(name for name in names if len(name) + len("_dmarc.") <= MAX_NAME)


@lru_cache(maxsize=1024)
def _questions(domain: str) -> tuple[Question, ...]:
    return tuple(Question("_dmarc." + name, "TXT") for name in walk_domains(domain))


async def lookup_walk(domain: str, resolver: Resolver, deadline: float) -> Walk:
    """Walks up from `domain` (A-labels, lower case). All questions are asked at once; what stands above the record
    that ends the walk is not looked at."""
    answers = await resolver.lookup_all(_questions(domain), deadline)
    found = tuple([None if answer.status is DnsStatus.TEMPFAIL else answer.texts for answer in answers])
    walk = _walked.get((domain, found))
    if walk is None:
        walk = read_walk(domain, found)
        _walked.put((domain, found), walk, len(domain) + sum(len(text) for texts in found for text in texts or ()))
    return walk


Found = tuple[tuple[bytes, ...] | None, ...]
"""The texts found at each name of a walk, None where DNS did not answer."""

_walked: Generations[tuple[str, Found], Walk] = Generations(1 << 19)


def read_walk(domain: str, found: Found) -> Walk:
    """The walk, its answers at hand; the same answers make the same walk, so `lookup_walk` keeps the last ones."""
    steps: list[Step] = []
    is_certain = True
    for name, texts in zip(walk_domains(domain), found, strict=True):
        record = select_record(texts) if texts else None
        is_certain = is_certain and texts is not None
        steps.append(Step(name, record, texts is None))
        if record is not None and record.psd is not Psd.UNKNOWN:
            break
    return Walk(domain, tuple(steps), is_certain)


def select_record(texts: tuple[bytes, ...]) -> DmarcRecord | None:
    """RFC 9989 §4.10 steps 2 and 6: what does not start with the version is discarded; of several records all are."""
    if len(texts) == 1:
        return parse_record(texts[0])
    found = [text for text in texts if is_policy_record(text)]
    return parse_record(found[0]) if len(found) == 1 else None
