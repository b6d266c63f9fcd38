"""A resolver that answers some names from text and leaves the others to another one: records tried before they stand.

In: master-file text, a resolver. Out: the same `Answer`s as from either. A name and type that the text has hides what
stands there now; everything else is as it is. Standard: RFC 1035 §5.1. Not here: zones as a whole (`zone`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.net.zone import ZoneResolver
from gatepost.ports import Answer, DnsStatus, Question, Resolver


class OverlayResolver:
    """Implements `ports.Resolver`. Raises InputError for text that is no zone."""

    def __init__(self, zone_text: str, below: Resolver, *, origin: str = ".") -> None:
        self._above = ZoneResolver(zone_text, origin=origin)
        self._below = below

    async def lookup(self, name: str, rtype: str) -> Answer:
        """One question."""
        tried = self._above.answer(Question(name, rtype))
        return tried if tried.status is DnsStatus.OK else await self._below.lookup(name, rtype)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """All at once."""
        tried = {question: self._above.answer(question) for question in questions}
        rest = [question for question in questions if tried[question].status is not DnsStatus.OK]
        answers = dict(zip(rest, await self._below.lookup_all(rest, deadline), strict=True)) if rest else {}
        return tuple(answers.get(question, tried[question]) for question in questions)
