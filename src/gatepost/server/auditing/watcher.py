"""One round over the watched domains: audit, compare with the last time, tell, remember.

In: how to audit a domain, the store, alerts. Out: `Round`s. What seems to have changed is looked at again after a
while, and only what is still so is told and remembered.
Standard: none. Not here: when rounds are made (`cli.watch`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gatepost.audit.compare import Changes, compare
from gatepost.finding import Severity
from gatepost.server.auditing.alerts import Alerts
from gatepost.server.auditing.settings import DomainWatchSettings
from gatepost.store.audits import Audits

AuditOne = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of one domain. `changes` is None the first time. `told` says how people were told, empty when there
    was nothing to tell."""

    domain: str
    grade: str
    changes: Changes | None
    told: tuple[str, ...] = ()

    @property
    def gravest(self) -> int:
        """The rank of the gravest change; a record that changed counts as a notice."""
        if self.changes is None:
            return -1
        least = Severity.NOTICE.rank if self.changes.records else -1
        return max(self.changes.gravest, least)

    def as_json(self) -> dict[str, Any]:
        """The schema is docs/schema/watch.json."""
        return {
            "domain": self.domain,
            "grade": self.grade,
            "first": self.changes is None,
            "changes": self.changes.as_json() if self.changes is not None else None,
            "told": list(self.told),
        }


class Watcher:
    """`audit` gives an audit as JSON values and never raises for what a domain may hold."""

    def __init__(self, settings: DomainWatchSettings, audit: AuditOne, audits: Audits, alerts: Alerts) -> None:
        self._settings = settings
        self._audit = audit
        self._audits = audits
        self._alerts = alerts

    async def round(self, domains: Sequence[str]) -> AsyncIterator[Round]:
        """Each domain in turn."""
        for domain in domains:
            yield await self._look(domain)

    async def _look(self, domain: str) -> Round:
        before = await asyncio.to_thread(self._audits.last, domain)
        now = await self._audit(domain)
        changes = compare(before, now) if before is not None else None
        if before is not None and changes is not None and self._matters(changes) and self._settings.confirm_after > 0:
            await asyncio.sleep(self._settings.confirm_after)
            now = await self._audit(domain)
            changes = compare(before, now)
        told: list[str] = []
        if changes is not None and self._matters(changes):
            told = await self._alerts.tell(domain, changes.as_json(), str(now["shown"]))
        failed = bool(told) and all("failed" in way for way in told)
        if not failed:  # else the next round tries to tell it again
            await asyncio.to_thread(self._audits.keep, domain, now, time.time())
        return Round(domain=domain, grade=str(now["grade"]["letter"]), changes=changes, told=tuple(told))

    def _matters(self, changes: Changes) -> bool:
        return bool(changes.records) or changes.gravest >= Severity(self._settings.alert_on).rank
