"""Where accounts logged in from, as one worker remembers it: written beside the loop, asked when it matters.

In: logins that succeeded. Out: whether an account came from a network before; the secret of decoys.
A store that fails is told of, and then nobody is known to have come from anywhere. Standard: none.
Not here: the file (`store.logins`), what follows (`guessing`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.store.logins import Logins

DAY = 86_400.0
_MAX_FRESH = 10_000  # logins known to be written today

Failed = Callable[[str, Exception], None]


class Remembered:
    """`failed(doing, error)` hears of a store that fails."""

    def __init__(self, store: Logins | None, days: float, failed: Failed) -> None:
        self._store = store
        self._keep = days * DAY
        self._failed = failed
        self._fresh: dict[tuple[str, str], float] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self.secret = store.secret if store is not None else secrets.token_bytes(32)

    @classmethod
    def open(cls, folder: Path, days: float, failed: Failed) -> Remembered:
        """With the store in `folder`, or without one that cannot be opened."""
        try:
            return cls(Logins.open(folder), days, failed)
        except StoreError as error:
            failed("opening the logins", error)
            return cls(None, days, failed)

    async def came_from(self, account: str, network: str) -> bool:
        """Whether `account` logged in from `network` within the days that are remembered."""
        if self._store is None:
            return False
        try:
            return await asyncio.to_thread(self._store.came_from, account, network, time.time() - self._keep)
        except StoreError as error:
            self._failed("reading logins", error)
            return False

    def succeeded(self, account: str, network: str) -> None:
        """`account` logged in from `network`; written once a day for each pair."""
        now, pair = time.time(), (account, network)
        if self._store is None or now - self._fresh.get(pair, 0.0) < DAY:
            return
        if len(self._fresh) >= _MAX_FRESH:
            self._fresh.clear()
        self._fresh[pair] = now
        task = asyncio.get_running_loop().create_task(self._write(self._store, account, network, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, store: Logins, account: str, network: str, now: float) -> None:
        try:
            await asyncio.to_thread(store.succeeded, account, network, now, forget_before=now - self._keep)
        except StoreError as error:
            self._fresh.pop((account, network), None)
            self._failed("writing a login", error)

    async def close(self) -> None:
        """Writes what is under way and closes the file."""
        if self._writing:
            await asyncio.wait(set(self._writing))
        if self._store is not None:
            self._store.close()
