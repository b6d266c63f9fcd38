"""The parent's side of the sandbox's processes: starts the nursery, orders children, hears of their deaths.

In: settings. Out: `Child`, whose `open` gives what one message holds or raises `ChildLost`. The nursery is started anew
when it dies; children are killed through it, so that no process but ours can be hit.
Standard: DESIGN, "How it runs". Not here: the processes themselves (`child`), which message goes to whom (`pool`).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from gatepost.ports import Opened
from gatepost.sandbox.confine import Layers
from gatepost.sandbox.finds import BadOutput, read_opened
from gatepost.sandbox.job import FULL, GREETING, LIGHT, Frames
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.settings import ContentSettings

PROGRAM = (sys.executable, "-I", "-m", "gatepost.sandbox.child")
_CHUNK = 1 << 18
_START = 30.0  # seconds for Python and all readers to load, on a machine that is busy
_EXIT_NEWS = 2.0  # seconds until the nursery has told how a child ended
_MAX_NEWS = 4096
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "LIBARCHIVE": "libarchive.so.13", "MALLOC_ARENA_MAX": "2"}


class ChildLost(Exception):
    """The child is gone, or what it answered cannot be used. `code` is one of `ports.Trouble`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def limits_of(settings: ContentSettings) -> Limits:
    """The bounds that the settings name, as readers know them."""
    return Limits(
        items=settings.max_items,
        depth=settings.max_depth,
        member=settings.max_file,
        total=settings.max_unpacked,
        ratio=settings.max_ratio,
    )


class Nursery:
    """One process that bears the children; it starts with the first order."""

    def __init__(self, settings: ContentSettings, *, preload: bool, program: Sequence[str] = PROGRAM) -> None:
        self._settings = settings
        self._program = program
        birth = json.dumps(
            {
                "limits": dataclasses.asdict(limits_of(settings)),
                "ration": {"memory": settings.memory, "cpu_seconds": settings.cpu_seconds},
                "preload": preload,
                "yara_rules": settings.yara_rules,
            }
        )
        self._birth = birth.encode()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready: asyncio.Future[None] | None = None
        self._orders: dict[int, asyncio.Future[tuple[int, asyncio.Future[int]]]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._number = 0
        self.problems: list[str] = []  # what is wrong with the administrator's own rules

    async def child(self) -> Child:
        """A new child, confined and waiting. Raises ChildLost."""
        loop = asyncio.get_running_loop()
        control = await self._started(loop)
        own, theirs = socket.socketpair()
        self._number = number = self._number + 1
        order = loop.create_future()
        self._orders[number] = order
        try:
            with theirs:
                socket.send_fds(control, [b"fork %d" % number], [theirs.fileno()])
            pid, end = await order
        except OSError as error:
            own.close()
            raise ChildLost("unavailable", f"no child process: {error}") from None
        except BaseException:
            own.close()
            raise
        finally:
            self._orders.pop(number, None)
        child = Child(own, pid, end, self._kill, self._settings)
        try:
            await child.greet()
        except BaseException:
            child.close()
            raise
        return child

    def close(self) -> None:
        """Ends the nursery and with it all children."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._lost("the sandbox was closed")

    async def _started(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        if self._control is None:
            self._control = self._start(loop)
        control, ready = self._control, self._ready
        assert ready is not None
        async with asyncio.timeout(_START):
            await asyncio.shield(ready)
        return control

    def _start(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        self.close()
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own.setblocking(False)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*self._program, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                    cwd="/",
                )
                own.send(self._birth)
            except OSError as error:
                own.close()
                raise ChildLost("unavailable", f"the sandbox cannot be started: {error}") from None
        self._ready = loop.create_future()
        loop.add_reader(own, self._hear, own)
        return own

    def _hear(self, control: socket.socket) -> None:
        """News from the nursery, or its death."""
        try:
            data = control.recv(_MAX_NEWS)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            if control is self._control:
                self.close()
            return
        news: dict[str, Any] = json.loads(data)
        if "ready" in news and self._ready is not None and not self._ready.done():
            self.problems = [str(problem) for problem in news["ready"]]
            self._ready.set_result(None)
        elif "forked" in news:
            end = self._ends[news["pid"]] = asyncio.get_running_loop().create_future()
            order = self._orders.pop(news["forked"], None)
            if order is not None and not order.done():
                order.set_result((news["pid"], end))
            else:
                self._kill(news["pid"])  # who ordered it has gone
        elif "ended" in news:
            ended = self._ends.pop(news["ended"], None)
            if ended is not None and not ended.done():
                ended.set_result(news["status"])

    def _kill(self, pid: int) -> None:
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(b"kill %d" % pid)

    def _lost(self, reason: str) -> None:
        """Everybody who waits for the nursery is told."""
        waiting: list[asyncio.Future[Any]] = [*self._orders.values()]
        if self._ready is not None:
            waiting.append(self._ready)
        for future in waiting:
            if not future.done():
                future.set_exception(ChildLost("unavailable", reason))
                future.exception()  # whether or not somebody still waits
        for end in self._ends.values():
            if not end.done():
                end.cancel()
        self._orders.clear()
        self._ends.clear()
        self._ready = None


class Child:
    """One confined process; it does one job at a time. `layers` says which walls stand around it."""

    def __init__(
        self,
        stream: socket.socket,
        pid: int,
        end: asyncio.Future[int],
        kill: Callable[[int], None],
        settings: ContentSettings,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._stream.setblocking(False)
        self._arrived: asyncio.Future[None] | None = None
        self._loop.add_reader(stream, self._readable)  # of our own: those of sock_recv outlive a closed descriptor
        self.pid = pid
        self._end = end
        self._kill = kill
        self._settings = settings
        self._limits = limits_of(settings)
        self.layers: Layers = {}
        self.jobs = 0
        self.rss = 0
        self._received: list[bytes] = []
        self._ended = False

    async def greet(self) -> None:
        """Waits until it is confined."""
        greeting = await self._answer(GREETING, 1 << 16)
        layers = greeting.get("layers") if isinstance(greeting, dict) else None
        if not isinstance(layers, dict):
            raise ChildLost("unavailable", "a child did not say how it is confined")
        self.layers = {str(name): str(reason) for name, reason in layers.items()}

    @property
    def lives(self) -> bool:
        """Whether it still waits for a job: then there is nothing to read, not even an end."""
        return not self._ended

    async def open(self, raw: bytes, *, full: bool) -> Opened:
        """What `raw` holds. Raises ChildLost; the child must then be closed."""
        self.jobs += 1
        word = FULL if full else LIGHT
        try:
            memory = os.memfd_create("message", os.MFD_CLOEXEC)
            try:
                _write(memory, raw)
                socket.send_fds(self._stream, [word], [memory])
            finally:
                os.close(memory)
        except OSError as error:
            raise await self._death(str(error)) from None
        answer = await self._answer(word, self._limits.output)
        try:
            if not isinstance(answer, dict) or answer.keys() != {"opened", "rss"} or type(answer["rss"]) is not int:
                raise BadOutput("answer")
            self.rss = answer["rss"] << 10
            return read_opened(answer["opened"], self._limits)
        except BadOutput as error:
            raise ChildLost("crash", f"the child's answer is out of shape: {error}") from None

    def close(self) -> None:
        """Kills it."""
        self._loop.remove_reader(self._stream)
        self._stream.close()
        if not self._end.done():
            self._kill(self.pid)

    def _readable(self) -> None:
        """Something came, or the child hung up."""
        try:
            data = self._stream.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data and self._arrived is not None:
            self._received.append(data)
        else:  # its end, or an answer that nobody asked for
            self._ended = True
            self._loop.remove_reader(self._stream)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def _answer(self, word: bytes, most: int) -> object:
        frames = Frames(most)
        while True:
            if not self._received:
                if self._ended:
                    raise await self._death("it hung up")
                self._arrived = self._loop.create_future()
                await self._arrived
                continue
            try:
                frame = frames.feed(self._received.pop(0))
            except OverflowError:
                raise ChildLost("output", "more was found than can be told") from None
            except (ValueError, RecursionError):
                raise ChildLost("crash", "the child's answer cannot be read") from None
            if frame is not None:
                self._arrived = None
                if frame[0] != word:
                    raise ChildLost("crash", "the child answered what was not asked")
                return frame[1]

    async def _death(self, reason: str) -> ChildLost:
        """How it ended, once the nursery has said so."""
        try:
            async with asyncio.timeout(_EXIT_NEWS):
                status = await asyncio.shield(self._end)
        except (TimeoutError, asyncio.CancelledError):
            if self._end.cancelled():
                return ChildLost("unavailable", "the sandbox itself ended")
            self.close()
            return ChildLost("crash", f"the child is gone: {reason}")
        if status == -signal.SIGXCPU:
            return ChildLost("time", f"more than {self._settings.cpu_seconds} seconds of processor time")
        if status == -signal.SIGKILL:
            return ChildLost("memory", "the system ended the child, most likely for want of memory")
        if status < 0:
            with contextlib.suppress(ValueError):
                return ChildLost("crash", f"the child was ended by {signal.Signals(-status).name}")
        return ChildLost("crash", f"the child ended with status {status}")


def _write(descriptor: int, raw: bytes) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
