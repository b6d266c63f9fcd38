"""A limit on the questions that one message may cause.

In: a resolver and a number. Out: a resolver for one message.
Standard: RFC 7208 §4.6.4 and RFC 6376 §8.4 (a message can make its judge ask without end).
Not here: SPF's own limits (`msgauth.spf`).
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from gatepost.net.resolver.reply import failure
from gatepost.ports import Answer, Question, Resolver


class BudgetedResolver:
    """Passes `limit` questions on to `inner`, cached or not; further ones are TEMPFAIL with the reason."""

    __slots__ = ("_inner", "asked", "limit")

    def __init__(self, inner: Resolver, limit: int) -> None:
        self._inner = inner
        self.limit = limit
        self.asked = 0

    def lookup(self, name: str, rtype: str) -> Coroutine[Any, Any, Answer]:
        """One question, as `ports.Resolver` promises. Not `async` itself: a dozen times a message the inner one's
        coroutine is handed on as it is, which saves half of what a cached answer costs."""
        if self.asked >= self.limit:
            return self._refused(Question(name, rtype))
        self.asked += 1
        return self._inner.lookup(name, rtype)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """The first ones within the budget; the rest is refused."""
        left = max(self.limit - self.asked, 0)
        self.asked += min(left, len(questions))
        answers = await self._inner.lookup_all(questions[:left], deadline) if left else ()
        return answers + tuple(self._refuse(question) for question in questions[left:])

    async def _refused(self, question: Question) -> Answer:
        return self._refuse(question)

    def _refuse(self, question: Question) -> Answer:
        return failure(question, f"the message caused more than {self.limit} DNS questions")
