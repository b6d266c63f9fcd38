"""How much an account may send: counted over all processes, kept over a restart.

In: an account, its recipients, the time. Out: `Over` when a limit is passed, else None and it is counted.
The look-ups block on the disk, so they have a thread. Standard: none.
Not here: what follows (`suspension`); the table (`store.sent`); the options (`settings.SendLimits`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gatepost.server.submission.settings import SendLimits
from gatepost.store.accounts import Standing
from gatepost.store.accounts.rights import Rights
from gatepost.store.history import SenderHistory
from gatepost.store.sent import Amount, Over, SentCounts

Found = TypeVar("Found")


class Quotas:
    """One worker's. `history` is None where nobody remembers senders: then nobody is a first-time recipient."""

    def __init__(
        self,
        limits: SendLimits,
        *,
        counts: SentCounts,
        rights: Rights,
        history: SenderHistory | None,
        is_ours: Callable[[str], bool],
    ) -> None:
        self._counts = counts
        self._rights = rights
        self._history = history
        self._is_ours = is_ours
        self._usual = {
            "messages_per_hour": limits.messages_per_hour,
            "messages_per_day": limits.messages_per_day,
            "recipients_per_hour": limits.recipients_per_hour,
            "recipients_per_day": limits.recipients_per_day,
            "new_recipients_per_hour": limits.new_recipients_per_hour,
            "new_recipients_per_day": limits.new_recipients_per_day,
            "bad_messages_per_day": limits.bad_messages_per_day,
        }
        self._thread = ThreadPoolExecutor(1, "quotas")

    async def standing(self, account: str) -> Standing:
        """State, limits and bulk mark of `account`. Raises StoreError."""
        return await self._run(self._rights.standing, account)

    async def count(self, standing: Standing, recipients: Sequence[str], now: float) -> Over | None:
        """Counts a message to `recipients`, unless it goes over a limit. Raises StoreError."""
        account = standing.account
        more = Amount(messages=1, recipients=len(recipients), new_recipients=await self._strangers(account, recipients))
        return await self._run(self._counts.count, account, more, self.limits_of(standing), now)

    async def note_bad(self, standing: Standing, now: float) -> Over | None:
        """Counts a message that speaks of a stolen account; `Over` once there were too many. Raises StoreError."""
        most = self.limits_of(standing)["bad_messages_per_day"]
        return await self._run(self._counts.note_bad, standing.account, most, now)

    def limits_of(self, standing: Standing) -> Mapping[str, int]:
        """The limits of an account: its own where it has some, else the gate's."""
        return self._usual | dict(standing.limits)

    async def _strangers(self, account: str, recipients: Sequence[str]) -> int:
        elsewhere = [address for address in recipients if not self._is_ours(address)]
        if self._history is None or not elsewhere:
            return 0
        known = await self._history.known_to(account, elsewhere)
        return len(elsewhere) - len(known) if known is not None else len(elsewhere)

    async def _run(self, function: Callable[..., Found], *arguments: Any) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def close(self) -> None:
        """Waits for what is under way and closes the file."""
        self._thread.shutdown(wait=True)
        self._counts.close()
