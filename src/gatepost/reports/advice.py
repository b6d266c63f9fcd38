"""What is said about a domain's policy: the next step, why, for whom it would break, what to do first.

In: nothing. Out: `Advice`, and what it starts from: `Standing`. Standard: RFC 9989 §4.7 (p, sp, np, t).
Not here: how it is found (`advise`), how it is shown (`cli.dmarc_counsel`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from gatepost.reports.sources import Source


class Step(enum.StrEnum):
    """What to do next."""

    WAIT = "wait"  # too little is known
    FIX = "fix"  # a step would break known mail
    ASK = "ask"  # a regular sender must be named first
    MOVE = "move"  # safe
    DONE = "done"  # reject stands, and nothing breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The policy in DNS: p, sp, np as words ("" where the tag is missing), `t` for test mode. `published` is False
    where there is no record."""

    published: bool = True
    p: str = "none"
    sp: str = ""
    np: str = ""
    t: bool = False

    @property
    def effective(self) -> str:
        """What receivers do with mail that fails: test mode lowers the policy by one step (RFC 9989 §4.7, t)."""
        if not self.t:
            return self.p
        return "quarantine" if self.p == "reject" else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """`step` is what to do next; `target` the tags of the record that would stand then; `because` why, plainly.
    `broken` are known senders whose mail would be stopped, `questions` regular senders nobody named, `indirect` those
    who pass mail on and break it; each the largest first. `fixes` are what to do, in order. `sub` is on subdomains."""

    step: Step
    current: str
    target: dict[str, str]
    because: tuple[str, ...]
    fixes: tuple[str, ...]
    broken: tuple[Source, ...]
    questions: tuple[Source, ...]
    indirect: tuple[Source, ...]
    sub: tuple[str, ...]
    messages: int
    proven: int
    broken_share: float
    indirect_share: float
    forged: int
    days: int
    reporters: int
    after: tuple[str, ...] = field(default=())
