"""The primaries of backup domains, as delivery sees them: who is away, and all that waits goes once he is back.

In: the ways to the primaries, results of attempts. Out: waiting mail that is due at once, oldest first.
A primary that is away is called every half minute while mail waits for it: no mail sits out a long wait that began when
the primary was still down. Standard: RFC 5321 §4.5.4.1. Not here: carrying (`delivery.lane`), recipients
(`recipients`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from gatepost.errors import GatepostError, StoreError
from gatepost.server.backup.settings import BackupSettings
from gatepost.server.delivery.hop import Connect
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.result import Result, Status
from gatepost.server.delivery.routes import Route
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.logs import Log
from gatepost.store.spool import Spool, State, waiting

NO_PAUSE = 1.0  # seconds a lane spares a primary that is down: when to call again is decided here
_WAKE = waiting.RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """`ways` are the primaries, each with the domains that it serves."""

    settings: BackupSettings
    ways: Mapping[Route, tuple[str, ...]]

    def is_primary(self, route: Route | None) -> bool:
        """Whether `route` leads to a primary."""
        return route in self.ways

    def patience(self, settings: DeliverySettings, route: Route | None) -> DeliverySettings:
        """The settings that hold for mail by `route`: one connection, tried for as long as a backup should."""
        if not self.is_primary(route):
            return settings
        return replace(
            settings,
            expire=max(self.settings.expire, settings.expire),
            connections_per_hop=self.settings.connections,
            hop_pause=min(NO_PAUSE, settings.hop_pause),
        )


class Primaries:
    """Runs on the delivery's event loop; `disk` is the thread that talks to the spool."""

    def __init__(self, backup: Backup, connect: Connect, spool: Spool, disk: Executor, log: Log) -> None:
        self._backup = backup
        self._connect = connect
        self._spool = spool
        self._disk = disk
        self._log = log
        self._away: set[Route] = set(backup.ways)  # after a start nobody knows: whoever answers gets what waits
        self._told: set[Route] = set()

    def watched(
        self, route: Route, finish: Callable[[Job, Sequence[Result]], None]
    ) -> Callable[[Job, Sequence[Result]], None]:
        """`finish` of the lane to `route`, with an eye on whether the primary was there at all."""

        def finished(job: Job, results: Sequence[Result]) -> None:
            if any(result.status is Status.DEFERRED and not result.reply_code for result in results):
                self._went_away(route, results)
            finish(job, results)

        return finished

    def _went_away(self, route: Route, results: Sequence[Result]) -> None:
        self._away.add(route)
        if route not in self._told:
            self._told.add(route)
            self._log.warning(
                "primary-away",
                primary=str(route),
                domains=" ".join(self._backup.ways[route]),
                reason=results[0].text,
                mail="is held until it answers",
            )

    async def run(self) -> None:
        """Calls primaries that are away, until it is cancelled."""
        while self._backup.ways:
            await asyncio.gather(*(self._call(route) for route in self._away.copy()))
            await asyncio.sleep(self._backup.settings.probe)

    async def _call(self, route: Route) -> None:
        domains = self._backup.ways[route]
        try:
            if not await self._on_disk(lambda: _waits(self._spool, domains)):
                return
            hop = await self._connect(route, demanded=True)
            await hop.close()
            self._away.discard(route)  # first: a failure of what is woken now is news again
            self._told.discard(route)
            woken = await self._on_disk(lambda: _wake(self._spool, domains))
        except StoreError as error:
            self._log.error("spool-failed", doing="wake", error=error)
            self._away.add(route)
        except (GatepostError, OSError):
            return
        else:
            self._log.info("primary-back", primary=str(route), domains=" ".join(domains), waiting=woken)

    async def _on_disk(self, call: Callable[[], int]) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._disk, call)


def _waits(spool: Spool, domains: Iterable[str]) -> int:
    queued = (State.QUEUED,)
    return sum(len(waiting.search(spool, waiting.Selection(states=queued, domain=name), limit=1)) for name in domains)


def _wake(spool: Spool, domains: Iterable[str]) -> int:
    return sum(len(waiting.change(spool, waiting.Selection(domain=name), _WAKE)) for name in domains)
