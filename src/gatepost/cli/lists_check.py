"""What `gatepost lists check` asks: one value, by its form, of every list that takes such a thing.

In: an address, a domain, an e-mail address or a URL. Out: subjects; the lists' answer as JSON values.
Not here: the command (`lists`), the lists' answers (`reputation`).
"""

from __future__ import annotations

from typing import Any

from gatepost.inspector.links.url import parse_url
from gatepost.reputation import EntryKind, Lists, LocalEntry, Subject, SubjectKind
from gatepost.reputation.local import parse_value
from gatepost.reputation.questions import question_name


def subjects_of(value: str) -> tuple[Subject, ...]:
    """What to ask about `value`. Raises InputError for what is none of these."""
    kind, text = parse_value(value)
    if kind is EntryKind.ADDRESS:
        return _subjects(text, SubjectKind.IP, SubjectKind.HOST)
    if kind is EntryKind.SENDER:
        return (*_subjects(text, SubjectKind.EMAIL), *_subjects(text.rpartition("@")[2], SubjectKind.DOMAIN))
    if kind is EntryKind.URL:
        return _subjects(parse_url(value.strip()).host.ascii, SubjectKind.HOST)
    if kind is EntryKind.DOMAIN:
        return _subjects(text, SubjectKind.DOMAIN, SubjectKind.HOST)
    return ()


def _subjects(value: str, *kinds: SubjectKind) -> tuple[Subject, ...]:
    return tuple(Subject(kind=kind, value=value, where="command") for kind in kinds)


async def checked(value: str, subjects: tuple[Subject, ...], lists: Lists, now: float) -> dict[str, Any]:
    """What all lists say; the schema is docs/schema/lists-check.json."""
    await lists.probe(now)
    found = await lists.check(subjects, now)
    entry = _entry(value, lists, now)
    takers = [one.name for one in lists.asked if any(question_name(one, subject) for subject in subjects)]
    return {
        "value": value,
        "asked": [name for name in takers if lists.health.is_well(name)],
        "listings": [{**one.as_json(), "kind": one.one.kind.value} for one in found.listed],
        "entry": None
        if entry is None
        else {"verdict": entry.verdict.value, "value": entry.value, "comment": entry.comment},
        "trouble": {name: reason for name, reason in found.trouble if name in takers},
    }


def _entry(value: str, lists: Lists, now: float) -> LocalEntry | None:
    kind, text = parse_value(value)
    if kind is EntryKind.ADDRESS:
        return lists.local.address(text, now)
    if kind is EntryKind.SENDER:
        return lists.local.sender(text, now)
    if kind is EntryKind.URL:
        return lists.local.url(value, now)
    return lists.local.domain(text, now)
