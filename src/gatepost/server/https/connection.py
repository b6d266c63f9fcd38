"""One connection: one request within limits, one answer, and the end.

In: octets of a stranger, read by h11. Out: a `Request`; an answer's octets. Standard: RFC 9110, RFC 9112.
A connection has one request: who wants more comes again, and nobody can hold one open.
Not here: time and number of connections (`run`), what is answered (`site`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import h11

from gatepost.net.tls import ascii_name
from gatepost.server.https.site import Request, Response

MAX_HEAD = 8 << 10  # octets of request line and fields
MAX_BODY = 16 << 10  # octets; Outlook's question has 400
MAX_PATH = 1024
MAX_HOST = 253
PIECE = 4096


class Trouble(Exception):
    """The request is not answered with a page: `status` says why."""

    def __init__(self, status: int) -> None:
        self.status = status


class Exchange:
    """One request and its answer. `request` is None until it was read whole."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, secure: bool) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._reader, self._writer, self._secure = reader, writer, secure
        self._head: h11.Request | None = None
        self.request: Request | None = None

    async def run(self, answer: Callable[[Request], Response]) -> int:
        """Reads and answers; the answer's status, 0 when nothing was asked. Raises OSError when the connection is
        lost."""
        try:
            self.request = await self._read()
            if self.request is None:
                return 0
            response = answer(self.request)
        except h11.RemoteProtocolError as error:
            response = Response(status=error.error_status_hint)
        except Trouble as trouble:
            response = Response(status=trouble.status)
        except ValueError:  # urllib's reader of a URL
            response = Response(status=400)
        self._writer.write(self._write(response))
        await self._writer.drain()
        return response.status

    async def _read(self) -> Request | None:
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Request):
                self._head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY:
                    raise Trouble(413)
            elif isinstance(event, h11.EndOfMessage) and self._head is not None:
                return _request(self._head, bytes(body), self._secure)
            else:  # the connection ended, or wants to become something else
                return None

    async def _receive(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._writer.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        self._http.receive_data(await self._reader.read(PIECE))

    def _write(self, response: Response) -> bytes:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return b""
        phrase = HTTPStatus(response.status).phrase.encode()
        body = response.body or phrase + b"\n"
        headers = [
            ("Content-Type", response.kind),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            ("X-Content-Type-Options", "nosniff"),
            *([("Location", response.location)] if response.location else []),
            *([("Allow", response.allow)] if response.allow else []),
        ]
        events: list[h11.Event] = [h11.Response(status_code=response.status, headers=headers, reason=phrase)]
        if self._head is None or self._head.method != b"HEAD":
            events.append(h11.Data(data=body))
        return b"".join(self._http.send(event) or b"" for event in (*events, h11.EndOfMessage()))


def _request(head: h11.Request, body: bytes, secure: bool) -> Request:
    """RFC 9112 §3.2: a target is a path, or a whole URL whose host then counts."""
    target = head.target.decode("latin-1")
    if len(target) > MAX_PATH:
        raise Trouble(414)
    host = next((value for name, value in head.headers if name == b"host"), b"").decode("latin-1")
    parts = urlsplit(f"//{host}{target}" if target.startswith("/") else target)
    name = parts.hostname or ""
    if len(name) > MAX_HOST or not name.isascii():
        raise Trouble(400)
    return Request(
        secure=secure,
        method=head.method.decode("latin-1"),
        host=ascii_name(name),
        path=parts.path,
        query=parts.query,
        body=body,
    )
