"""What could not be finished: said aloud, so that nobody takes silence for good news.

In: `Facts.unfinished`. Not here: the deadline (`gatepost.api_audit`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts
from gatepost.finding import Severity

_WORDS = {
    "zone": "the domain's records",
    "hosts": "the mail exchangers",
    "spf": "SPF",
    "host_spf": "SPF of the mail exchangers",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "sts": "MTA-STS",
    "quick": "MTA-STS, TLS-RPT and BIMI",
    "more": "TLS-RPT, BIMI and SRV",
    "lookalikes": "look-alike names",
    "lists": "block lists",
    "services": "the ports",
}


@check(
    code="look.unfinished",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="{what} could not be looked at: {reason}",
    why="What was not seen is neither good nor bad. Servers that stay silent on purpose look like this.",
    remedy="Run the audit again, with a longer --deadline, or ask the silent server by hand.",
    reference="practice 10",
)
def unfinished(facts: Facts) -> Iterator[Seen]:
    for piece, reason in facts.unfinished.items():
        yield Seen(evidence={"what": _WORDS.get(piece, piece), "piece": piece, "reason": reason})


CHECKS = (unfinished,)
