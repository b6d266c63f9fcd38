"""The sandbox: opens messages in its children, one after the other, whatever happens to a child.

In: messages. Out: `Opened` within the deadline; never an exception. It answers the `Opener` port.
A message of nothing but plain text is read here: our own reader of text is bounded by construction, and a child costs
more than the reading. Standard: DESIGN, "How it runs". Not here: processes (`nursery`), the work (`walker`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

from gatepost.message.message import parse_message
from gatepost.ports import Opened, Trouble
from gatepost.sandbox.confine import Layers
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.handle import Child, ChildLost
from gatepost.sandbox.limits import MEGABYTE
from gatepost.sandbox.nursery import PROGRAM, Nursery
from gatepost.sandbox.settings import ContentSettings
from gatepost.sandbox.walker import NeedsChild, Walker

SMALL = 1 << 16  # octets of a message of plain text that is read in this process
BIG = 4 * MEGABYTE  # of such messages only one is opened at a time: each may take many times its size in memory
GROWN = 160 * MEGABYTE  # a child that took so much is replaced after the message
SECOND_TRY = 3.0  # seconds kept for opening the texts of a message whose attachments were too much
_REMEMBERED = 256  # messages that ended a child: they are not given to another one
_TEXT_ONLY = frozenset(("text", "eicar"))

Result = TypeVar("Result")
Told = Callable[..., None]
"""Called with the name of an event and facts: "sandbox-child" (`trouble`, `reason`), "sandbox-ready"
(`layers`, `missing`), "sandbox-rules" (`reason`: what is wrong with a file of rules)."""


def _untold(event: str, **facts: Any) -> None:
    """Nobody listens."""


class Sandbox:
    """One for each event loop; an asynchronous context manager. `preload` loads every reader once for all children:
    right for a server, too slow for a single message. `processors` are those that children may run on (none: ours)."""

    def __init__(
        self,
        settings: ContentSettings | None = None,
        *,
        preload: bool = True,
        told: Told = _untold,
        program: Sequence[str] = PROGRAM,
        processors: Collection[int] | None = None,
    ) -> None:
        self._settings = settings or ContentSettings()
        self._told = told
        self._nursery = Nursery(self._settings, preload=preload, program=program, processors=processors)
        self._idle: list[Child] = []
        self._slots = asyncio.Semaphore(self._settings.children)
        self._big = asyncio.Semaphore(1)
        self._waiting = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._fatal: OrderedDict[bytes, ChildLost] = OrderedDict()
        self.layers: Layers = {}
        self.problems: tuple[str, ...] = ()  # what is wrong with the administrator's YARA rules

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> Layers:
        """Has the first child born now rather than with the first message; says which walls hold. Raises ChildLost."""
        async with self._slots:
            self._idle.append(await self._born())
        return self.layers

    def warm(self) -> None:
        """`start`, without waiting; what goes wrong is told."""
        self._keep(asyncio.get_running_loop().create_task(self._warm()))

    async def _warm(self) -> None:
        try:
            await self.start()
        except ChildLost as lost:
            self._told("sandbox-child", trouble=lost.code, reason=lost.reason)

    def begin(self, raw: bytes) -> Awaitable[Opened]:
        """As the port says."""
        loop = asyncio.get_running_loop()
        opened = read_here(raw)
        if opened is not None:
            done: asyncio.Future[Opened] = loop.create_future()
            done.set_result(opened)
            return done
        return self._keep(loop.create_task(self._open(raw)))

    def _keep(self, task: asyncio.Task[Result]) -> asyncio.Task[Result]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Ends all children; what is under way answers "unavailable" to nobody."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in self._idle:
            child.close()
        self._idle.clear()
        self._nursery.close()

    async def _open(self, raw: bytes) -> Opened:
        if self._waiting >= self._settings.waiting:
            return _only("unavailable", "too many messages wait to be opened")
        ends = asyncio.get_running_loop().time() + self._settings.deadline
        if not self._fatal:
            return await self._try(raw, ends)
        known = self._fatal.get(hashlib.sha256(raw).digest())
        return await (self._try(raw, ends) if known is None else self._texts_only(raw, ends, known))

    async def _try(self, raw: bytes, ends: float) -> Opened:
        """Everything; where that ends a child, the texts at least."""
        try:
            return await self._within(raw, max(ends - SECOND_TRY, ends - self._settings.deadline / 2), full=True)
        except ChildLost as lost:
            self._told("sandbox-child", trouble=lost.code, reason=lost.reason)
            if lost.code == "unavailable":
                return _only(lost.code, lost.reason)
            self._fatal[hashlib.sha256(raw).digest()] = lost
            if len(self._fatal) > _REMEMBERED:
                self._fatal.popitem(last=False)
            return await self._texts_only(raw, ends, lost)

    async def _texts_only(self, raw: bytes, ends: float, lost: ChildLost) -> Opened:
        """A message that ended a child is never given to the readers of attachments again."""
        trouble = Trouble(code=lost.code, reason=lost.reason)
        try:
            opened = await self._within(raw, ends, full=False)
        except ChildLost as again:
            self._told("sandbox-child", trouble=again.code, reason=again.reason)
            return Opened(trouble=(trouble,))
        return replace(opened, trouble=(trouble, *opened.trouble))

    async def _within(self, raw: bytes, ends: float, *, full: bool) -> Opened:
        """Waits for its turn and opens `raw`. Raises ChildLost, with "time" when `ends` came first."""
        self._waiting += 1
        turn = True
        try:
            async with asyncio.timeout_at(ends):
                async with self._big if len(raw) > BIG else _NOTHING, self._slots:
                    self._waiting -= 1
                    turn = False
                    return await self._with_child(raw, full=full)
        except TimeoutError:
            if turn:
                raise ChildLost("unavailable", "no child was free in time") from None
            raise ChildLost("time", f"not opened within {self._settings.deadline:g} seconds") from None
        finally:
            self._waiting -= turn

    async def _with_child(self, raw: bytes, *, full: bool) -> Opened:
        child = self._rested() or await self._born()
        keep = False
        try:
            opened = await child.open(raw, full=full)
            keep = child.jobs < self._settings.messages_per_child and child.rss < GROWN
            return opened
        finally:
            if keep:
                self._idle.append(child)
            else:
                child.close()

    def _rested(self) -> Child | None:
        """A child that waits and still lives."""
        while self._idle:
            child = self._idle.pop()
            if child.lives:
                return child
            child.close()
        return None

    async def _born(self) -> Child:
        child = await self._nursery.child()
        if not self.layers:
            self.layers = child.layers
            missing = {name: reason for name, reason in child.layers.items() if reason}
            self._told("sandbox-ready", layers=" ".join(n for n, r in child.layers.items() if not r), missing=missing)
            self.problems = tuple(self._nursery.problems)
            for problem in self.problems:
                self._told("sandbox-rules", reason=problem)
        return child


class _Nothing:
    """A lock that is always free."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


_NOTHING = _Nothing()


async def probe(settings: ContentSettings) -> tuple[Layers, tuple[str, ...]]:
    """Which walls hold here, and what is wrong with the YARA rules. Raises ChildLost where no child can be started."""
    async with Sandbox(settings) as sandbox:
        return await sandbox.start(), sandbox.problems


def read_here(raw: bytes) -> Opened | None:
    """What a small message of nothing but plain text holds; None for any other."""
    if len(raw) > SMALL:
        return None
    for part in parse_message(raw).tree.walk():
        if not part.children and (part.content_type.value != "text/plain" or part.filename):
            return None
    finds = Finds()
    try:
        Walker(finds, only=_TEXT_ONLY).walk(raw)
    except NeedsChild:
        return None
    return finds.opened()


def _only(code: str, reason: str) -> Opened:
    return Opened(trouble=(Trouble(code=code, reason=reason),))
