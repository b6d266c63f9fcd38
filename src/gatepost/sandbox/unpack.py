"""How much may still be unpacked: bombs end here.

In: sizes, as they come out of a decompressor. Out: nothing, or `Bomb`. Standard: TRAPS, "Archives".
Not here: the decompressors (`readers.archive*`), the numbers (`limits`).
"""

from __future__ import annotations

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
            error = Bomb if self.source and self.total > self.limits.ratio * self.source else TooMuch
            raise error(f"more than {self.limits.total >> 20} MB unpacked in all")

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
            if size > limits.ratio_from and size > limits.ratio * max(packed, 1):
                raise Bomb(f"it unpacks to more than {limits.ratio} times its size")
            if size > limits.member:
                raise TooMuch(f"it has more than {limits.member >> 20} MB")
            yield chunk


def inflate(packed: bytes, budget: Budget, *, wbits: int = -zlib.MAX_WBITS) -> bytes:
    """A deflate stream (`wbits` as zlib's: negative without a header, 15 zlib, 31 gzip) under the budget. What is
    damaged behind its beginning gives what came before."""
    return budget.gather(inflated(packed, wbits), len(packed))


def inflated(packed: bytes, wbits: int) -> Iterator[bytes]:
    """The chunks of one deflate stream, none larger than CHUNK."""
    machine = zlib.decompressobj(wbits)
    some = False
    try:
        chunk = machine.decompress(packed, CHUNK)
        while chunk or machine.unconsumed_tail:
            some = True
            yield chunk
            if machine.eof:
                return
            chunk = machine.decompress(machine.unconsumed_tail, CHUNK)
    except zlib.error:
        if not some:
            raise


def limited(machine: Any, packed: bytes, *, most: int | None = None) -> Iterator[bytes]:
    """The chunks that a decompressor of the standard library's kind makes of `packed`, at most `most` octets of them,
    none larger than CHUNK. What follows the stream is in its `unused_data`."""
    made = 0
    deflate = hasattr(machine, "unconsumed_tail")
    data = packed
    while not machine.eof and (most is None or made < most):
        chunk = machine.decompress(data, CHUNK)
        made += len(chunk)
        yield chunk
        data = machine.unconsumed_tail if deflate else b""
        if not machine.eof and not chunk and (deflate or machine.needs_input) and not data:
            raise EOFError("it ends too early")
