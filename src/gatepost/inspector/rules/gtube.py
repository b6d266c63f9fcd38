"""The rule on GTUBE, the text that every spam filter treats as spam, so that one can be tried without any.

In: `Facts`. Out: `Seen`. Standard: spamassassin.apache.org/gtube. Not here: EICAR's file for scanners (`attachments`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule

TEXT = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@rule(
    code="content.gtube",
    severity=Severity.DANGER,
    weight=20.0,
    group="test",
    summary="The message holds the GTUBE text, by which spam filters are tried.",
    why="It is no spam; it is there to see whether spam is stopped. Every filter that knows it refuses it.",
    remedy="Nothing: the filter works. It does not decide if you take content.gtube out of inspector.reject_codes.",
    reference="practice 4",
)
def gtube(facts: Facts) -> Seen | None:
    return Seen() if TEXT in facts.message.raw else None
