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
from gatepost.lab.player import Visit, play
from gatepost.lab.scenario import Scenario, Stage, Target

AT_ONCE = 6  # visits at the same time; most of a visit is waiting


class Observer(Protocol):
    """Somebody who can look behind the server's door."""

    async def look(self, mark: str, visit: Visit) -> Seen:
        """What became of the mail with `mark` in its Message-ID."""
        ...


async def run_tour(
    target: Target,
    internet: Internet,
    scenarios: Sequence[Scenario],
    *,
    observer: Observer | None = None,
    progress: Callable[[Result], None] = lambda result: None,
) -> tuple[Result, ...]:
    """Every scenario once, several at a time; results in the scenarios' order."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(scenario: Scenario) -> Result:
        async with places:
            mark = f"{scenario.name}.{secrets.token_hex(6)}"
            stage = Stage(target=target, internet=internet, now=time.time(), mark=mark)
            visit = await asyncio.to_thread(play, scenario, stage)
            seen = await observer.look(mark, visit) if observer else None
            result = judge(scenario, visit, seen, stage)
            progress(result)
            return result

    return tuple(await asyncio.gather(*(one(scenario) for scenario in scenarios)))
