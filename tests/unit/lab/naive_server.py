"""An SMTP server with all the old mistakes, to see that the tour finds them."""

from __future__ import annotations

import asyncio
import re

END = re.compile(rb"\r?\n\.\r?\n|\r\.\r")


class NaiveServer:
    """Relays for everybody, believes everybody, ends a mail at LF.LF. `mails` are those it took."""

    def __init__(self, greeting: bytes = b"220 naive\r\n") -> None:
        self.greeting = greeting
        self.mails: list[bytes] = []

    async def __aenter__(self) -> NaiveServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        buffer, in_data = b"", False
        while octets := await reader.read(65536):
            buffer += octets
            while True:
                if in_data:
                    end = END.search(buffer)
                    if not end:
                        break
                    self.mails.append(buffer[: end.start()])
                    buffer, in_data = buffer[end.end() :], False
                    writer.write(b"250 2.0.0 taken\r\n")
                    continue
                line, found, rest = buffer.partition(b"\r\n")
                if not found:
                    break
                buffer = rest
                in_data = line == b"DATA"
                writer.write(self._answer(line))
                if line == b"QUIT":
                    writer.close()
                    return

    def _answer(self, line: bytes) -> bytes:
        if line.startswith(b"EHLO"):
            return b"250-naive\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"
        if line == b"DATA":
            return b"354 go on\r\n"
        return b"221 bye\r\n" if line == b"QUIT" else b"250 2.0.0 ok\r\n"
