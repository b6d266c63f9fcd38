"""The client's socket: an `asyncio.Protocol` under the client's machine, with replies to be awaited one at a time.

In: commands and messages. Out: answers; or `TransportError`, `RemoteProtocolError`. Standard: RFC 5321 §4.5.3.2.
Not here: which commands make a transaction (`client`); what a reply looks like (`wire.smtp`).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from gatepost.errors import GatepostError, RemoteProtocolError
from gatepost.names import Tls
from gatepost.net.tls import presented_chain
from gatepost.server.smtp.line import describe_tls
from gatepost.server.smtp.settings import ClientSettings
from gatepost.wire.smtp.client import ClientConnection
from gatepost.wire.smtp.events import Answered, Closed, Command
from gatepost.wire.smtp.state import State

_MAX_UNREAD = 65_536  # octets of replies kept before reading pauses
_BLOCK = 262_144  # octets written before we look whether the server takes them


class TransportError(GatepostError):
    """The connection could not be made or did not hold. `reason` is "connect", "time-out", "lost" or "tls".

    Nothing is known of a message whose end was sent (`after_data`): it may have been accepted.
    """

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        self.text = text
        self.after_data = False
        super().__init__(f"{reason}: {text}")


class Wireline(asyncio.Protocol):
    """One connection to a server. Only one coroutine uses it at a time."""

    def __init__(self, settings: ClientSettings, *, lmtp: bool) -> None:
        self.machine = ClientConnection(settings.limits, lmtp=lmtp)
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._broken: GatepostError | None = None
        self._paused_reading = False
        self._writable = asyncio.Event()
        self._writable.set()
        self.lost = False

    # -- what asyncio calls ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server took the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Octets from the server; they are read by whoever awaits an answer."""
        try:
            self.machine.receive_data(data)
        except RemoteProtocolError as error:  # something in plaintext after 220 to STARTTLS
            self._broken = error
            self.abort()
        if self.machine.buffered > _MAX_UNREAD and self._transport is not None:
            self._paused_reading = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The server closed its side: there is nothing more to come."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.lost = True
        self._broken = self._broken or TransportError("lost", str(exc or "the server closed the connection"))
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """The server takes no more for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- what the client calls ---------------------------------------------------------------------------------------

    def send(self, *commands: Command) -> None:
        """Puts commands on the wire together."""
        self._check()
        for command in commands:
            self.machine.send_command(command)
        cast(asyncio.Transport, self._transport).write(self.machine.data_to_send())

    async def send_message(self, raw: bytes) -> None:
        """Puts the content on the wire, as fast as the server takes it."""
        self._check()
        self.machine.send_message(raw)
        await self._write_out()

    async def send_chunk(self, raw: bytes) -> None:
        """The same as one last chunk (BDAT)."""
        self._check()
        self.machine.send_chunk(raw)
        await self._write_out()

    async def _write_out(self) -> None:
        rest = memoryview(self.machine.data_to_send())
        while rest and not self.lost:
            cast(asyncio.Transport, self._transport).write(rest[:_BLOCK])
            rest = rest[_BLOCK:]
            try:
                async with asyncio.timeout(self._settings.block_timeout):
                    await self._writable.wait()
            except TimeoutError:
                raise self._time_out("the server does not take the message") from None

    async def answer(self, timeout: float) -> Answered:
        """The next answer. TransportError when it does not come, RemoteProtocolError when it makes no sense."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    event = self.machine.next_event()
                    if isinstance(event, Answered):
                        return event
                    if isinstance(event, Closed):
                        raise TransportError("lost", "the server closed the connection")
                    self._check()
                    await self._more()
        except TimeoutError:
            raise self._time_out("no reply") from None
        except RemoteProtocolError:
            self.abort()
            raise

    async def _more(self) -> None:
        """Waits until the server sent something or is gone."""
        if self._paused_reading and self._transport is not None:
            self._paused_reading = False
            self._transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self.machine.state is State.CLOSED:
            raise TransportError("lost", "the server ended the session")

    def _time_out(self, text: str) -> TransportError:
        self.abort()
        return TransportError("time-out", text)

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None) -> Tls:
        """The handshake, after 220 to STARTTLS. The machine has seen to it that nothing came behind the 220."""
        transport = cast(asyncio.Transport, self._transport)
        transport.pause_reading()
        self._check()
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                transport, self, context, server_side=False, server_hostname=server_hostname,
                ssl_handshake_timeout=self._settings.tls_timeout,
            )  # fmt: skip
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            self.abort()
            raise TransportError("tls", str(error) or type(error).__name__) from error
        self._check()
        if upgraded is None:
            raise TransportError("tls", "the connection was lost in the handshake")
        self._transport = upgraded
        self._paused_reading = False
        if self.machine.state is State.TLS:  # else TLS was there before the greeting
            self.machine.tls_started()
        return describe_tls(upgraded)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the server showed, in DER, its own first; empty without TLS."""
        connection = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return presented_chain(connection) if connection is not None else ()

    def abort(self) -> None:
        """Cuts the connection."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Ends the connection once everything was sent."""
        if self._transport is not None:
            self._transport.close()
