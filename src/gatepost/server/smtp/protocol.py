"""The driver: an `asyncio.Protocol` that carries octets between a socket and the machine, and keeps the time.

In: a transport (asyncio's or uvloop's), a `Site`. Out: served sessions. Standard: RFC 5321 §4.5.3.2, RFC 3207.
Not here: what is said (`conversation`), who may (`gatekeeper`), the listening socket (`listener`).
It is a protocol, not a pair of streams: a stream's reader keeps what came in plaintext before the handshake of TLS.
Here reading stops before 220 to STARTTLS goes out and the machine's buffer must be empty, so nothing can be kept.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Coroutine
from functools import partial
from types import CoroutineType
from typing import Any, cast

from gatepost.errors import RemoteProtocolError, StoreFull
from gatepost.server.smtp.arrival import STOPPING, Arrival
from gatepost.server.smtp.conversation import LOCAL_ERROR, TOO_BUSY, Conversation, Offer
from gatepost.server.smtp.gatekeeper import Answer
from gatepost.server.smtp.line import describe_ends
from gatepost.server.smtp.site import Site
from gatepost.wire.smtp.events import Answerable, Closed, Message
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.server import ServerConnection
from gatepost.wire.smtp.state import State, Verb

log = logging.getLogger("gatepost.smtp")

TIMED_OUT = Reply(421, "Time-out", enhanced="4.4.2")
LOCAL_SHUTDOWN = Reply(421, "Local error, try again later", enhanced="4.3.0")

_CONTENT = frozenset({Verb.MESSAGE, Verb.BDAT_LAST})
_IN_TRANSACTION = frozenset({State.MAIL, State.RCPT, State.DATA, State.CHUNKING})


class SmtpProtocol(Arrival):
    """One connection, from the socket's side."""

    __slots__ = ("_held", "_machine", "_octets_then", "_since", "_talk", "_waiting")

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._machine = ServerConnection(site.settings.limits)
        self._talk: Conversation | None = None
        self._held = 0  # octets of messages we entered in the counters
        self._waiting: asyncio.Future[Reply | None] | asyncio.Task[None] | None = None
        self._since = 0.0  # when the content under way began
        self._octets_then = 0  # octets that had come in when the deadline was last set

    # -- connection --------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._settings.implicit_tls:
            self._greet()
        elif self._machine.buffered:
            self._abort("tls: something came before the handshake")  # behind the PROXY header; never to be executed
        else:
            self._upgrade()

    def _greet(self) -> None:
        site, visit = self._site, self._visit
        starttls = site.tls is not None and visit.session.tls is None
        offer = Offer(site.hostname, starttls=starttls, xclient=visit.peer_ip in site.xclients)
        self._talk = Conversation(self._machine, visit, site.gatekeeper, site.counters, offer)
        try:
            answer = site.gatekeeper.connected(visit)
        except Exception as error:
            answer = self._failed(error)
        self._take(None, answer)
        self._pump()

    def _settle_greeting(self, talk: Conversation, answer: Reply | None) -> None:
        reply = answer if answer is not None else talk.greeting()
        if 400 <= reply.code < 500:
            talk.closing = "refused"
        self._machine.send_reply(reply)
        self._visit.early_talker = self._machine.early_talker

    def data_received(self, data: bytes) -> None:
        """Octets from the client (or, at first, from its proxy)."""
        if self._closing:
            return
        if self._proxy is not None:
            self._read_proxy(self._proxy, data)
            return
        self._visit.stats.octets_in += len(data)
        if self._decrypted is not None:
            self._decrypted.append(data)
            return
        if self._settings.implicit_tls and self._talk is None:
            # uvloop reads on however early reading is paused: this is the handshake, and none of it is SMTP
            self._early += data
            self._stop_reading()
            return
        try:
            self._machine.receive_data(data)
        except RemoteProtocolError as error:
            self._abort(f"protocol: {error.text}")
            return
        if self._talk is None or self._waiting is not None:
            if self._talk is not None and self._machine.state is State.CONNECTED:
                self._visit.early_talker = True  # a gatekeeper that delays the greeting waits for just this
            self._pause_reading()  # one piece is kept while we think, the rest stays with the client
        else:
            self._pump()

    def _keep(self, data: bytes) -> None:
        if data:
            self._visit.stats.octets_in += len(data)
            self._machine.receive_data(data)

    def eof_received(self) -> bool:
        """The client closed its side; what it asked before is still answered (over TLS there is no half)."""
        if self._closing or self._visit.session.tls is not None:
            return False
        try:
            self._machine.receive_data(b"")
        except RemoteProtocolError:
            return False
        if self._talk is None:
            return False
        if self._waiting is None:
            self._pump()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whomever."""
        visit = self._visit
        if visit.closed:
            return
        visit.closed = True
        self._hold(0)
        self._leave()
        visit.improper_pipelining = self._machine.improper_pipelining
        stats = visit.stats
        lost = f"tls: {exc or 'lost in the handshake'}" if self._in_handshake else "lost"
        stats.ended = (self._talk.closing if self._talk is not None else "") or stats.ended or lost
        stats.duration = self._loop.time() - visit.started
        if isinstance(self._waiting, asyncio.Task) and self._machine.state is State.TLS:
            self._waiting.cancel()
        self._machine.close()
        try:
            self._site.gatekeeper.closed(visit, stats)
        finally:
            self._site.left()

    @property
    def _in_handshake(self) -> bool:
        """Whether a handshake is due or under way: the connection may be lost before its task learns why."""
        return self._machine.state is State.TLS or (self._settings.implicit_tls and self._visit.session.tls is None)

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Events in, replies out, until there is nothing to do or something to wait for."""
        machine, talk = self._machine, cast(Conversation, self._talk)
        while not talk.closing and not self._paused_writing and (event := machine.next_event()) is not None:
            if isinstance(event, Closed):
                talk.closing = "quit" if event.clean else "lost"
                break
            if event.verb in _CONTENT:
                self._content_came(event, machine)
            try:
                answer = talk.respond(event)
            except Exception as error:
                answer = self._failed(error)
            self._take(event, answer)
        if self._waiting is None:
            self._after_replies(machine, talk)

    def _content_came(self, event: Answerable, machine: ServerConnection) -> None:
        self._since = 0.0
        if isinstance(event, Message):
            self._hold(len(event.raw))
            self._visit.improper_pipelining = machine.improper_pipelining

    def _failed(self, error: BaseException) -> Reply:
        if isinstance(error, StoreFull):
            log.warning("%s: no room: %s", self._visit.id, error)
            return TOO_BUSY
        log.error("%s: the gatekeeper failed", self._visit.id, exc_info=error)
        return LOCAL_ERROR

    def _take(self, event: Answerable | None, answer: Answer) -> None:
        """Settles an answer that is there; waits for one that is not."""
        if answer is None or isinstance(answer, Reply):
            self._settle(event, answer)
            return
        future = answer if isinstance(answer, asyncio.Future) else self._loop.create_task(_coroutine(answer))
        self._waiting = future
        future.add_done_callback(partial(self._answered, event))

    def _answered(self, event: Answerable | None, future: asyncio.Future[Reply | None]) -> None:
        self._waiting = None
        if future.cancelled():
            answer: Reply | None = LOCAL_ERROR
        else:
            error = future.exception()
            answer = self._failed(error) if error is not None else future.result()
        if self._visit.closed:
            return
        self._settle(event, answer)
        self._pump()

    def _settle(self, event: Answerable | None, answer: Reply | None) -> None:
        talk = cast(Conversation, self._talk)
        try:
            if event is None:
                self._settle_greeting(talk, answer)
            else:
                talk.settle(event, answer)
        except RemoteProtocolError as error:  # something came behind STARTTLS while we thought about it
            talk.closing = f"protocol: {error.text}"
        except Exception:  # a reply that cannot be given here, or no list of keywords: the gatekeeper is broken
            log.exception("%s: the gatekeeper failed", self._visit.id)
            talk.closing = "error"
            self._machine.close(LOCAL_SHUTDOWN)
        if self._held:
            self._hold(self._machine.held)

    def _after_replies(self, machine: ServerConnection, talk: Conversation) -> None:
        """Sends what is to be sent, and looks where that leaves us."""
        if machine.state is State.TLS:
            self._upgrade()
            return
        replied = self._flush()
        if machine.receiving:
            self._check_content(machine, talk)
        elif replied:  # octets alone buy no time
            self._since = 0.0
            self._set_deadline(self._settings.command_timeout)
        if talk.closing:
            self._close(self._settings.close_timeout, linger=talk.closing not in ("quit", "lost"))
        elif self._stopping and machine.state not in _IN_TRANSACTION:
            self._finish(STOPPING, "stop")
        elif not self._paused_writing:
            self._resume_reading()

    def _check_content(self, machine: ServerConnection, talk: Conversation) -> None:
        """Content is coming in: is there memory for it, and since when does it come?"""
        if not self._since:
            self._since = self._loop.time()
            self._set_deadline(self._settings.data_timeout)
        self._hold(machine.held)
        if self._held and self._site.counters.octets > self._settings.max_octets_in_flight:
            talk.drop(TOO_BUSY)
            self._hold(0)

    def _hold(self, octets: int) -> None:
        if octets != self._held:
            self._site.counters.hold(octets - self._held)
            self._held = octets

    def _flush(self) -> bool:
        data = self._machine.data_to_send()
        self._visit.stats.octets_out += len(data)
        return self._write(data)

    def _go_on(self) -> None:
        if self._waiting is None and self._talk is not None:
            self._pump()

    # -- TLS ---------------------------------------------------------------------------------------------------------

    def _upgrade(self) -> None:
        """Reading stops before the client learns that it may start: what it sent too early stays in the kernel, where
        the handshake meets it and fails."""
        self._stop_reading()
        self._flush()
        self._set_deadline(self._settings.tls_timeout + self._settings.close_timeout)
        self._waiting = self._loop.create_task(self._handshake(cast(ssl.SSLContext, self._site.tls)))

    async def _handshake(self, context: ssl.SSLContext) -> None:
        settings = self._settings
        try:
            tls = await self._start_tls(context, settings.tls_timeout, settings.close_timeout)
        except (OSError, TimeoutError, asyncio.CancelledError) as error:  # ssl.SSLError is an OSError
            self._waiting = None
            self._abort(f"tls: {error or type(error).__name__}")
            return
        self._waiting = None
        if self._visit.closed:
            return
        self._visit.started_tls(tls, *describe_ends(self._transport))
        if self._talk is not None:
            self._machine.tls_started()
            self._talk.met_tls()
        self._set_deadline(settings.command_timeout)
        decrypted = self._take_decrypted()
        if decrypted:
            self._machine.receive_data(decrypted)
        if self._talk is None:
            self._greet()
        else:
            self._pump()

    # -- time and the end --------------------------------------------------------------------------------------------

    def _set_deadline(self, seconds: float) -> None:
        super()._set_deadline(seconds)
        self._octets_then = self._visit.stats.octets_in

    def _deadline_passed(self) -> None:
        if self._closing or self._machine.state is State.TLS or self._proxy is not None:
            self._abort("time-out")
        elif self._waiting is not None:
            self._set_deadline(self._settings.command_timeout)  # the gatekeeper keeps its own time
        elif self._machine.receiving and self._is_moving(self._loop.time()):
            self._set_deadline(self._settings.data_timeout)
        else:
            self._finish(TIMED_OUT, "time-out")

    def _is_moving(self, now: float) -> bool:
        """Whether content came since the deadline was set, and fast enough on the whole."""
        octets = self._machine.content_octets
        wanted = (now - self._since - self._settings.data_timeout) * self._settings.min_data_rate
        return self._visit.stats.octets_in > self._octets_then and octets >= wanted

    def stop(self) -> None:
        """The server stops: a transaction under way is finished, everything else ends now."""
        self._stopping = True
        if self._waiting is None and self._machine.state not in _IN_TRANSACTION and not self._closing:
            self._finish(STOPPING, "stop")

    def _finish(self, reply: Reply, reason: str, *, linger: bool = True) -> None:
        """Ends the session with our last word."""
        if self._talk is not None:
            self._talk.closing = reason
        self._visit.stats.ended = reason
        self._machine.close(reply)
        self._flush()
        self._close(self._settings.close_timeout, linger=linger)

    def _abort(self, reason: str) -> None:
        if not self._visit.stats.ended:
            self._visit.stats.ended = reason
        if self._talk is not None and not self._talk.closing:
            self._talk.closing = reason
        self._cut()


def _coroutine(answer: Awaitable[Reply | None]) -> Coroutine[Any, Any, Reply | None]:
    """What a task can be made of."""
    return answer if isinstance(answer, CoroutineType) else _awaited(answer)


async def _awaited(answer: Awaitable[Reply | None]) -> Reply | None:
    return await answer
