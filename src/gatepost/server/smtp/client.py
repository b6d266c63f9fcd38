"""The client: connect, say hello, perhaps start TLS, hand in messages, one reply per recipient, SMTP or LMTP.

In: an address to connect to; envelopes with messages. Out: `Outcome`; or `TransportError`, `RemoteProtocolError`.
Standard: RFC 5321 §3.3, §4.5.4.1; RFC 2033 (LMTP), RFC 2920 (pipelining), RFC 3207 (STARTTLS).
Not here: whom to connect to, when to try again, which TLS is enough (`server.delivery`).

    client = await SmtpClient.connect("192.0.2.1", 25)
    await client.hello("gate.example.org")
    if "STARTTLS" in client.extensions:
        await client.start_tls(context, "mx.example.net")
        await client.hello("gate.example.org")
    outcome = await client.send(envelope, raw)      # as often as wanted
    await client.quit()
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Envelope, Recipient, Tls
from gatepost.server.smtp.fit import fit_envelope
from gatepost.server.smtp.settings import ClientSettings
from gatepost.server.smtp.wireline import TransportError, Wireline
from gatepost.wire.sasl import Failed, decode_line, encode_line
from gatepost.wire.sasl.client import ClientExchange
from gatepost.wire.smtp.data import has_bare_newline
from gatepost.wire.smtp.events import Answered, Auth, AuthLine, Hello, Mail, Plain, Rcpt
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.state import State, Verb

__all__ = ["Outcome", "SmtpClient", "TransportError"]

MAX_INITIAL = 450  # octets of base64 in the AUTH command itself: its line has 512 (RFC 5321 §4.5.3.1.4)
MAX_CHALLENGES = 8  # the longest mechanism has three
LOST = Reply(451, "The connection was lost before the server answered for this recipient", enhanced="4.4.2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message: the reply that decided about each recipient, in the envelope's order.

    That is the reply to MAIL if it was refused, else the one to RCPT if it was, else the one to DATA or to the message.
    """

    replies: tuple[Reply, ...]

    @property
    def accepted(self) -> bool:
        """Whether every recipient was accepted."""
        return all(reply.positive for reply in self.replies)


class SmtpClient:
    """A connection to a server, of use until `usable` is False. Only one coroutine uses it at a time."""

    def __init__(self, line: Wireline, settings: ClientSettings, label: str) -> None:
        self._line = line
        self._settings = settings
        self.label = label
        self.greeting = Reply(220, "")
        self.tls: Tls | None = None
        self.transactions = 0

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int = 25,
        *,
        lmtp: bool = False,
        settings: ClientSettings | None = None,
        local_address: str | None = None,
        implicit_tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> SmtpClient:
        """Connects and reads the greeting, which may be a refusal: see `greeting`.

        `host` is an address, or the path of a UNIX socket (no name: whoever calls has asked DNS already).
        """
        settings = settings or ClientSettings()
        line = Wireline(settings, lmtp=lmtp)
        client = cls(line, settings, host if host.startswith("/") else f"[{host}]:{port}")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_timeout):
                if host.startswith("/"):
                    await loop.create_unix_connection(lambda: line, host)
                else:
                    local = (local_address, 0) if local_address else None
                    await loop.create_connection(lambda: line, host, port, local_addr=local)
        except TimeoutError:
            raise TransportError("connect", "no connection in time") from None
        except OSError as error:
            raise TransportError("connect", error.strerror or str(error)) from error
        if implicit_tls is not None:
            client.tls = await line.start_tls(implicit_tls, server_hostname)
        client.greeting = (await line.answer(settings.greeting_timeout)).reply
        return client

    @property
    def extensions(self) -> dict[str, str]:
        """The extensions announced last: keyword in upper case to its parameters."""
        return self._line.machine.extensions

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the server showed, in DER, its own first; empty without TLS."""
        return self._line.chain

    @property
    def usable(self) -> bool:
        """Whether another transaction may be tried."""
        return not self._line.lost and self._line.machine.state is State.READY

    @property
    def server_limits(self) -> dict[str, int]:
        """What the server asks for with LIMITS (RFC 9422): RCPTMAX, MAILMAX, RCPTDOMAINMAX."""
        words = (word.partition("=") for word in self.extensions.get("LIMITS", "").upper().split())
        return {name: int(value) for name, _, value in words if value.isascii() and value.isdigit() and len(value) < 7}

    async def _ask(self, command: Hello | Mail | Rcpt | Plain | Auth | AuthLine) -> Reply:
        self._line.send(command)
        return (await self._line.answer(self._settings.command_timeout)).reply

    async def hello(self, domain: str) -> Reply:
        """EHLO, or HELO where the server does not know it; LHLO in LMTP."""
        if self._line.machine.lmtp:
            return await self._ask(Hello(Verb.LHLO, domain))
        reply = await self._ask(Hello(Verb.EHLO, domain))
        if reply.permanent:  # RFC 5321 §3.2
            reply = await self._ask(Hello(Verb.HELO, domain))
        return reply

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None = None) -> Reply:
        """STARTTLS and the handshake; after a positive reply say `hello` again. A refusal leaves things as they were.

        `server_hostname` is for SNI and, if `context` checks names, the name that the certificate must have.
        """
        reply = await self._ask(Plain(Verb.STARTTLS))
        if reply.positive:
            self.tls = await self._line.start_tls(context, server_hostname)
        return reply

    async def authenticate(self, exchange: ClientExchange) -> Reply:
        """AUTH; the last reply says whether we were let in. A server that breaks the mechanism is RemoteProtocolError.

        Nothing is asked of the line here: whoever calls sees to it that it is protected.
        """
        initial = exchange.start()
        first = None if initial is None else encode_line(initial) or "="  # RFC 4954 §4: "=" is the empty response
        if first is not None and len(first) > MAX_INITIAL:
            first = None
        reply = await self._ask(Auth(exchange.mechanism, first))
        for _ in range(MAX_CHALLENGES):
            if reply.code != 334:
                break
            challenge = decode_line(reply.text)
            if isinstance(challenge, Failed):
                raise RemoteProtocolError(501, "5.5.2", "The server's challenge is no base64")
            # Deriving keys takes a while: not on the event loop.
            response = await asyncio.to_thread(exchange.respond, challenge)
            reply = await self._ask(AuthLine(encode_line(response)))
        if reply.positive and reply.code != 334:
            exchange.finish()
        return reply if reply.code != 334 else Reply(454, "The server asks without end", enhanced="4.7.0")

    async def send(self, envelope: Envelope, raw: bytes) -> Outcome:
        """One transaction. What this server cannot take (8 bit, UTF-8, REQUIRETLS) is refused here, with a reply.

        TransportError and RemoteProtocolError: the connection is of no use any more; where `after_data` is set,
        nobody knows whether the message was accepted. LocalProtocolError: it holds a bare CR or LF; nothing was sent.
        """
        if has_bare_newline(raw):
            raise LocalProtocolError("a message with a bare CR or LF cannot be sent")
        fitted = fit_envelope(envelope, raw, self.extensions, over_tls=self.tls is not None)
        if isinstance(fitted, Reply):
            return Outcome(replies=(fitted,) * len(envelope.recipients))
        self.transactions += 1
        try:
            return await self._transaction(fitted, raw)
        except BaseException:
            self._line.abort()  # nobody knows what comes next on it, not even after a mere cancellation
            raise

    async def _transaction(self, envelope: Envelope, raw: bytes) -> Outcome:
        if "CHUNKING" in self.extensions and not self._line.machine.lmtp:
            return await self._in_a_chunk(envelope, raw)
        pipelined = "PIPELINING" in self.extensions
        replies = await (self._envelope_at_once if pipelined else self._envelope_in_steps)(envelope)
        data = replies.pop()
        decided = [data if reply.positive else reply for reply in replies]
        if data.code != 354:
            await self._reset()
            return Outcome(replies=tuple(decided))
        accepted = [index for index, reply in enumerate(replies) if reply.positive]
        # RFC 2920 §3.1: a server that says 354 though it refused everybody is sent nothing but the dot.
        await self._content(raw if accepted else b"", accepted, decided)
        return Outcome(replies=tuple(decided))

    async def _in_a_chunk(self, envelope: Envelope, raw: bytes) -> Outcome:
        """RFC 3030 §2: the whole message as one last chunk, counted; nothing in it is looked at by the server."""
        mail, recipients = Mail(envelope), [Rcpt(recipient) for recipient in envelope.recipients]
        if "PIPELINING" in self.extensions:
            self._line.send(mail, *recipients)
            first = await self._next(Verb.MAIL)
            replies = [await self._next(Verb.RCPT) for _ in recipients]
        else:
            first = await self._ask(mail)
            replies = [await self._ask(recipient) for recipient in recipients] if first.positive else []
        if not first.positive:
            await self._reset()
            return Outcome(replies=(first,) * len(recipients))
        if any(reply.positive for reply in replies):
            final = await self._chunk(raw)
            replies = [final if reply.positive else reply for reply in replies]
            if final.positive:
                return Outcome(replies=tuple(replies))
        await self._reset(always=True)  # RFC 3030 §2: whatever the server keeps of a chunk it refused
        return Outcome(replies=tuple(replies))

    async def _chunk(self, raw: bytes) -> Reply:
        await self._line.send_chunk(raw)
        try:
            return (await self._line.answer(self._settings.end_timeout)).reply
        except TransportError as error:
            error.after_data = True
            raise

    async def _reset(self, *, always: bool = False) -> None:
        """Ends a transaction that brought nothing. What becomes of that changes nothing about the answers we have: a
        connection that does not survive it is noticed at the next message."""
        if not self._line.lost and (always or self._line.machine.state in (State.MAIL, State.RCPT)):
            try:
                await self._ask(Plain(Verb.RSET))
            except (TransportError, RemoteProtocolError, LocalProtocolError):
                self._line.abort()

    async def _content(self, raw: bytes, accepted: list[int], decided: list[Reply]) -> None:
        await self._line.send_message(raw)
        answered = 0
        try:
            if not self._line.machine.lmtp:
                final = (await self._line.answer(self._settings.end_timeout)).reply
                for index in accepted:
                    decided[index] = final
                return
            for index in accepted:
                decided[index] = (await self._line.answer(self._settings.end_timeout)).reply
                answered += 1
        except TransportError as error:
            error.after_data = True
            if not answered:
                raise
            # RFC 2033 §4.2: who was answered for has the message, and must not get it twice.
            for index in accepted[answered:]:
                decided[index] = LOST

    async def _envelope_at_once(self, envelope: Envelope) -> list[Reply]:
        """MAIL, all RCPT and DATA in one go: the reply about each recipient, then DATA's."""
        commands: list[Mail | Rcpt | Plain] = [Mail(envelope), *map(Rcpt, envelope.recipients), Plain(Verb.DATA)]
        self._line.send(*commands)
        mail, *replies = [await self._next(command.verb) for command in commands]
        return [*(mail if not mail.positive else reply for reply in replies[:-1]), replies[-1]]

    async def _next(self, verb: Verb) -> Reply:
        timeout = self._settings.data_timeout if verb is Verb.DATA else self._settings.command_timeout
        answered: Answered = await self._line.answer(timeout)
        return answered.reply

    async def _envelope_in_steps(self, envelope: Envelope) -> list[Reply]:
        mail = await self._ask(Mail(envelope))
        if not mail.positive:
            return [mail] * (len(envelope.recipients) + 1)
        replies = [await self._ask(Rcpt(recipient)) for recipient in envelope.recipients]
        if not any(reply.positive for reply in replies):
            return [*replies, replies[-1]]
        self._line.send(Plain(Verb.DATA))
        return [*replies, await self._next(Verb.DATA)]

    async def ask_recipient(self, mail_from: str, address: str) -> Reply:
        """What the server says to RCPT, without sending anything (call-forward); the reply to MAIL if it refuses that.

        An address that is not ASCII is asked for only where the server announces SMTPUTF8.
        """
        envelope = Envelope(
            mail_from=mail_from, recipients=(Recipient(address=address),), smtputf8=not address.isascii()
        )
        fitted = fit_envelope(envelope, b"", self.extensions, over_tls=self.tls is not None)
        if isinstance(fitted, Reply):
            return fitted
        reply = await self._ask(Mail(fitted))
        if not reply.positive:
            return reply
        reply = await self._ask(Rcpt(fitted.recipients[0]))
        if self._line.machine.state is not State.CLOSED:
            await self._ask(Plain(Verb.RSET))
        return reply

    async def quit(self) -> None:
        """QUIT, without waiting long. Never raises."""
        try:
            if not self._line.lost and self._line.machine.state in (State.GREETED, State.READY, State.REFUSED):
                self._line.send(Plain(Verb.QUIT))
                await self._line.answer(self._settings.quit_timeout)
        except (TransportError, RemoteProtocolError, LocalProtocolError):
            pass
        finally:
            self._line.close()

    def abort(self) -> None:
        """Cuts the connection."""
        self._line.abort()
