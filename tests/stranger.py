"""A stranger at the door: raw sockets that send any octets, and what a gate under attack may cost.

In: a port. Out: octets that came back; the memory of processes. Everything has a time-out.
Not here: the gate (`running`); what is asserted.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable
from pathlib import Path

SECONDS = 15.0  # for anything to come back


class Stranger:
    """One connection. `say` sends, `hear` reads until the peer closes or `end` came."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, source: str = "") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.settimeout(SECONDS)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect((host, port))

    def __enter__(self) -> Stranger:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def say(self, octets: bytes) -> bool:
        """Sends; False when the peer hung up meanwhile."""
        try:
            self.sock.sendall(octets)
        except (ConnectionError, TimeoutError):
            return False
        return True

    def drip(self, octets: bytes, pause: float) -> bool:
        """Sends an octet at a time."""
        for octet in octets:
            if not self.say(bytes([octet])):
                return False
            time.sleep(pause)
        return True

    def hear(self, end: bytes | None = None) -> bytes:
        """What came until `end` is in it, the peer closed, or time was up (then `TimeoutError`)."""
        heard = b""
        while end is None or end not in heard:
            try:
                piece = self.sock.recv(65536)
            except ConnectionError:
                return heard
            if not piece:
                return heard
            heard += piece
        return heard

    def line(self) -> bytes:
        """One reply, all its lines."""
        heard = b""
        while True:
            piece = self.sock.recv(1)
            heard += piece
            last = heard.removesuffix(b"\r\n").rpartition(b"\n")[2]
            if not piece or (heard.endswith(b"\r\n") and last[3:4] != b"-"):
                return heard

    def ask(self, command: bytes) -> bytes:
        """A command, and its reply."""
        self.say(command + b"\r\n")
        return self.line()

    def hello(self) -> Stranger:
        """Greeting and EHLO."""
        assert self.line().startswith(b"220 ")
        assert self.ask(b"EHLO mail.sender.example").startswith(b"250")
        return self

    def envelope(self, *recipients: bytes) -> Stranger:
        """MAIL and RCPT."""
        assert self.ask(b"MAIL FROM:<joe@sender.example>").startswith(b"250")
        for recipient in recipients or (b"ann@gate.example",):
            assert self.ask(b"RCPT TO:<" + recipient + b">").startswith(b"250")
        return self

    def finish(self) -> None:
        """Closes our half, if the other side has not closed everything already."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self) -> None:
        """Ends with RST rather than FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def resident(pids: Iterable[int]) -> int:
    """Octets of memory of the processes, pages shared with others counted in each."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total
