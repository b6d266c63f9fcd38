"""Which lists may be believed: each is tested before it counts, and left out while it is sick.

In: what the tests and the everyday answers of a list were, and when. Out: whether it is well, and why not.
Standard: RFC 5782 §5: a list must list its test entry and must not list the opposite; one that does otherwise was shut
down, lists the world, or is made up by the resolver. Not here: asking (`check.probe_lists`), when (`server.lists`).

    new ──probe passed──▶ well ──probe failed, misuse, silence──▶ sick ──probe passed──▶ well
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatepost.reputation.answers import Outcome, Reading
from gatepost.reputation.dnslist import DnsList

SILENCE = 20  # questions in a row without an answer before a list is left out: it only costs time
_SICK_PROBE = 60.0  # seconds between the tests of a list that is not well, at most


class Condition(enum.StrEnum):
    """How a list is."""

    NEW = "new"  # not yet tested, so not asked
    WELL = "well"
    SICK = "sick"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHealth:
    """`since` is when it became so, `probed` when it was last tested, in seconds since the epoch. `reason` says in
    plain words what is wrong."""

    condition: Condition = Condition.NEW
    since: float = 0.0
    probed: float | None = None
    reason: str = "not yet tested"
    silent: int = 0


def judge_probe(one: DnsList, listed: Reading | None, unlisted: Reading | None) -> str:
    """What is wrong with `one` by the answers to its test entries (None where it has none); empty when it is well."""
    for reading in (listed, unlisted):
        if reading is not None and reading.outcome is Outcome.MISUSED:
            return reading.reason
    for reading in (listed, unlisted):
        if reading is not None and reading.outcome is Outcome.UNKNOWN:
            return f"does not answer: {reading.reason}"
    if unlisted is not None and unlisted.outcome is Outcome.LISTED:
        return f"lists {one.test_unlisted}, which no list may: it lists everything"
    if listed is not None and listed.outcome is Outcome.CLEAR:
        return f"does not list its own test entry {one.test_listed}: it is empty, or was shut down"
    return ""


class Health:
    """The condition of every list, by name. One a process; not thread-safe."""

    def __init__(self, lists: Iterable[DnsList], probe_every: float = 600.0) -> None:
        self._lists = tuple(lists)
        self._every = probe_every
        self._states = {one.name: ListHealth() for one in self._lists}
        self._changes: list[tuple[DnsList, ListHealth]] = []

    def of(self, name: str) -> ListHealth:
        """The health of the list called `name`."""
        return self._states.get(name, ListHealth())

    def is_well(self, name: str) -> bool:
        """Whether its answers may be believed."""
        return self.of(name).condition is Condition.WELL

    def due(self, now: float) -> tuple[DnsList, ...]:
        """The lists that are to be tested now."""
        return tuple(one for one in self._lists if self._is_due(self._states[one.name], now))

    def _is_due(self, state: ListHealth, now: float) -> bool:
        wait = self._every if state.condition is Condition.WELL else min(self._every, _SICK_PROBE)
        return state.probed is None or now - state.probed >= wait or now < state.probed

    def probed(self, one: DnsList, trouble: str, now: float) -> None:
        """A test ended; `trouble` is empty when it passed."""
        self._become(one, Condition.SICK if trouble else Condition.WELL, trouble, now)
        self._states[one.name] = replace(self._states[one.name], probed=now, silent=0)

    def noticed(self, one: DnsList, reading: Reading, now: float) -> None:
        """An everyday answer came, or none."""
        state = self._states.get(one.name)
        if state is None or state.condition is not Condition.WELL:
            return
        if reading.outcome is Outcome.MISUSED:
            self._become(one, Condition.SICK, reading.reason, now)
        elif reading.outcome is not Outcome.UNKNOWN:
            if state.silent:
                self._states[one.name] = replace(state, silent=0)
        elif state.silent + 1 >= SILENCE:
            self._become(one, Condition.SICK, f"does not answer: {reading.reason}", now)
        else:
            self._states[one.name] = replace(state, silent=state.silent + 1)

    def changes(self) -> list[tuple[DnsList, ListHealth]]:
        """Lists that fell sick or recovered since the last call, for the log."""
        changed, self._changes = self._changes, []
        return changed

    def _become(self, one: DnsList, condition: Condition, reason: str, now: float) -> None:
        state = self._states[one.name]
        if state.condition is condition:
            self._states[one.name] = replace(state, reason=reason)
            return
        fresh = replace(state, condition=condition, since=now, reason=reason, silent=0)
        self._states[one.name] = fresh
        if not (state.condition is Condition.NEW and condition is Condition.WELL):
            self._changes.append((one, fresh))
