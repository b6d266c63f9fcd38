"""DNS, as pure rooms ask it.

In: questions. Out: answers as frozen values, a failure to answer among them (no exception for a DNS error).
Standard: RFC 1035 and RFC 2308 for what an answer can be. Not here: who answers (`net.resolver`, `net.zone`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast


class DnsStatus(enum.StrEnum):
    """What became of a question."""

    OK = "noerror"
    NODATA = "nodata"  # the name exists, this type does not (RFC 2308 §2.2)
    NXDOMAIN = "nxdomain"  # the name does not exist (RFC 2308 §2.1)
    TEMPFAIL = "tempfail"  # time-out, SERVFAIL, refusal, nonsense: nobody knows (never "no record")


@dataclass(frozen=True, slots=True)
class Question:
    """A name (text, A-labels, no trailing dot, any case) and a type ("A", "AAAA", "MX", "TXT", "PTR" …)."""

    name: str
    rtype: str


@dataclass(frozen=True, slots=True)
class Mx:
    """One MX record. `exchange` is "." for a null MX (RFC 7505)."""

    preference: int
    exchange: str


Record = str | bytes | Mx


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one question.

    `records` are decoded: A and AAAA as canonical text, PTR, NS and CNAME as lower-case names without the trailing
    dot, TXT as the joined character-strings (bytes), MX as `Mx`; anything else as master-file text. Empty unless
    `status` is OK.
    `authentic` is the AD bit of a resolver that was declared trusted, else False. `ttl` is in seconds.
    `reason` says in plain words why there is no answer.
    """

    question: Question
    status: DnsStatus
    records: tuple[Record, ...] = ()
    authentic: bool = False
    ttl: int = 0
    reason: str = ""

    @property
    def texts(self) -> tuple[bytes, ...]:
        """The records of a TXT question."""
        return cast("tuple[bytes, ...]", self.records)

    @property
    def names(self) -> tuple[str, ...]:
        """The records of an A, AAAA, PTR, NS or CNAME question."""
        return cast("tuple[str, ...]", self.records)

    @property
    def exchanges(self) -> tuple[Mx, ...]:
        """The records of an MX question, as they came (not sorted)."""
        return cast("tuple[Mx, ...]", self.records)


class Resolver(Protocol):
    """Asks DNS. CNAMEs are followed; an answer never raises."""

    async def lookup(self, name: str, rtype: str) -> Answer:
        """One question. `name` as in `Question`; a name that cannot exist in DNS (label over 63 octets, empty label)
        answers NXDOMAIN with the reason."""
        ...

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """All at once, answers in the same order; what has no answer within `deadline` seconds is TEMPFAIL."""
        ...
