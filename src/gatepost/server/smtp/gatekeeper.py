"""The port through which the server asks who may do what.

In: a visit and what the client wants. Out: a reply; or None, which means "go on" with the usual reply.
An answer may be awaited. One that is there at once costs no task, so what needs no look-up should not be `async def`.
Not here: any policy (`server.pipeline` has it); what a command may look like (`wire.smtp`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.names import Envelope, Recipient
from gatepost.ports import Identity, ScramVerifier
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.wire.sasl import Failed, Proven, Question
from gatepost.wire.smtp.replies import Reply

Answer = Reply | None | Awaitable[Reply | None]


@dataclass(frozen=True, slots=True)
class Verifier:
    """What the proof of a SCRAM exchange is checked with. A `decoy` looks like one and never proves anything."""

    verifier: ScramVerifier
    decoy: bool = False


Verdict = Identity | Verifier | Failed | None  # None: password or certificate prove nothing


class Gatekeeper(Protocol):
    """Decides. A method that raises is logged and answered with 451; StoreFull with 452."""

    def connected(self, visit: Visit) -> Answer:
        """A client connected (or XCLIENT told who it is). None greets it with 220; 421 sends it away, 554 lets it
        say nothing but QUIT."""
        ...

    def announced(self, visit: Visit, possible: Sequence[str]) -> Sequence[str]:
        """Which of the `possible` EHLO keywords (with parameters: "SIZE 26214400") this client is offered."""
        ...

    def ehlo(self, visit: Visit, domain: str) -> Answer:
        """The client calls itself `domain`, any printable text without blanks. Once it is accepted, `visit.session`
        has it."""
        ...

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        """A transaction begins; `envelope` has no recipients yet."""
        ...

    def recipient(self, visit: Visit, envelope: Envelope, recipient: Recipient) -> Answer:
        """One more recipient; `envelope` has those accepted so far."""
        ...

    def message(self, visit: Visit, envelope: Envelope, raw: bytes) -> Answer:
        """The message itself, CRLF line ends, dots unstuffed. None is answered with 250: only when it is durable."""
        ...

    def misspoken(self, visit: Visit, reply: Reply) -> Answer:
        """A command that cannot be taken as it stands is to be answered with `reply`; perhaps later, never better."""
        ...

    def closed(self, visit: Visit, stats: Stats) -> None:
        """The connection ended: the place for its log line."""
        ...

    def mechanisms(self, visit: Visit) -> Sequence[str]:
        """The SASL mechanisms this client may log in with, best first; the driver offers them inside TLS only. None:
        AUTH is not offered at all."""
        ...

    def authenticate(self, visit: Visit, question: Question) -> Awaitable[Verdict]:
        """The answer to a question of the exchange: an Identity, a Verifier for NeedVerifier, or Failed to end it with
        nothing checked. StoreError: nobody knows now, answered with 454."""
        ...

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        """An exchange is over: the place for its log line, for slowness, for a last no. None gives the usual reply:
        235 and `visit.session.account`, or what fits the reason it failed for."""
        ...

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        """A client tried to log in without TLS and was refused. `name` is empty unless it came with a password: then
        that went over the line for everybody to read, and its owner should be warned."""
        ...


class NoLogin:
    """The part of a gatekeeper where nobody logs in."""

    def mechanisms(self, visit: Visit) -> Sequence[str]:
        """None."""
        return ()

    async def authenticate(self, visit: Visit, question: Question) -> Verdict:
        """Nobody."""
        return None

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        """The usual reply."""
        return None

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        """Nothing to do."""


class OpenDoor(NoLogin):
    """A gatekeeper that lets everything in and keeps nothing: for tests and measurements, and a base to derive from."""

    def connected(self, visit: Visit) -> Answer:
        """Everybody."""
        return None

    def announced(self, visit: Visit, possible: Sequence[str]) -> Sequence[str]:
        """Everything."""
        return possible

    def ehlo(self, visit: Visit, domain: str) -> Answer:
        """Any name."""
        return None

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        """Any sender."""
        return None

    def recipient(self, visit: Visit, envelope: Envelope, recipient: Recipient) -> Answer:
        """Any recipient."""
        return None

    def message(self, visit: Visit, envelope: Envelope, raw: bytes) -> Answer:
        """Any message."""
        return None

    def misspoken(self, visit: Visit, reply: Reply) -> Answer:
        """At once."""
        return reply

    def closed(self, visit: Visit, stats: Stats) -> None:
        """Nothing to do."""
