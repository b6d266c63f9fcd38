"""All that lists know, in one value: which are asked, how they are, and the house's own entries.

In: settings. Out: `Lists`, one a process, handed to the judge of every message and to the door.
Standard: none. Not here: asking (`check`), keeping entries (`store.lists`), keeping them fresh (`server.lists`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.ports import Question, Resolver
from gatepost.reputation.check import NOTHING, Listings, bounded, check_client, check_lists, pairs, probe_lists
from gatepost.reputation.health import Health
from gatepost.reputation.known import resolve_lists
from gatepost.reputation.local import LocalLists
from gatepost.reputation.questions import Subject
from gatepost.reputation.settings import ListsSettings


class Lists:
    """`local` may be replaced at any time, when entries were added or removed. `resolver` asks for all lists: what a
    message may ask here has its own bound, so that the budget of the sender checks is not eaten up."""

    def __init__(self, settings: ListsSettings, resolver: Resolver, local: LocalLists | None = None) -> None:
        self.settings = settings
        self.resolver = resolver
        self.local = local or LocalLists()
        self.asked = resolve_lists(settings)
        self.health = Health(self.asked, settings.probe_every)

    async def begin(self, subjects: Sequence[Subject]) -> None:
        """Asks ahead what is known early: the questions go out now, `check` finds their answers in the resolver."""
        well = [one for one in self.asked if self.health.is_well(one.name)]
        questions = [Question(name, "A") for _, _, name in pairs(subjects, well)]
        if questions:
            await self.resolver.lookup_all(questions, 0.0)

    async def check(self, subjects: Sequence[Subject], now: float) -> Listings:
        """What the lists say of one message's `subjects`; the first ones of each kind, within the deadline."""
        if not self.asked:
            return NOTHING
        return await check_lists(
            bounded(subjects, self.settings),
            self.asked,
            self.resolver,
            health=self.health,
            now=now,
            deadline=self.settings.deadline,
        )

    async def check_client(self, ip: str, now: float, deadline: float | None = None) -> Listings:
        """What the lists of addresses say of a client, before its first word; the answers are then in the resolver's
        cache for the message."""
        if not self.asked:
            return NOTHING
        wait = self.settings.deadline if deadline is None else deadline
        return await check_client(ip, self.asked, self.resolver, health=self.health, now=now, deadline=wait)

    async def probe(self, now: float) -> None:
        """Tests the lists that are due. None counts before its first test."""
        due = self.health.due(now)
        if due:
            await probe_lists(due, self.resolver, health=self.health, now=now, deadline=self.settings.deadline)
