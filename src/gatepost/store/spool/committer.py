"""The committer: many sessions wait, one thread syncs, one sync serves them all.

In: `await committer.add(new)` from the event loop. Out: the spool id, once it is durable; or StoreFull, StoreError.
Whatever waits while a commit runs makes up the next group, so a group grows with the load; while messages come close
together a group also lingers for a millisecond, since each commit costs the loop some switches of threads. A lone
message waits for nobody. Standard: RFC 5321 §4.2.5. Not here: what a commit is (`shard`).
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from gatepost.errors import StoreError, StoreFull
from gatepost.store.spool.rows import Prepared
from gatepost.store.spool.shard import SpoolShard
from gatepost.store.spool.spooled import NewMessage

_FILE_WRITERS = 2  # threads that write large bodies, so that small messages need not wait behind them
_LINGER = 0.001  # seconds; under load it takes a third of the commits and a tenth of all CPU time away
_IN_COMPANY = 0.25  # the share of messages that met another waiting one, above which a group lingers
_MEMORY = 16  # messages over which that share is averaged

_Waiter = tuple[Prepared, "asyncio.Future[str]", str, int]


class Committer:
    """Belongs to one event loop and one shard; closes the shard when it is closed."""

    def __init__(self, shard: SpoolShard) -> None:
        self._shard = shard
        self._loop = asyncio.get_running_loop()
        self._next: deque[_Waiter] = deque()  # those that wait for the commit under way to end
        self._committing = False
        self._work: queue.SimpleQueue[tuple[list[_Waiter], bool] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._waiting_octets = 0
        self._company = 0.0
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._files = ThreadPoolExecutor(_FILE_WRITERS, thread_name_prefix="spool-file")
        self._thread = threading.Thread(target=self._run, name="spool-commit", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Messages that wait for the disk now."""
        return self._waiting

    @property
    def is_pressed(self) -> bool:
        """Whether so many wait that whoever begins to send a message now may have sent it in vain."""
        settings = self._shard.settings
        return 2 * self._waiting >= settings.max_waiting or 2 * self._waiting_octets >= settings.max_waiting_octets

    def next_id(self, now: float) -> str:
        """A fresh id for a message that is being received."""
        return self._shard.next_id(now)

    async def add(self, new: NewMessage) -> str:
        """Returns the id when the message is durable: only then may 250 be said.

        Raises StoreFull (disk or our own limit: answer 452) or StoreError (answer 451); then nothing of it is kept.
        A caller that is cancelled meanwhile may leave the message in or out.
        """
        octets = len(new.body)
        self._admit(octets)
        self._waiting += 1
        self._waiting_octets += octets
        self._company += ((self._waiting > 1) - self._company) / _MEMORY
        self._idle.clear()
        try:
            if octets > self._shard.settings.inline_limit:
                ready = await self._loop.run_in_executor(self._files, self._shard.prepare, new)
            else:
                ready = self._shard.prepare(new)
            future: asyncio.Future[str] = self._loop.create_future()
            self._next.append((ready, future, new.id, octets))
            if not self._committing:
                self._committing = True
                self._begin_soon()
            return await future
        finally:
            self._waiting -= 1
            self._waiting_octets -= octets
            if not self._waiting:
                self._idle.set()

    async def close(self) -> None:
        """Commits what waits, then stops the thread and closes the shard."""
        if self._closing:
            return
        self._closing = True
        await self._idle.wait()
        await self._loop.run_in_executor(self._files, self._stop)
        self._files.shutdown(wait=True)

    def _stop(self) -> None:
        self._work.put(None)
        self._thread.join()
        self._shard.close()

    def _admit(self, octets: int) -> None:
        settings = self._shard.settings
        if self._closing:
            raise StoreError("the spool is closing")
        if self._waiting >= settings.max_waiting or self._waiting_octets + octets > settings.max_waiting_octets:
            raise StoreFull("too many messages wait for the disk")

    def _begin_soon(self) -> None:
        if self._company > _IN_COMPANY and len(self._next) < self._shard.settings.max_group and not self._closing:
            self._loop.call_later(_LINGER, self._begin)
        else:
            self._loop.call_soon(self._begin)  # whoever is ready in this turn of the loop comes along

    def _begin(self) -> None:
        """On the loop: takes whatever waits, inserts it where that needs no waiting, leaves the rest to the thread."""
        group = [self._next.popleft() for _ in range(min(len(self._next), self._shard.settings.max_group))]
        try:
            staged = self._shard.stage([waiter[0] for waiter in group])
        except Exception as error:
            self._end(group, _as_store_error(error))
        else:
            self._work.put((group, staged))

    def _run(self) -> None:
        """The thread: waits for the disk and reports once a group."""
        while (work := self._work.get()) is not None:
            group, staged = work
            failure: StoreError | None = None
            try:
                if staged:
                    self._shard.seal()
                else:
                    self._shard.commit([waiter[0] for waiter in group])
            except Exception as error:
                failure = _as_store_error(error)
            self._loop.call_soon_threadsafe(self._end, group, failure)

    def _end(self, group: list[_Waiter], failure: StoreError | None) -> None:
        """On the loop: the group's sessions go on, and the next group begins."""
        _report(group, failure)
        if self._next:
            self._begin_soon()
        else:
            self._committing = False


def _as_store_error(error: Exception) -> StoreError:
    """A programming error must not leave sessions waiting for ever."""
    return error if isinstance(error, StoreError) else StoreError(f"the spool failed: {error!r}")


def _report(group: list[_Waiter], failure: StoreError | None) -> None:
    for _, future, message_id, _ in group:
        if future.done():  # the session has gone
            continue
        if failure is None:
            future.set_result(message_id)
        else:
            future.set_exception(type(failure)(*failure.args))  # one each: a traceback grows where it is raised
