"""What a scenario is: a visit to a mail server, and what a good server does with it.

In: nothing. Out: `Scenario` and its parts, as data; the script is a small function of the `Stage`.
Standard: RFC 5321 §4.2.1 (classes of replies). They know no server's inside: address, port and recipient are given, and
what happened is judged by the replies, and by the verdict and the delivered mail where those can be had.
Not here: steps and outcomes, which are the probe's too (`ports.visitor`), the scenarios (`lab.scenarios`), playing them
(`lab.player`), judging them (`lab.judge`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from gatepost.lab.internet import Internet
from gatepost.ports.visitor import Outcome as Outcome
from gatepost.ports.visitor import Step as Step


class Door(enum.StrEnum):
    """Which of the server's ports a visit goes to."""

    SERVERS = "smtp"  # 25: where other servers hand mail in
    SUBMISSION = "submission"  # 587, 2525: where people do, after STARTTLS
    SUBMISSIONS = "submissions"  # 465: the same, with TLS from the first octet (RFC 8314 §3.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The server to visit. `recipient` is a mailbox there, `domain` a domain it serves, `name` its host name. Its
    certificate is checked against the PEM file `authority`, where one is given. `submission` and `submissions` are the
    ports where `account` may log in with `password`; 0 where there is none."""

    host: str
    port: int
    recipient: str
    domain: str
    authority: str | None = None
    name: str = ""
    submission: int = 0
    submissions: int = 0
    account: str = ""
    password: str = ""

    def port_of(self, door: Door) -> int:
        """The port of `door`, 0 where there is none."""
        return {Door.SERVERS: self.port, Door.SUBMISSION: self.submission}.get(door, self.submissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a script may use. `mark` is this visit's own word, found in its Message-ID."""

    target: Target
    internet: Internet
    now: float
    mark: str


Script = Callable[[Stage], tuple[Step, ...]]
Delivered = Callable[[bytes, Stage], str]  # what is wrong with the delivered mail, empty when nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a good server does. `actions` and `codes` hold where the verdict is known: one of the actions, and all of
    the codes among the findings. `delivered` looks at the mail in the mailbox."""

    outcomes: tuple[Outcome, ...]
    reply_codes: tuple[str, ...] = ()  # "550", or "55" for all that begin so; empty: any
    actions: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    delivered: Delivered | None = None

    @property
    def words(self) -> str:
        """In few words, for the table."""
        outcome = " or ".join(outcome.value for outcome in self.outcomes)
        if self.reply_codes:
            outcome += " " + "/".join(self.reply_codes)
        if self.actions:
            outcome += ", " + " or ".join(self.actions)
        return outcome + (": " + ", ".join(self.codes) if self.codes else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One visit. `name` is stable; `source` is the address it comes from; `good` is whether the mail is honest."""

    name: str
    title: str
    good: bool
    source: str
    script: Script
    expected: Expected
    why: str
    door: Door = Door.SERVERS
