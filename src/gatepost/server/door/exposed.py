"""Passwords that were sent without TLS: refused, and the account's owner named in the log, so that he can be warned.

In: the name that came with a password, on whichever port. Out: one warning a minute for each account, none for a name
that nobody here has. Standard: RFC 4954 §4 (538). Not here: the refusal (`smtp.auth`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from gatepost.errors import StoreError
from gatepost.server.logs import Log
from gatepost.server.smtp.visit import Visit

_QUIET = 60.0  # seconds between two lines about one account
_MAX_NAMES = 1000
_MAX_ASKED = 50  # questions at one time; strangers can name anybody


class Exposures:
    """One worker's. `exists(account)` asks whether there is such an account."""

    def __init__(self, log: Log, exists: Callable[[str], Awaitable[bool]]) -> None:
        self._log = log
        self._exists = exists
        self._told: dict[str, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        """A client sent a password for `name` without TLS; empty: it came with none."""
        now = time.monotonic()
        if not name or now - self._told.get(name, -_QUIET) < _QUIET or len(self._asking) >= _MAX_ASKED:
            return
        if len(self._told) >= _MAX_NAMES:
            self._told.clear()
        self._told[name] = now
        task = asyncio.get_running_loop().create_task(self._warn(visit, mechanism, name))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _warn(self, visit: Visit, mechanism: str, name: str) -> None:
        try:
            known = await self._exists(name)
        except StoreError:
            return
        if known:
            self._log.warning(
                "password-exposed", account=name, mechanism=mechanism, client=visit.session.client_ip,
                session=visit.id, do="a password was sent without TLS: have it changed, and TLS switched on there",
            )  # fmt: skip

    async def close(self) -> None:
        """Waits for what is under way."""
        if self._asking:
            await asyncio.wait(set(self._asking))
