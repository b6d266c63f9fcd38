"""A blocking directory in a few threads: argon2id takes some 50 ms and lets go of the interpreter's lock meanwhile.

In: a `BlockingDirectory`. Out: a `Directory` that never blocks the loop; StoreBusy when too many wait for it.
Passwords are checked in threads of their own, so that a quick look-up never waits behind them. Standard: none.
Not here: passwords (`store.accounts`), guessing (`guessing`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gatepost.errors import StoreBusy
from gatepost.ports import BlockingDirectory, Identity, ScramVerifier

Found = TypeVar("Found")


class PooledDirectory:
    """`at_once` passwords are checked at the same time, `waiting` more wait."""

    def __init__(self, directory: BlockingDirectory, *, at_once: int, waiting: int) -> None:
        self._directory = directory
        self._slow = ThreadPoolExecutor(at_once, "password")
        self._quick = ThreadPoolExecutor(1, "directory")
        self._most = at_once + waiting
        self._under_way = 0

    async def check_password(self, name: str, password: str) -> Identity | None:
        """As in `ports.Directory`."""
        return await self._run(self._slow, self._directory.check_password, name, password)

    async def verifier(self, name: str) -> ScramVerifier | None:
        """As in `ports.Directory`."""
        return await self._run(self._quick, self._directory.verifier, name)

    async def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """As in `ports.Directory`."""
        return await self._run(self._quick, self._directory.by_certificate, fingerprint, subject)

    async def _run(self, pool: ThreadPoolExecutor, function: Callable[..., Found], *arguments: str) -> Found:
        if self._under_way >= self._most:
            raise StoreBusy("more log in than can be checked")
        future = asyncio.get_running_loop().run_in_executor(pool, function, *arguments)
        self._under_way += 1
        # until the thread is done, also where nobody waits for it any more
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._under_way -= 1
        if not future.cancelled():
            future.exception()  # has been seen

    def close(self) -> None:
        """Lets no more in; what is under way ends by itself."""
        self._slow.shutdown(wait=False, cancel_futures=True)
        self._quick.shutdown(wait=False, cancel_futures=True)
