"""A server's side of one socket: reading and writing that wait for each other, one timer, and ways to end.

In: a transport (asyncio's or uvloop's). Out: calls of the sub-class, which knows what is spoken.
Not here: SMTP (`protocol`); the client's side (`wireline`).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from gatepost.names import Tls
from gatepost.net.tls import ServerContext


def describe_tls(transport: asyncio.BaseTransport) -> Tls:
    """What the handshake on `transport` agreed."""
    connection: ssl.SSLObject = transport.get_extra_info("ssl_object")
    cipher = connection.cipher() or ("", "", 0)
    verified = connection.context.verify_mode is not ssl.CERT_NONE and bool(connection.getpeercert())
    return Tls(version=connection.version() or "", cipher=cipher[0], bits=cipher[2] or 0, verified=verified)


def describe_ends(transport: asyncio.BaseTransport | None) -> tuple[bytes, bytes]:
    """What the connection can be bound to (RFC 5929 §4), and the client's certificate in DER form; empty where there is
    none. After a choice by name (SNI) the context is that name's."""
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport is not None else None
    if connection is None:
        return b"", b""
    context = connection.context
    end_point = context.end_point if isinstance(context, ServerContext) else b""
    return end_point, connection.getpeercert(binary_form=True) or b""


class ServerLine(asyncio.Protocol):
    """What `protocol` needs of a connection beside the octets themselves."""

    __slots__ = (
        "_closing",
        "_deadline",
        "_decrypted",
        "_early",
        "_loop",
        "_paused_reading",
        "_paused_writing",
        "_timer",
        "_transport",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._paused_reading = False
        self._paused_writing = False
        self._closing = False
        self._decrypted: list[bytes] | None = None  # what came over TLS before the handshake was reported done
        self._early = b""  # the first octets of a handshake, that came before we could ask for it
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast(asyncio.Transport, transport)

    # -- reading and writing -----------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> bool:
        """Sends `data`; False when there was nothing to send, or nobody to send it to."""
        if not data or self._transport is None:
            return False
        self._transport.write(data)
        return True

    def pause_writing(self) -> None:
        """The client does not read its replies: it gets no more before it does."""
        self._paused_writing = True
        self._pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused_writing = False
        if not self._closing:
            self._go_on()

    def _go_on(self) -> None:
        """The sub-class may write again."""
        raise NotImplementedError

    def _pause_reading(self) -> None:
        if not self._paused_reading and self._transport is not None and not self._closing:
            self._paused_reading = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._paused_reading and self._transport is not None and not self._closing:
            self._paused_reading = False
            self._transport.resume_reading()

    # -- TLS ---------------------------------------------------------------------------------------------------------

    def _stop_reading(self) -> None:
        """Reading stops here and now; the handshake takes it up again."""
        if self._transport is not None:
            self._transport.pause_reading()

    async def _start_tls(self, context: ssl.SSLContext, timeout: float, close_timeout: float) -> Tls:
        """The handshake. OSError (ssl.SSLError among them) and TimeoutError when it fails.

        From here on the transport belongs to the TLS protocol: `data_received` can only be called with what that
        decrypted; and a quick client's first command may come before this coroutine goes on.
        """
        transport = cast(asyncio.Transport, self._transport)
        handshake = self._loop.create_task(
            self._loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=timeout,
                ssl_shutdown_timeout=close_timeout,
            )
        )  # fmt: skip
        await asyncio.sleep(0)  # its first step is done: the transport is TLS's, which is told so in the next turn
        self._decrypted = []
        if self._early:
            self._loop.call_soon(self._hand_over_early, transport)
        upgraded = await handshake
        if upgraded is None:
            raise ConnectionError("lost in the handshake")
        self._transport = upgraded
        self._paused_reading = False
        return describe_tls(upgraded)

    def _hand_over_early(self, transport: asyncio.Transport) -> None:
        """Gives TLS what came before it was there, ahead of what is read next."""
        early, self._early = self._early, b""
        tls = cast(asyncio.BufferedProtocol, transport.get_protocol())
        while early:
            room = memoryview(tls.get_buffer(len(early)))
            count = min(len(room), len(early))
            room[:count] = early[:count]
            tls.buffer_updated(count)
            early = early[count:]

    def _take_decrypted(self) -> bytes:
        """What came since; from now on it is handed over as it comes."""
        decrypted, self._decrypted = self._decrypted, None
        return b"".join(decrypted or ())

    # -- time --------------------------------------------------------------------------------------------------------

    def _set_deadline(self, seconds: float) -> None:
        """Setting a deadline costs an addition: there is one timer, which looks at the deadline when it fires."""
        self._deadline = self._loop.time() + seconds

    def _start_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # never at once again, or a deadline that stays in the past would keep the loop busy
        self._timer = self._loop.call_at(max(self._deadline, self._loop.time() + 0.001), self._timer_fired)

    def _timer_fired(self) -> None:
        if self._loop.time() >= self._deadline:
            self._deadline_passed()
        if self._timer is not None:
            self._start_timer()

    def _deadline_passed(self) -> None:
        """The sub-class sets a new deadline or ends the connection."""
        raise NotImplementedError

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the end -----------------------------------------------------------------------------------------------------

    def _close(self, timeout: float, *, linger: bool = False) -> None:
        """Closes once all is written; cuts the connection when that takes longer than `timeout`.

        A socket that is closed with something unread sends a reset, which may overtake our last words. `linger` reads
        (and the sub-class forgets) what the client still sends until it closes too.
        """
        transport = self._transport
        if self._closing or transport is None:
            return
        self._resume_reading()
        self._closing = True
        self._set_deadline(timeout)
        self._start_timer()
        if linger and transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
        else:
            transport.close()

    def _cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()
