"""What stands in DNS where records are wanted: as the world sees it, or as the zone's own server does.

In: wanted records, a resolver or a publisher. Out: `Standing`s by name and type, for `audit.records.compare_records`.
Standard: RFC 2308 (no such record), RFC 1034 §3.6.2 (a CNAME stands alone). Not here: what follows (`publish`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gatepost.audit.records import Kind, WantedRecord, canonical
from gatepost.audit.standing import Planned, Standing, compare_records
from gatepost.ports import Answer, DnsStatus, Mx, Question, Resolver
from gatepost.ports.publisher import Publisher
from gatepost.ports.publisher import Standing as Published

DEADLINE = 30.0  # seconds for all questions

Place = tuple[str, str]
"""A name and a type."""


async def plan_by_resolver(wanted: Sequence[WantedRecord], resolver: Resolver) -> tuple[Planned, ...]:
    """As the world sees it."""
    places = _places(wanted)
    names = [name for name, rtype in places if rtype == "CNAME"]
    questions = [Question(name, rtype) for name, rtype in places] + [Question(name, "A") for name in names]
    answers = await resolver.lookup_all(questions, DEADLINE)
    addressed = {one.question.name for one in answers[len(places) :] if one.status is DnsStatus.OK}
    found = {place: _of_answer(answer) for place, answer in zip(places, answers, strict=False)}
    return compare_records(wanted, _without_hidden(found, addressed))


async def plan_by_publisher(
    wanted: Sequence[WantedRecord], publisher: Publisher
) -> tuple[tuple[Planned, ...], Mapping[Place, Published]]:
    """By the word of the server that changes go to, with what it has."""
    places = _places(wanted)
    stands = {place: await publisher.read(*place) for place in places}
    addressed = {name for name, kind in places if kind == "CNAME" and (await publisher.read(name, "A")).records}
    found = {place: _of_published(standing) for place, standing in stands.items()}
    return compare_records(wanted, _without_hidden(found, addressed)), stands


def _places(wanted: Iterable[WantedRecord]) -> list[Place]:
    return list(dict.fromkeys((one.name, one.rtype) for one in wanted if one.kind is not Kind.ADDRESS))


def _without_hidden(found: Mapping[Place, Standing], addressed: set[str]) -> dict[Place, Standing]:
    """A name with addresses and no CNAME of its own cannot have one."""
    return {
        (name, rtype): Standing(hidden=True) if rtype == "CNAME" and not one.records and name in addressed else one
        for (name, rtype), one in found.items()
    }


def _of_answer(answer: Answer) -> Standing:
    if answer.status is DnsStatus.TEMPFAIL:
        return Standing(known=False, reason=answer.reason or "DNS does not answer")
    rtype = answer.question.rtype
    return Standing(records=tuple(_text(rtype, record) for record in answer.records))


def _text(rtype: str, record: str | bytes | Mx) -> str:
    if isinstance(record, bytes):
        return record.decode("latin-1")
    if isinstance(record, Mx):
        return canonical("MX", f"{record.preference} {record.exchange}")
    return canonical(rtype, record)


def _of_published(standing: Published) -> Standing:
    if standing.status is DnsStatus.TEMPFAIL:
        return Standing(known=False, reason=standing.reason)
    return Standing(records=tuple(canonical(standing.rtype, record) for record in standing.records))
