"""From a plan to the zone and back: the changes, what became of them, whether they stand, and how to undo them.

In: a plan, what the zone's server has, a publisher. Out: `Change`s that keep whatever else stands at a name and are
guarded against what others do meanwhile; `Done`. Standard: RFC 2136 §2.4 (guards), §2.5.
Not here: asking the person (`cli.records_plan`), keeping what stood before (`store.published`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gatepost.audit.records import Kind, Need, canonical
from gatepost.audit.standing import Compared, Planned
from gatepost.ports import DnsStatus
from gatepost.ports.publisher import Action, Change, Outcome, Publisher, Standing, undo
from gatepost.server.records.plan import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a record set, and what stood there before."""

    change: Change
    before: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a step. `stands`: the server shows it, asked again."""

    step: Step
    outcome: Outcome
    stands: bool
    reason: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it was made and is there."""
        return self.outcome is Outcome.DONE and self.stands


def changes_of(
    plan: Sequence[Planned], stands: Mapping[Place, Standing], ttl: int, overwrite: Collection[Kind] = ()
) -> list[Step]:
    """What is to be changed: what is missing or not as it must be, and of the owner's kinds those in `overwrite`. A
    MAY is changed only when it is in `overwrite`."""
    wanted: dict[Place, list[Planned]] = {}
    for one in plan:
        if _is_due(one, overwrite):
            wanted.setdefault((one.wanted.name, one.wanted.rtype), []).append(one)
    return [_step(place, due, plan, stands[place], ttl) for place, due in wanted.items()]


def _is_due(one: Planned, overwrite: Collection[Kind]) -> bool:
    kind = one.wanted.kind
    if one.compared is Compared.MISSING:
        return one.wanted.need is not Need.MAY or kind in overwrite
    if one.compared is Compared.DIFFERS:
        return True
    return one.compared is Compared.YOURS and kind in overwrite and bool(one.found)


def _step(place: Place, due: Sequence[Planned], plan: Sequence[Planned], before: Standing, ttl: int) -> Step:
    """The whole set as it shall be: what is wanted, what is of another kind, and, of sets that may have several, what
    others put there beside ours."""
    name, rtype = place
    ours = {canonical(rtype, one.wanted.rdata) for one in plan if (one.wanted.name, one.wanted.rtype) == place}
    written = {canonical(rtype, one.wanted.rdata) for one in due}
    replaced = {text for one in due if one.compared is not Compared.MISSING for text in one.found} - ours
    kept = [record for record in before.records if canonical(rtype, record) not in replaced | written]
    change = Change(
        action=Action.REPLACE,
        name=name,
        rtype=rtype,
        records=tuple(dict.fromkeys((*kept, *(one.wanted.rdata for one in due)))),
        ttl=before.ttl or ttl,
        expected=before.records,
    )
    return Step(change=change, before=before)


async def publish_steps(publisher: Publisher, steps: Sequence[Step]) -> list[Done]:
    """Makes the changes and asks the server again. Raises InputError for what is no record; nothing was sent then."""
    results = await publisher.publish([step.change for step in steps])
    said = {_key(change): (one.outcome, one.reason) for one in results for change in one.changes}
    done = []
    for step in steps:
        outcome, reason = said[_key(step.change)]
        after = await publisher.read(step.change.name, step.change.rtype)
        stands = _shows(after, step.change)
        if outcome is Outcome.DONE and not stands:
            reason = after.reason or "the server said yes and shows something else"
        done.append(Done(step=step, outcome=outcome, stands=stands, reason=reason))
    return done


def _key(change: Change) -> Place:
    return change.name, change.rtype


def _shows(after: Standing, change: Change) -> bool:
    if after.status is DnsStatus.TEMPFAIL:
        return False
    shown = {canonical(change.rtype, record) for record in after.records}
    asked = {canonical(change.rtype, record) for record in change.records}
    return shown == asked if change.action is Action.REPLACE else not (shown & asked if asked else shown)


def undo_steps(steps: Sequence[Step], stands: Mapping[Place, Standing]) -> list[Step]:
    """What brings back how it was; only where nobody changed it since."""
    return [
        Step(change=undo(step.change, step.before), before=stands[_key(step.change)]) for step in reversed(list(steps))
    ]
