"""How a job's answer crosses from a child to its parent.

In: JSON values. Out: a frame: one octet that repeats what was asked, four octets of length, JSON. Standard: ours.
Not here: what the JSON says (`finds`).
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

FULL, LIGHT, GREETING = b"F", b"L", b"G"
HEAD = struct.Struct(">cI")


def write_frame(stream: socket.socket, word: bytes, values: dict[str, Any]) -> None:
    """Sends one frame; blocks until the parent has taken it."""
    data = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    rest = memoryview(HEAD.pack(word, len(data)) + data)
    while rest:
        rest = rest[os.write(stream.fileno(), rest) :]  # the filter on system calls leaves nothing else to sockets


class Frames:
    """Reads frames from what arrives in pieces. `most` bounds the JSON of one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()

    def feed(self, data: bytes) -> tuple[bytes, object] | None:
        """The frame that `data` completes, or None. Raises ValueError for what is no frame, OverflowError
        for one that is too long, RecursionError for one too deep."""
        self._buffer += data
        if len(self._buffer) < HEAD.size:
            return None
        word, length = HEAD.unpack_from(self._buffer)
        if length > self._most:
            raise OverflowError("the answer is too long")
        if len(self._buffer) > HEAD.size + length:
            raise ValueError("more than was asked for")
        if len(self._buffer) < HEAD.size + length:
            return None
        values = json.loads(bytes(self._buffer[HEAD.size :]))
        self._buffer.clear()
        return word, values
