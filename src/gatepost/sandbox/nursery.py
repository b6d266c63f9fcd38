"""The parent's side of the sandbox's processes: starts the nursery, orders children, hears of their deaths.

In: settings. Out: `Child`ren, confined and waiting, or `ChildLost`. The nursery is started anew
when it dies; children are killed through it, so that no process but ours can be hit.
Standard: DESIGN, "How it runs".
Not here: the processes themselves (`child`), what a child is asked (`handle`), which message goes to whom (`pool`).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
from collections.abc import Collection, Sequence
from typing import Any

from gatepost.sandbox.handle import Child, ChildLost, limits_of
from gatepost.sandbox.settings import ContentSettings

PROGRAM = (sys.executable, "-I", "-m", "gatepost.sandbox.child")
_START = 30.0  # seconds for Python and all readers to load, on a machine that is busy
_MAX_NEWS = 4096
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "LIBARCHIVE": "libarchive.so.13", "MALLOC_ARENA_MAX": "2"}


class Nursery:
    """One process that bears the children; it starts with the first order."""

    def __init__(
        self,
        settings: ContentSettings,
        *,
        preload: bool,
        program: Sequence[str] = PROGRAM,
        processors: Collection[int] | None = None,
    ) -> None:
        self._settings = settings
        self._program = program
        birth = json.dumps(
            {
                "limits": dataclasses.asdict(limits_of(settings)),
                "ration": {"memory": settings.memory, "cpu_seconds": settings.cpu_seconds},
                "processors": sorted(processors or os.sched_getaffinity(0)),
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
