"""How much may still be unpacked: bombs end here.

In: sizes, as they come out of a decompressor. Out: nothing, or `Bomb`. Standard: TRAPS, "Archives".
Not here: the decompressors (`readers.archive*`), the numbers (`limits`).
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from gatepost.sandbox.limits import Limits

CHUNK = 1 << 16


class Bomb(Exception):
    """A limit on what may be unpacked was reached; the text says which, in plain words."""


class TooMuch(Bomb):
    """The same, where honest files may be so too: they are large, but not out of proportion."""


def trouble_of(bomb: Bomb) -> str:
    """The code of the trouble."""
    return "limit" if isinstance(bomb, TooMuch) else "bomb"


class Budget:
    """What one message may still unpack: made once a message, shared by all its readers. `source` is the size of the
    message in octets."""

    def __init__(self, limits: Limits | None = None, source: int = 0) -> None:
        self.limits = limits or Limits()
        self.source = source
        self.total = 0

    @property
    def spent(self) -> bool:
        """Whether nothing more of this message may be unpacked."""
        return self.total > self.limits.total

    def take(self, count: int) -> None:
        """`count` more octets were unpacked."""
        self.total += count
        if self.total > self.limits.total:
            raise self._error(f"more than {self.limits.total >> 20} MB unpacked in all")

    def gather(self, chunks: Iterable[bytes], packed: int) -> bytes:
        """All `chunks` of one member that took `packed` octets; each is counted before the next is made."""
        return b"".join(self.watched(chunks, packed))

    def watched(self, chunks: Iterable[bytes], packed: int) -> Iterator[bytes]:
        """`chunks` as they come, until a limit is reached."""
        limits = self.limits
        size = 0
        for chunk in chunks:
            size += len(chunk)
            self.take(len(chunk))
            used = chunks.used if isinstance(chunks, Unpacking) else packed
            if size > limits.ratio_from and size > limits.ratio * max(used, 1):
                raise Bomb(f"it unpacks to more than {limits.ratio} times its size")
            if size > limits.member:
                raise self._error(f"it has more than {limits.member >> 20} MB")
            yield chunk

    def _error(self, reason: str) -> Bomb:
        """Out of proportion to the message, or only large?"""
        odd = self.source and self.total > self.limits.ratio * self.source
        return Bomb(reason) if odd else TooMuch(reason)


class Unpacking:
    """Iterates over what a decompressor of the standard library's kind makes of `packed` from `start` on: chunks of at
    most CHUNK octets, at most `most` octets in all. `used` is how much of `packed` went into it so far; afterwards
    `start + used` is where the stream ended. With `tolerant`, damage behind the beginning ends it quietly."""

    def __init__(
        self, machine: Any, packed: bytes, *, start: int = 0, most: int | None = None, tolerant: bool = False
    ) -> None:
        self._machine = machine
        self._packed = packed
        self._start = start
        self._most = most
        self._tolerant = tolerant
        self._made = 0
        self.used = 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks():
                self._made += len(chunk)
                yield chunk
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            if not self._tolerant or not self._made:
                raise

    def _chunks(self) -> Iterator[bytes]:
        """Fed piece by piece: given all at once, the decompressors copy the rest again and again."""
        view = memoryview(self._packed)
        deflate = hasattr(self._machine, "unconsumed_tail")
        for at in range(self._start, len(view), CHUNK):
            data: Any = view[at : at + CHUNK]
            fed = at + len(data) - self._start
            while True:
                chunk = self._machine.decompress(data, CHUNK)
                data = self._machine.unconsumed_tail if deflate else b""
                self.used = fed - len(data)
                if chunk:
                    yield chunk
                if self._machine.eof:
                    self.used = fed - len(self._machine.unused_data)
                    return
                if self._most is not None and self._made >= self._most:
                    return
                if not data and (len(chunk) < CHUNK if deflate else self._machine.needs_input):
                    break
        raise EOFError("it ends too early")


def inflate(packed: bytes, budget: Budget, *, wbits: int = -zlib.MAX_WBITS) -> bytes:
    """A deflate stream (`wbits` as zlib's: negative without a header, 15 zlib, 31 gzip) under the budget. What is
    damaged behind its beginning gives what came before."""
    return budget.gather(inflated(packed, wbits), len(packed))


def inflated(packed: bytes, wbits: int) -> Unpacking:
    """The chunks of one deflate stream."""
    return Unpacking(zlib.decompressobj(wbits), packed, tolerant=True)
