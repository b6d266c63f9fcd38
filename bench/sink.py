"""An SMTP server that takes all mail and keeps none: the far end of the delivery benchmarks, in a process of its own.

In: addresses to listen on, a certificate (then it offers STARTTLS). Out: how many messages arrived, when the last did;
by recipient's domain, when its last message did. It costs little: no message is looked at, only its end is found.
Not here: what is measured (`delivery`).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import ssl
import time
from multiprocessing.connection import Connection
from typing import Any

EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250-8BITMIME\r\n"
REPLIES = {b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n", b"STAR": b"220 go\r\n"}
END = b"\r\n.\r\n"


class Tally:
    """What arrived."""

    def __init__(self, count: Any, last: Any) -> None:
        self.count, self.last = count, last
        self.domains: dict[str, tuple[int, float]] = {}

    def add(self, recipients: list[bytes]) -> None:
        """A message was answered 250."""
        now = time.monotonic()
        self.count.value += 1
        self.last.value = now
        for recipient in recipients:
            domain = recipient.rpartition(b"@")[2].decode()
            self.domains[domain] = (self.domains.get(domain, (0, 0.0))[0] + 1, now)


class Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, tally: Tally, context: ssl.SSLContext | None) -> None:
        self._tally, self._context = tally, context
        self._buffer, self._in_data, self._secured = b"", False, False
        self._recipients: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        if not self._secured:
            transport.write(b"220 sink.example ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        said = []
        while True:
            if self._in_data:
                _content, found, rest = self._buffer.partition(END)
                if not found:
                    self._buffer = self._buffer[-len(END) :] if len(self._buffer) > len(END) else self._buffer
                    break
                self._buffer, self._in_data = rest, False
                self._tally.add(self._recipients)
                said.append(b"250 2.0.0 OK\r\n")
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                break
            self._buffer = rest
            said.append(self._answer(line))
        if said:
            self._transport.write(b"".join(said))

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            offers = b"250-STARTTLS\r\n" if self._context and not self._secured else b""
            return EHLO + offers + b"250 ENHANCEDSTATUSCODES\r\n"
        if verb == b"MAIL":
            self._recipients = []
        elif verb == b"RCPT":
            self._recipients.append(line.partition(b"<")[2].partition(b">")[0])
        elif verb == b"DATA":
            self._in_data, self._buffer = True, b"\r\n" + self._buffer
        elif verb == b"STAR":
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._secure()))
        return REPLIES.get(verb, b"250 2.0.0 OK\r\n")

    async def _secure(self) -> None:
        self._secured, self._buffer = True, b""
        try:
            found = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                self._context,
                server_side=True,  # type: ignore[arg-type]
            )
        except (OSError, ssl.SSLError):
            return
        self._transport = found


async def _serve(
    addresses: list[tuple[str, int]], files: tuple[str, str] | None, tally: Tally, end: Connection
) -> None:
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    loop = asyncio.get_running_loop()
    for host, port in addresses:
        await loop.create_server(lambda: Talk(tally, context), host, port, backlog=1024)
    done = loop.create_future()
    loop.add_reader(end.fileno(), lambda: done.done() or done.set_result(None))
    end.send("ready")
    await done


def _run(addresses: Any, files: Any, count: Any, last: Any, end: Connection) -> None:
    import uvloop

    tally = Tally(count, last)
    uvloop.run(_serve(addresses, files, tally, end))
    end.send(tally.domains)


class Sink:
    """`count` and `last` (monotonic) may be read at any time; `stop` gives what arrived by domain."""

    def __init__(self, addresses: list[tuple[str, int]], files: tuple[str, str] | None = None) -> None:
        self._count = multiprocessing.Value("q", 0, lock=False)
        self._last = multiprocessing.Value("d", 0.0, lock=False)
        self._end, theirs = multiprocessing.Pipe()
        arguments = (addresses, files, self._count, self._last, theirs)
        self._process = multiprocessing.Process(target=_run, args=arguments)
        self._process.start()
        if not self._end.poll(10):
            raise OSError("the sink does not start")
        self._end.recv()

    @property
    def count(self) -> int:
        return int(self._count.value)

    @property
    def last(self) -> float:
        return float(self._last.value)

    def stop(self) -> dict[str, tuple[int, float]]:
        """Messages and the time of the last one, by domain."""
        self._end.send("end")
        found: dict[str, tuple[int, float]] = self._end.recv()
        self._process.join(10)
        return found
