"""One visit over a connection, step for step, and how it ended by the replies.

In: a `Call`. Out: `Visit`, also when it was cut short: what was said until then is kept.
Standard: RFC 5321 §4.2, RFC 3207, RFC 2595 (STARTTLS, STLS). Not here: how many at a time (`visitor`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gatepost.net.tls import client_context
from gatepost.net.visits.connection import Connection, Cut
from gatepost.net.visits.replies import NoReply, Replies, keywords
from gatepost.ports.prober import Spoken, TlsSeen
from gatepost.ports.visitor import Call, Kind, Machine, Outcome, Reply, Said, Step, Visit

SHOWN = 600  # octets of what was sent that are kept for the record
RAW = 4_096  # octets of a raw answer that are kept
ASKS_WHAT_IS_OFFERED = (b"EHLO ", b"LHLO ", b"CAPA")
Waiting = Callable[[], Awaitable[None]]


class Play:
    """A visit under way. `patience` is how long one reply may take, `quiet` the least time to listen for more."""

    def __init__(self, call: Call, connection: Connection, *, patience: float, quiet: float) -> None:
        self._call, self._connection = call, connection
        self._patience, self._quiet = patience, quiet
        self._loop = asyncio.get_running_loop()
        self._replies = Replies(call.target.spoken)
        self._said: list[Said] = []
        self._now: list[Reply] = []  # replies to the step under way
        self._step = Step()
        self._received = b""
        self._sent_at = 0.0
        self._began = self._loop.time()
        self.outcome = Outcome.ACCEPTED
        self.reason = ""
        self._decisive: Reply | None = None
        self._ended = False
        self._asked = not any(step.question for step in call.steps)
        self._reached = False
        self._tls: TlsSeen | None = None
        self._secure = False
        self._offers: tuple[str, ...] = ()

    async def run(self, wait: Waiting) -> None:
        """Every step, until one ends it; `wait` is called before the goodbye."""
        try:
            if self._call.target.implicit_tls:
                await self._start_tls()
            for step in self._call.steps:
                if step.last_word:
                    await wait()
                if not await self._take(step):
                    break
            if self._call.until_all:
                await wait()
        except Cut as error:
            self._end(Outcome.CLOSED, str(error))
        except NoReply as error:
            self._end(Outcome.NONSENSE, str(error))
        finally:
            self._note_step()
            self._connection.close()

    def visit(self) -> Visit:
        """What happened so far."""
        return Visit(
            outcome=self.outcome,
            said=tuple(self._said),
            decisive=self._decisive,
            reason=self.reason,
            asked=self._asked,
            reached=self._reached,
            secure=self._secure,
            tls=self._tls,
            offers=self._offers,
            seconds=self._loop.time() - self._began,
        )

    def _end(self, outcome: Outcome, reason: str) -> None:
        if not self._ended:
            self.outcome, self.reason, self._ended = outcome, reason, True

    def ran_out(self, seconds: float) -> None:
        """The visit's time is over."""
        self._end(Outcome.SILENT, f"no end within {seconds:g} s")

    def _note_step(self) -> None:
        step = self._step
        if step.send or self._now or self._received:
            said = Said(
                sent=step.send[:SHOWN],
                replies=tuple(self._now),
                received=self._received,
                secret=step.secret,
                question=step.question,
            )
            self._said.append(said)
        self._step, self._now, self._received = Step(), [], b""

    async def _take(self, step: Step) -> bool:
        """One step; False when the visit is over."""
        self._note_step()
        if step.needs and not any(offer.split(" ")[0] == step.needs for offer in self._offers):
            self._end(Outcome.NOT_OFFERED, f"{step.needs} is not announced")
            return False
        self._step = step
        self._asked = self._asked or step.question
        if step.machine is not None:
            return await self._let_talk(step.machine)
        await self._send(step)
        if step.last_word:
            with suppress(Cut, NoReply):
                await self._reply(min(self._patience, 5.0), several=False)
            return False
        if step.raw:
            return await self._read_raw()
        if not await self._hear(step):
            return False
        if step.tls and not self._ended:
            await self._start_tls()
        if step.quiet:
            await self._listen(max(step.quiet, self._quiet))
        if step.idle:
            await self._sit(step.idle)
        return not self._ended

    async def _send(self, step: Step) -> None:
        if step.drip:
            for octet in step.send:
                await self._connection.send(bytes([octet]))
                await self._listen_while(step.drip)
                if self._ended:
                    return
        elif step.send:
            await self._connection.send(step.send)
        self._sent_at = self._loop.time()

    async def _listen_while(self, seconds: float) -> None:
        """Waits, and notes what the server says meanwhile: it may lose patience."""
        reply = await self._reply(seconds, several=False)
        if reply is not None:
            self._note(reply, Step())
            self._end(Outcome.CLOSED if reply.kind is Kind.FAREWELL else Outcome.REFUSED, reply.text)

    async def _hear(self, step: Step) -> bool:
        for _ in range(step.replies):
            reply = await self._reply(self._patience, several=step.several)
            if reply is None:
                self._end(Outcome.SILENT, f"no reply within {self._patience:g} s")
                return False
            self._note(reply, step)
            if reply.kind is Kind.FAREWELL:
                return False
        self._learn_offers(step)
        return True

    def _learn_offers(self, step: Step) -> None:
        words = step.send.upper()
        asks = words.startswith(ASKS_WHAT_IS_OFFERED) or b" CAPABILITY" in words
        if asks and self._now and self._now[-1].kind is Kind.GOOD:
            self._offers = keywords(self._now[-1], self._call.target.spoken)

    def _note(self, reply: Reply, step: Step) -> None:
        """The first reply that is not positive decides."""
        self._reached = True
        self._now.append(reply)
        if self._ended:
            return
        self._decisive = reply
        if reply.kind is Kind.LATER or reply.code == "421":
            self.outcome, self._ended = Outcome.DEFERRED, True
        elif reply.kind is Kind.FAREWELL:
            self._end(Outcome.CLOSED, reply.text)
        elif reply.kind is Kind.NO and not step.refusals:
            self.outcome, self._ended = Outcome.REFUSED, True

    async def _reply(self, seconds: float, *, several: bool) -> Reply | None:
        """The next reply, None when there is none in time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    reply = self._replies.next(several=several)
                    if reply is not None:
                        took = self._loop.time() - self._sent_at if self._sent_at else self._loop.time() - self._began
                        return Reply(reply.code, reply.lines, took)
                    octets = await self._connection.receive()
                    if not octets:
                        raise Cut("the server closed the connection")
                    self._replies.feed(octets)
        except TimeoutError:
            return None

    async def _read_raw(self) -> bool:
        """Octets until there are some and then no more for a moment."""
        self._received, self._replies.buffer = self._replies.buffer, b""
        wait = self._patience
        while len(self._received) < RAW:
            try:
                async with asyncio.timeout(wait):
                    octets = await self._connection.receive()
            except TimeoutError:
                break
            if not octets:
                raise Cut("the server closed the connection")
            self._received += octets
            wait = 0.3
        self._reached = True
        if not self._received:
            self._end(Outcome.SILENT, f"no answer within {self._patience:g} s")
        return not self._ended

    async def _let_talk(self, machine: Machine) -> bool:
        """The machine speaks and hears octets, until it knows."""
        self._replies.buffer = b""
        out = machine.start()
        while machine.answer is None:
            if out:
                await self._connection.send(out)
            try:
                async with asyncio.timeout(self._patience):
                    octets = await self._connection.receive()
            except TimeoutError:
                self._end(Outcome.SILENT, f"no answer within {self._patience:g} s")
                return False
            except Cut:
                octets = b""
            self._reached = self._reached or bool(octets)
            if not octets:
                machine.closed()
                return False
            out = machine.feed(octets)
        return False

    async def _listen(self, seconds: float) -> None:
        """Nothing more may come but a farewell."""
        try:
            reply = await self._reply(seconds, several=False)
        except Cut:
            if not self._ended:
                raise
            return
        if reply is None:
            return
        self._now.append(reply)
        if reply.kind is not Kind.FAREWELL:
            self.outcome, self._decisive, self.reason, self._ended = Outcome.FOOLED, reply, "", True

    async def _sit(self, seconds: float) -> None:
        """Says nothing until the server loses patience; the visit counts as accepted when it does not."""
        reply = await self._reply(seconds, several=False)
        if reply is not None:
            self._note(reply, Step())
            self._end(Outcome.CLOSED, reply.text)

    async def _start_tls(self) -> None:
        target = self._call.target
        context = client_context(verified=self._call.verified, authority=self._call.authority)
        if not self._call.verified:
            # Whatever it can: the handshake is not what is tested here.
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.set_ciphers("ALL:@SECLEVEL=0")
        # What came in the clear behind the answer to STARTTLS is not read as if it had come inside (RFC 3207 §4.2).
        self._replies.buffer = b""
        try:
            async with asyncio.timeout(self._patience):
                tls = await self._connection.start_tls(context, target.host or None)
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
            self._tls = TlsSeen(failure=str(reason), distrust=str(getattr(error, "verify_message", "") or ""))
            raise Cut(f"no TLS: {reason}") from error
        except TimeoutError:
            self._tls = TlsSeen(failure="no answer in time")
            raise Cut("no TLS: no answer in time") from None
        except Cut as error:
            self._tls = TlsSeen(failure=str(error))
            raise
        leaf = tls.getpeercert(binary_form=True)
        cipher = tls.cipher()
        self._secure, self._reached, self._offers = True, True, ()
        self._tls = TlsSeen(
            version=tls.version() or "",
            cipher=cipher[0] if cipher else "",
            chain=(leaf,) if leaf else (),
            trusted=self._call.verified,
        )


def spoken_in(greeting: bytes) -> Spoken | None:
    """What a server speaks, by the first octets that it sends."""
    upper = greeting[:16].upper()
    if upper.startswith((b"* OK", b"* PREAUTH", b"* BYE")):
        return Spoken.IMAP
    if upper.startswith((b"+OK", b"-ERR")):
        return Spoken.POP3
    return Spoken.SMTP if upper[:3].isdigit() else None
