"""The tour: plays the scenarios against a server and judges each.

In: a target, the internet around it, scenarios, and perhaps somebody who can look behind the door. Out: `Result`s.
Standard: none. Not here: starting the server (`lab.gate`), the table (`lab.table`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from gatepost.lab.internet import Internet
from gatepost.lab.judge import Result, Seen, judge
from gatepost.lab.player import play
from gatepost.lab.scenario import Scenario, Stage, Target
from gatepost.net.visits import SocketVisitor, VisitLimits
from gatepost.ports.visitor import Visit

# Visits at the same time, since most of a visit is waiting; nobody but ourselves is to be spared.
LIMITS = VisitLimits(at_once=6, rate=1000.0, quiet=0.0)


class Observer(Protocol):
    """Somebody who can look behind the server's door."""

    async def look(self, mark: str, *, wait: bool) -> Seen:
        """What became of the mail with `mark` in its Message-ID; `wait` until that is settled."""
        ...


async def run_tour(
    target: Target,
    internet: Internet,
    scenarios: Sequence[Scenario],
    *,
    observer: Observer | None = None,
    progress: Callable[[Scenario, Visit], None] = lambda scenario, visit: None,
) -> tuple[Result, ...]:
    """Every scenario once, several at a time; results in the scenarios' order."""
    visitor = SocketVisitor(LIMITS)

    async def one(scenario: Scenario) -> tuple[Stage, Visit]:
        mark = f"{scenario.name}.{secrets.token_hex(6)}"
        stage = Stage(target=target, internet=internet, now=time.time(), mark=mark)
        visit = await play(scenario, stage, visitor)
        progress(scenario, visit)
        return stage, visit

    played = await asyncio.gather(*(one(scenario) for scenario in scenarios))
    seen = await _look(observer, scenarios, [stage for stage, _ in played])
    return tuple(
        judge(scenario, visit, found, stage)
        for scenario, (stage, visit), found in zip(scenarios, played, seen, strict=True)
    )


async def _look(
    observer: Observer | None, scenarios: Sequence[Scenario], stages: Sequence[Stage]
) -> Sequence[Seen | None]:
    """Mail that must have a verdict is waited for; then there was time for what should not be in a mailbox, too."""
    if observer is None:
        return [None] * len(stages)
    seen: dict[str, Seen] = {}
    for wait in (True, False):
        for scenario, stage in zip(scenarios, stages, strict=True):
            if wait == (bool(scenario.expected.actions) or scenario.expected.delivered is not None):
                seen[stage.mark] = await observer.look(stage.mark, wait=wait)
    return [seen[stage.mark] for stage in stages]
