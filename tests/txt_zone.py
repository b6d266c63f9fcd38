"""The one fake resolver of the signature tests: TXT records from a dictionary, with names that fail on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatepost.ports import Answer, DnsStatus, Question


class TxtZone:
    """Answers TXT questions; `failing` names give TEMPFAIL. `asked` counts what was asked."""

    def __init__(self, records: Mapping[str, bytes | Sequence[bytes]], failing: Sequence[str] = ()) -> None:
        self.records = {
            name.lower(): (value,) if isinstance(value, bytes) else tuple(value) for name, value in records.items()
        }
        self.failing = {name.lower() for name in failing}
        self.asked: list[str] = []

    def answer(self, question: Question) -> Answer:
        name = question.name.lower()
        self.asked.append(name)
        if name in self.failing:
            return Answer(question=question, status=DnsStatus.TEMPFAIL, reason="timed out")
        if question.rtype != "TXT" or name not in self.records:
            return Answer(question=question, status=DnsStatus.NXDOMAIN)
        return Answer(question=question, status=DnsStatus.OK, records=self.records[name], ttl=300)

    async def lookup(self, name: str, rtype: str) -> Answer:
        return self.answer(Question(name, rtype))

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        return tuple(self.answer(question) for question in questions)
