"""A visit to a mail server, octet for octet: what is sent, and what came back.

In: `Call`s: where to, and `Step`s. Out: `Visit`s. It is deliberately no client: what the steps say is sent, in their
order, whatever the protocol thinks of it. Standard: RFC 5321 §4.2.1 (classes of replies), RFC 9051 §7.1, RFC 1939 §3.
Not here: who plays them (`net.visits`), which visits there are (`audit.probe`, `lab`), what follows from the answers.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.ports.prober import Target, TlsSeen


class Outcome(enum.StrEnum):
    """How a visit ended, by the replies alone."""

    ACCEPTED = "accepted"  # every reply was positive
    REFUSED = "refused"  # a negative reply: 5xx, NO, BAD, -ERR
    DEFERRED = "deferred"  # a 4xx reply
    CLOSED = "closed"  # the server hung up
    FOOLED = "fooled"  # the server answered what it should never have seen as a command
    NOT_OFFERED = "not offered"  # the server does not announce what the visit needs
    SILENT = "silent"  # no reply in time
    NONSENSE = "nonsense"  # what came was no reply


class Kind(enum.Enum):
    """What a reply says, in any of the protocols."""

    GOOD = enum.auto()
    LATER = enum.auto()
    NO = enum.auto()
    FAREWELL = enum.auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` as it came ("250"; "OK", "NO", "BAD", "BYE", "+"; "+OK", "-ERR"), `lines` without it; `seconds` from the
    end of sending to the reply's last line."""

    code: str
    lines: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """On one line."""
        return f"{self.code} {' '.join(self.lines)}".strip()

    @property
    def kind(self) -> Kind:
        """421 and 221 are farewells that nobody asked for; a farewell after QUIT is not looked at."""
        if self.code in ("421", "221", "BYE"):
            return Kind.FAREWELL
        if self.code in ("OK", "PREAUTH", "+", "+OK") or self.code[:1] in ("2", "3"):
            return Kind.GOOD
        return Kind.LATER if self.code[:1] == "4" else Kind.NO


class Machine(Protocol):
    """A dialogue that no list of octets can hold: what is sent depends on what came."""

    def start(self) -> bytes:
        """What to send first."""
        ...

    def feed(self, octets: bytes) -> bytes:
        """What to send next."""
        ...

    def closed(self) -> None:
        """The other side hung up."""
        ...

    @property
    def answer(self) -> object | None:
        """What came of it, None until that is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Octets to send, and how many replies to wait for. A reply that is not positive ends the visit.

    `needs` is a keyword of EHLO, CAPABILITY or CAPA that the server must have announced. `tls` starts the handshake
    after the replies. `quiet` listens that many seconds more: a further reply means that the server was fooled. With
    `refusals` a refusal of this step alone ends nothing. `last_word` is a step whose reply does not matter (QUIT).
    `question` marks what the visit is about: what ended before it tells nothing. `several` says that a positive reply
    of POP3 has many lines, `raw` that octets are read instead of replies. `drip` is how long to wait after each octet,
    `idle` how long to wait for the server to lose patience. `secret` octets are never shown. A `machine` talks
    until it has its answer.
    """

    send: bytes = b""
    replies: int = 1
    needs: str = ""
    tls: bool = False
    quiet: float = 0.0
    refusals: bool = False
    last_word: bool = False
    question: bool = False
    several: bool = False
    raw: bool = False
    drip: float = 0.0
    idle: float = 0.0
    secret: bool = False
    machine: Machine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A visit to pay. `seconds` is all the time it has. The certificate is checked where `verified`, against the
    system's authorities or the PEM file `authority`. `source` is the address to come from, where there is a choice.
    `until_all` keeps the connection after the last step until the other visits made together with it are as far."""

    target: Target
    steps: tuple[Step, ...]
    seconds: float = 60.0
    verified: bool = False
    authority: str | None = None
    source: str = ""
    until_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One step as it went. `sent` is cut to what can be shown, `received` holds octets where they were asked for."""

    sent: bytes = b""
    replies: tuple[Reply, ...] = ()
    received: bytes = b""
    secret: bool = False
    question: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What happened. `decisive` is the reply that ended it, or the last one; `reason` says what was no reply. `asked`
    is whether it came to the question. `reached` is whether anybody answered at all. `offers` are the keywords that
    were announced last, `tls` what the handshake agreed (or why there was none)."""

    outcome: Outcome = Outcome.ACCEPTED
    said: tuple[Said, ...] = ()
    decisive: Reply | None = None
    reason: str = ""
    asked: bool = True
    reached: bool = True
    secure: bool = False
    tls: TlsSeen | None = None
    offers: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def replies(self) -> tuple[Reply, ...]:
        """All of them, in order."""
        return tuple(reply for said in self.said for reply in said.replies)

    @property
    def words(self) -> str:
        """How it ended, in the server's own words where there are any."""
        return self.reason or (self.decisive.text if self.decisive else "")


class Visitor(Protocol):
    """Pays visits, politely: few connections at a time, so many a second."""

    async def visit(self, call: Call) -> Visit:
        """One visit, from connection to end, within its time. Never raises."""
        ...

    async def visit_together(self, calls: Sequence[Call]) -> tuple[Visit, ...]:
        """All of them connected at the same time."""
        ...
