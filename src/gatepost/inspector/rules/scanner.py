"""Rules on malware: what the virus scanner or the gate's own signature found, and that the scanner did not look.

In: `Facts`. Out: `Seen`. Standard: DESIGN, "negative weights never offset a decisive finding (malware …)"; EICAR's
"Anti-Malware Testfile", which is stopped with no scanner at all.
Not here: the scanner (`net.clamd`), what the findings force (`enforcement`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.enforcement import MALWARE_CODE, NOT_SCANNED_CODE
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.ports import ScanStatus


def _asked(facts: Facts) -> bool:
    if facts.content is not None and facts.content.malware:
        return True
    return facts.scanned is not None and facts.scanned.status is not ScanStatus.CLEAN


@rule(
    code=MALWARE_CODE,
    severity=Severity.DANGER,
    weight=10.0,
    group="malware",
    summary="The virus scanner found {names}.",
    why="A signature of known malware fits something in this message. Opening it can take over the computer.",
    remedy="Do not open it. If you are sure that it is harmless, tell the maker of the signature of the false alarm.",
    reference="practice: malware",
    when=_asked,
)
def malware_found(facts: Facts) -> Seen | None:
    scanned = facts.scanned
    if scanned is not None and scanned.status is ScanStatus.FOUND:
        return Seen(evidence={"names": ", ".join(scanned.names), "signatures": list(scanned.names)})
    own = facts.content.malware if facts.content is not None else ()
    if not own:
        return None
    return Seen(evidence={"names": ", ".join(own), "signatures": list(own)}, summary="The message carries {names}.")


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
