"""Rules on the virus scanner: what it found, and that it did not look.

In: `Facts`. Out: `Seen`. Standard: DESIGN, "negative weights never offset a decisive finding (malware …)".
Not here: the scanner (`net.clamd`), what the findings force (`enforcement`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.enforcement import MALWARE_CODE, NOT_SCANNED_CODE
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.ports import ScanStatus


def _asked(facts: Facts) -> bool:
    return facts.scanned is not None and facts.scanned.status is not ScanStatus.CLEAN


@rule(
    code=MALWARE_CODE,
    severity=Severity.DANGER,
    weight=15.0,
    group="malware",
    summary="The virus scanner found {names}.",
    why="A signature of known malware fits something in this message. Opening it can take over the computer.",
    remedy="Do not open it. If you are sure that it is harmless, tell the maker of the signature of the false alarm.",
    reference="practice: malware",
    when=_asked,
)
def malware_found(facts: Facts) -> Seen | None:
    scanned = facts.scanned
    if scanned is None or scanned.status is not ScanStatus.FOUND:
        return None
    return Seen(evidence={"names": ", ".join(scanned.names), "signatures": list(scanned.names)})


@rule(
    code=NOT_SCANNED_CODE,
    severity=Severity.WARNING,
    weight=1.0,
    group="malware",
    summary="The virus scanner did not look at this message: {reason}.",
    why="It may hold known malware; nobody has looked.",
    remedy="See that clamd runs and answers; until then be careful with what is attached.",
    reference="practice: malware",
    when=_asked,
)
def not_scanned(facts: Facts) -> Seen | None:
    scanned = facts.scanned
    if scanned is None or scanned.status is not ScanStatus.ERROR:
        return None
    return Seen(evidence={"reason": scanned.reason})
