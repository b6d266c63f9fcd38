"""DMARC for other programs: evaluate a message's author without a server.

In: the author domain, the results of SPF and DKIM, a resolver. Out: `DmarcResult`.
Standard: RFC 9989. Not here: the work itself (`gatepost.msgauth.dmarc`).

    result = await gatepost.dmarc.evaluate("example.org", spf, dkim, resolver=resolver)
    result.result, result.disposition   # "fail", "quarantine"
"""

from __future__ import annotations

import asyncio

from gatepost.msgauth.dmarc import (
    Alignment,
    AlignmentMode,
    Authors,
    DmarcPolicy,
    DmarcRecord,
    DmarcResult,
    DmarcResultWord,
    DmarcSettings,
    Psd,
    evaluate,
    evaluate_all,
    extract_author_domain,
    parse_record,
)
from gatepost.msgauth.dmarc.evaluate import DkimOutcome, SpfOutcome
from gatepost.ports import Resolver

__all__ = [
    "Alignment",
    "AlignmentMode",
    "Authors",
    "DmarcPolicy",
    "DmarcRecord",
    "DmarcResult",
    "DmarcResultWord",
    "DmarcSettings",
    "Psd",
    "evaluate",
    "evaluate_all",
    "evaluate_sync",
    "extract_author_domain",
    "parse_record",
]


def evaluate_sync(
    author_domain: str,
    spf: SpfOutcome,
    dkim: DkimOutcome | None,
    *,
    resolver: Resolver,
    settings: DmarcSettings | None = None,
) -> DmarcResult:
    """`evaluate` for scripts that have no event loop."""
    return asyncio.run(evaluate(author_domain, spf, dkim, resolver=resolver, settings=settings or DmarcSettings()))
