"""The probe for Python: `probe_server` tries scenarios on one port of a server.

In: an `Aim`, scenarios, who visits. Out: `Probed`, also when the time ran out or somebody cancelled: what was found
until then is kept, the rest is said to be untested. Standard: DESIGN, "What others may lean on".
Not here: scenarios and judgement (`audit.probe`), sockets (`net.visits`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gatepost.audit.probe.aim import Aim
from gatepost.audit.probe.judging import Result, Standing, grade, judge, untested
from gatepost.audit.probe.scenario import Played, Scenario, Status, World
from gatepost.audit.probe.speech import goodbye, session
from gatepost.errors import InputError
from gatepost.ports.visitor import Call, Kind, Visit

Progress = Callable[[Result], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What one port was found to do. `reason` says why nothing, or not everything, was tried."""

    aim: Aim
    results: tuple[Result, ...]
    reason: str = ""

    @property
    def grade(self) -> Standing | None:
        """Of this port."""
        return grade(self.results)

    def as_json(self) -> dict[str, Any]:
        """As the schema docs/schema/probe.json has it."""
        found, target = self.grade, self.aim.target
        count = {status.value: sum(result.status is status for result in self.results) for status in Status}
        return {
            "host": target.host,
            "address": target.address,
            "port": target.port,
            "spoken": target.spoken.value,
            "implicit_tls": target.implicit_tls,
            "greeting": self.aim.greeting,
            "grade": found.whole.as_json() if found else None,
            "groups": {group.value: one.as_json() for group, one in found.groups.items()} if found else {},
            "count": count,
            "reason": self.reason,
            "results": [result.as_json() for result in self.results],
        }


def _ignore(_result: Result) -> None:
    """Nobody watches."""


async def probe_server(
    aim: Aim,
    scenarios: Sequence[Scenario],
    world: World,
    *,
    deadline: float,
    progress: Progress = _ignore,
    stop: asyncio.Event | None = None,
) -> Probed:
    """Tries `scenarios` that fit what is spoken there; those that annoy a server last, one after the other. Ends within
    `deadline` seconds, or soon after `stop` is set."""
    wanted = [scenario for scenario in scenarios if aim.target.spoken in scenario.spoken]
    probe = _Probe(aim, world, progress)
    task = asyncio.ensure_future(probe.run(wanted))
    stopped = asyncio.ensure_future((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait((task, stopped), timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = task.done()
        reason = "" if done else ("it was interrupted" if stopped.done() else f"the time ({deadline:g} s) was over")
        for one in (task, stopped):
            one.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
    if done:
        task.result()
    reason = probe.reason or reason
    results = tuple(probe.results.get(scenario.name) or probe.not_done(scenario, reason) for scenario in wanted)
    return Probed(aim=probe.aim, results=results, reason=reason)


class _Probe:
    """One port's probe under way."""

    def __init__(self, aim: Aim, world: World, progress: Progress) -> None:
        self.aim, self._world, self._progress = aim, world, progress
        self.results: dict[str, Result] = {}
        self.reason = ""

    async def run(self, scenarios: Sequence[Scenario]) -> None:
        """The first visit, then everything."""
        first = await self._look()
        if not first.replies or first.replies[0].kind is not Kind.GOOD:
            self.reason = first.words
            return
        early = [scenario for scenario in scenarios if not scenario.late]
        await asyncio.gather(*(self._one(scenario) for scenario in early))
        for scenario in scenarios:
            if scenario.late:
                await self._one(scenario)

    async def _look(self) -> Visit:
        """What the server says of itself, before TLS and in it."""
        aim = replace(self.aim, logs_in=False)
        steps = aim.fill((*session(aim), goodbye(aim)))
        visit = await self._world.visitor.visit(Call(target=aim.target, steps=steps, source=aim.source))
        greeting = visit.replies[0].text if visit.replies else ""
        self.aim = replace(self.aim, greeting=greeting, offers=visit.offers)
        aim = replace(aim, offers=visit.offers)
        if aim.starttls:
            steps = aim.fill((*session(aim, secure=True), goodbye(aim)))
            secured = await self._world.visitor.visit(Call(target=aim.target, steps=steps, source=aim.source))
            self.aim = replace(self.aim, secure_offers=secured.offers if secured.secure else ())
        return visit

    async def _one(self, scenario: Scenario) -> None:
        aim = self.aim.marked(scenario.name)
        lacking = [need.value for need in scenario.needs if aim.lacks(need)]
        began = asyncio.get_running_loop().time()
        if lacking:
            result = Result(scenario=scenario, target=aim.target, judged=untested("; ".join(lacking)))
        else:
            result = await self._play(scenario, aim)
        result = replace(result, seconds=asyncio.get_running_loop().time() - began)
        self.results[scenario.name] = result
        self._progress(result)

    async def _play(self, scenario: Scenario, aim: Aim) -> Result:
        try:
            async with asyncio.timeout(scenario.seconds):
                played = await (scenario.play or _pay_one_visit)(self._world, aim, scenario)
        except InputError as error:  # the mailbox cannot be looked into
            return self.not_done(scenario, str(error))
        except TimeoutError:
            return self.not_done(scenario, f"it did not end within {scenario.seconds:g} s")
        judged = judge(scenario, played, aim)
        return Result(scenario=scenario, target=aim.target, judged=judged, visits=played.visits)

    def not_done(self, scenario: Scenario, reason: str) -> Result:
        """What was not, or not wholly, tried."""
        return Result(scenario=scenario, target=self.aim.target, judged=untested(reason))


async def _pay_one_visit(world: World, aim: Aim, scenario: Scenario) -> Played:
    """The usual way: one session with the scenario's steps."""
    opening = session(aim, secure=scenario.secure) if scenario.opens else ()
    steps = aim.fill((*opening, *scenario.steps, goodbye(aim)))
    call = Call(target=aim.target, steps=steps, seconds=scenario.seconds - 1, source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))
