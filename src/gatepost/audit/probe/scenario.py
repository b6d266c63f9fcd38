"""What a scenario is: a visit, and what a good server does with it.

In: nothing. Out: `Scenario`, mostly data. Steps, good outcomes, and what it means otherwise; where one visit will not
do, `play` pays several and `judge` looks at what they brought. Standard: DESIGN, "Findings and decisions".
Not here: the scenarios (`scenarios/`), the usual judgement (`judging`).
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatepost.audit.probe.aim import Aim, Need
from gatepost.finding import Severity
from gatepost.ports.mailbox import Found, Mailbox
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Outcome, Step, Visit, Visitor


class Group(enum.StrEnum):
    """What scenarios are about."""

    RELAY = "relay"
    RECIPIENTS = "recipients"
    LOGIN = "login"
    TLS = "tls"
    SMUGGLING = "smuggling"
    SYNTAX = "syntax"
    SPOOFING = "spoofing"
    LIMITS = "limits"
    MAIL = "mail"
    OWN = "own"  # from a file of the user's


class Status(enum.StrEnum):
    """What came of a scenario."""

    PASSED = "passed"
    FAILED = "failed"
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A scenario's answer. `said` is half a sentence: what the server did. `severity` and `remedy` replace the "
    "scenario's
    where this case is milder, graver or another one."""

    status: Status
    said: str
    severity: Severity | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a scenario may use to play."""

    visitor: Visitor
    mailbox: Mailbox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What playing brought. `found` are the mails that arrived, by the word they were asked for."""

    visits: tuple[Visit, ...]
    found: Mapping[str, Found] = field(default_factory=dict)
    looked: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)


Play = Callable[[World, Aim, "Scenario"], Awaitable[Played]]
Judge = Callable[[Played, Aim, "Scenario"], Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to try. `name` is stable; `title` says what is tried, `bad` what it means when the server is not good,
    in one sentence; `good` are the outcomes of a good server (after the question was asked). `unclear` outcomes tell
    nothing; the reply codes in `closed` are good even before the question. `opens` is whether the usual session comes
    first, `secure` whether with STARTTLS. `late` scenarios annoy a server, or make it ban us: they come last. `seconds`
    is the time for all of it. `play` and `judge` are for what one visit cannot tell."""

    name: str
    group: Group
    title: str
    bad: str
    why: str
    remedy: str
    severity: Severity = Severity.WARNING
    reference: str = ""
    spoken: tuple[Spoken, ...] = (Spoken.SMTP,)
    steps: tuple[Step, ...] = ()
    opens: bool = True
    secure: bool | None = None
    good: tuple[Outcome, ...] = (Outcome.REFUSED, Outcome.CLOSED)
    closed: tuple[str, ...] = ()
    unclear: tuple[Outcome, ...] = (Outcome.DEFERRED, Outcome.SILENT, Outcome.NONSENSE)
    needs: tuple[Need, ...] = ()
    play: Play | None = None
    judge: Judge | None = None
    late: bool = False
    seconds: float = 60.0

    @property
    def code(self) -> str:
        """The code of its finding."""
        return f"probe.{self.name}"
