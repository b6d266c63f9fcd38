"""A limit on the questions that one message may cause.

In: a resolver and a number. Out: a resolver for one message.
Standard: RFC 7208 §4.6.4 and RFC 6376 §8.4 (a message can make its judge ask without end).
Not here: SPF's own limits (`msgauth.spf`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.net.resolver.reply import failure
from gatepost.ports import Answer, Question, Resolver


class BudgetedResolver:
    """Passes `limit` questions on to `inner`, cached or not; further ones are TEMPFAIL with the reason."""

    __slots__ = ("_inner", "asked", "limit")

    def __init__(self, inner: Resolver, limit: int) -> None:
        self._inner = inner
        self.limit = limit
        self.asked = 0

    async def lookup(self, name: str, rtype: str) -> Answer:
        """One question, as `ports.Resolver` promises."""
        if self.asked >= self.limit:
            return self._refuse(Question(name, rtype))
        self.asked += 1
        return await self._inner.lookup(name, rtype)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """The first ones within the budget; the rest is refused."""
        left = max(self.limit - self.asked, 0)
        self.asked += min(left, len(questions))
        answers = await self._inner.lookup_all(questions[:left], deadline) if left else ()
        return answers + tuple(self._refuse(question) for question in questions[left:])

    def _refuse(self, question: Question) -> Answer:
        return failure(question, f"the message caused more than {self.limit} DNS questions")
