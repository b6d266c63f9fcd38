"""One child as its parent sees it: a job goes in, an answer or the news of its end comes out.

In: a message. Out: what it holds as `Opened`, or `ChildLost`. What a child answers is read under limits and checked
field by field.
Not here: how children come to be (`nursery`), which message goes to whom (`pool`), their own side (`child`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable

from gatepost.ports import Opened
from gatepost.sandbox.confine import Layers
from gatepost.sandbox.finds import BadOutput, read_opened
from gatepost.sandbox.job import FULL, GREETING, LIGHT, Frames
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.settings import ContentSettings

_CHUNK = 1 << 18
_EXIT_NEWS = 2.0  # seconds until the nursery has told how a child ended


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
