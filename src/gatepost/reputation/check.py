"""Asks lists: all questions of a message at once, within one deadline; and tests the lists themselves.

In: `Subject`s, the lists, their health, a resolver. Out: `Listings`. Never raises for what a list or DNS answers: one
that hangs, lies or answers garbage ends up in `Listings.trouble` and says nothing about the message.
Standard: RFC 5782. Not here: the questions (`questions`), what answers mean (`answers`), who is well (`health`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gatepost.ports import Question, Resolver
from gatepost.reputation.answers import Outcome, Reading, read_answer
from gatepost.reputation.dnslist import DnsList, ListKind, Meaning
from gatepost.reputation.health import Condition, Health, judge_probe
from gatepost.reputation.questions import Subject, SubjectKind, probe_name, question_name, read_address
from gatepost.reputation.settings import ListsSettings

MAX_QUESTIONS = 150  # of one message, over all lists; the message's own budget of questions holds as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list names one subject. `codes` are its answers, `meanings` what they say."""

    one: DnsList
    subject: Subject
    codes: tuple[str, ...]
    meanings: tuple[Meaning, ...]

    @property
    def counts(self) -> bool:
        """Whether it adds to the score; not in mode "watch"."""
        return self.one.counts

    @property
    def weight(self) -> float:
        """What the list says it should add: its gravest answer (for good senders, its best)."""
        weights = [meaning.weight for meaning in self.meanings]
        return min(weights) if self.one.kind is ListKind.ALLOW else max(weights)

    @property
    def says(self) -> str:
        """What it says, in words."""
        return "; ".join(dict.fromkeys(meaning.text for meaning in self.meanings))

    def as_json(self) -> dict[str, Any]:
        """As evidence of a finding."""
        return {
            "list": self.one.name,
            "subject": self.subject.value[:255],
            "where": self.subject.where,
            "codes": list(self.codes),
            "says": self.says,
            "mode": self.one.mode,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listings:
    """What all lists said. `trouble` is, by list, why one was not asked or not believed; `asked` counts questions."""

    listed: tuple[Listing, ...] = ()
    trouble: tuple[tuple[str, str], ...] = ()
    asked: int = 0


NOTHING = Listings()


async def check_lists(
    subjects: Sequence[Subject],
    lists: Sequence[DnsList],
    resolver: Resolver,
    *,
    health: Health,
    now: float,
    deadline: float,
) -> Listings:
    """What `lists` say of `subjects`. Only lists that are well are asked."""
    trouble = {one.name: health.of(one.name).reason for one in lists if not health.is_well(one.name)}
    asked = pairs(subjects, [one for one in lists if one.name not in trouble])
    if not asked:
        return Listings(trouble=_shown(trouble, health))
    answers = await resolver.lookup_all([Question(name, "A") for _, _, name in asked], deadline)
    readings = [
        (one, subject, read_answer(one, answer)) for (one, subject, _), answer in zip(asked, answers, strict=True)
    ]
    _tell(health, readings, now)
    for one, _, reading in readings:
        if reading.outcome in (Outcome.MISUSED, Outcome.UNKNOWN):
            trouble.setdefault(one.name, reading.reason)
    found = [_listing(one, subject, reading) for one, subject, reading in readings if reading.outcome is Outcome.LISTED]
    # A list that refused one question is not believed in another: it may have begun to lie.
    believed = tuple(listing for listing in found if listing is not None and health.is_well(listing.one.name))
    return Listings(listed=believed, trouble=_shown(trouble, health), asked=len(asked))


def _tell(health: Health, readings: Sequence[tuple[DnsList, Subject, Reading]], now: float) -> None:
    """Each list's worst answer; silence only where it answered nothing at all, so that no message with many odd names
    makes a list look dead."""
    by_list: dict[str, tuple[DnsList, list[Reading]]] = {}
    for one, _, reading in readings:
        by_list.setdefault(one.name, (one, []))[1].append(reading)
    for one, own in by_list.values():
        misused = next((reading for reading in own if reading.outcome is Outcome.MISUSED), None)
        answered = next((reading for reading in own if reading.outcome is not Outcome.UNKNOWN), None)
        health.noticed(one, misused or answered or own[0], now)


def _shown(trouble: dict[str, str], health: Health) -> tuple[tuple[str, str], ...]:
    """A list that was not tested yet is no trouble."""
    return tuple((name, why) for name, why in trouble.items() if health.of(name).condition is not Condition.NEW)


def pairs(subjects: Iterable[Subject], lists: Sequence[DnsList]) -> list[tuple[DnsList, Subject, str]]:
    """List, subject and name to look up; each name once, for the subject that comes first."""
    found: dict[str, tuple[DnsList, Subject, str]] = {}
    for subject in subjects:
        for one in lists:
            name = question_name(one, subject)
            if name is not None and len(found) < MAX_QUESTIONS:
                found.setdefault(name, (one, subject, name))
    return list(found.values())


def _listing(one: DnsList, subject: Subject, reading: Reading) -> Listing | None:
    """None when nothing that the list says concerns a subject that stood there."""
    behind = subject.kind is SubjectKind.IP and subject.where == "path"
    meanings = tuple(meaning for meaning in reading.meanings if not (behind and meaning.client_only))
    return Listing(one=one, subject=subject, codes=reading.codes, meanings=meanings) if meanings else None


def bounded(subjects: Iterable[Subject], settings: ListsSettings) -> tuple[Subject, ...]:
    """As many subjects of each kind as the settings allow, the first ones, each value once."""
    limits = {
        SubjectKind.IP: 2,
        SubjectKind.DOMAIN: settings.max_domains,
        SubjectKind.HOST: settings.max_domains,
        SubjectKind.EMAIL: settings.max_addresses,
        SubjectKind.HASH: settings.max_hashes,
    }
    kept: dict[tuple[SubjectKind, str], Subject] = {}
    for subject in subjects:
        key = (subject.kind, subject.value.lower())
        if limits[subject.kind] > 0 and key not in kept:
            limits[subject.kind] -= 1
            kept[key] = subject
    return tuple(kept.values())


async def probe_lists(
    lists: Sequence[DnsList], resolver: Resolver, *, health: Health, now: float, deadline: float
) -> None:
    """Tests `lists` by their own test entries and tells `health`."""
    asked: list[tuple[DnsList, bool, str]] = []
    for one in lists:
        for test, wanted in ((one.test_listed, True), (one.test_unlisted, False)):
            name = probe_name(one, test) if test else None
            if name is not None:
                asked.append((one, wanted, name))
    answers = await resolver.lookup_all([Question(name, "A") for _, _, name in asked], deadline) if asked else ()
    readings = {
        (one.name, wanted): read_answer(one, answer) for (one, wanted, _), answer in zip(asked, answers, strict=True)
    }
    for one in lists:
        trouble = judge_probe(one, readings.get((one.name, True)), readings.get((one.name, False)))
        health.probed(one, trouble, now)


async def check_client(
    ip: str, lists: Sequence[DnsList], resolver: Resolver, *, health: Health, now: float, deadline: float
) -> Listings:
    """What the address lists say of a client, before anything else is known of it; for the door."""
    if read_address(ip) is None:
        return NOTHING
    addresses = [one for one in lists if one.kind.takes_addresses]
    subject = Subject(kind=SubjectKind.IP, value=ip, where="client")
    return await check_lists((subject,), addresses, resolver, health=health, now=now, deadline=deadline)
