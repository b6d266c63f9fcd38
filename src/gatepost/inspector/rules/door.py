"""Rules on what the door saw of the client before the message came.

In: `Facts.door`. Out: `Seen`. What the inspector judges itself (HELO, reverse name, lists) weighs there and is only
told here; what shows at the door alone weighs a little. Standard: RFC 5321 §3.1, RFC 2920 §3.1.
Not here: the checks (`server.door`), which refuse when they are "on".
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.names import DoorSign

_WEIGHED = frozenset({"early-talker", "pipelining"})  # these have a rule of their own
MOST_SHOWN = 5


def _caught(facts: Facts) -> bool:
    return bool(facts.door)


def _sign(facts: Facts, check: str) -> DoorSign | None:
    return next((sign for sign in facts.door if sign.check == check), None)


@rule(
    code="door.early-talker",
    severity=Severity.NOTICE,
    weight=1.5,
    group="door",
    summary="The client talked before it was greeted.",
    why="A mail server waits for the greeting; many spam programs do not.",
    remedy='door.early_talker = "on" refuses such clients before they send anything.',
    reference="RFC 5321 §3.1",
    when=_caught,
)
def early_talker(facts: Facts) -> Seen | None:
    return Seen() if _sign(facts, "early-talker") is not None else None


@rule(
    code="door.pipelining",
    severity=Severity.NOTICE,
    weight=1.0,
    group="door",
    summary="The client sent commands without waiting for the answers it has to wait for.",
    why="Who does not read our answers does not mean to obey them; mail servers do.",
    remedy='door.pipelining = "on" refuses such clients.',
    reference="RFC 2920 §3.1",
    when=_caught,
)
def pipelining(facts: Facts) -> Seen | None:
    return Seen() if _sign(facts, "pipelining") is not None else None


@rule(
    code="door.watched",
    severity=Severity.NOTICE,
    group="door",
    summary="The door, were it set to refuse, would have stopped this client: {words}.",
    why="It shows what a stricter setting would do to real mail before it is used.",
    remedy='door.exempt spares networks that you know, before a check is set to "on".',
    reference="practice 10",
    when=_caught,
)
def watched(facts: Facts) -> Seen | None:
    signs = [sign for sign in facts.door if sign.check not in _WEIGHED]
    if not signs:
        return None
    words = "; ".join(sign.words for sign in signs[:MOST_SHOWN])
    return Seen(evidence={"checks": [sign.check for sign in signs[:MOST_SHOWN]], "words": words})
