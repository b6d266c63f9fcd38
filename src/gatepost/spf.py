"""SPF for other programs: check a sender without a server.

In: the client's address, EHLO name and MAIL FROM; a resolver. Out: `SpfResult`.
Standard: RFC 7208. Not here: the work itself (`gatepost.msgauth.spf`).

    result = await gatepost.spf.check_host(ip="192.0.2.1", ehlo="mx.example.org", mail_from="a@example.org", resolver=r)
    result.result   # "pass", "fail", "softfail", "neutral", "none", "temperror" or "permerror"
"""

from __future__ import annotations

import asyncio

from gatepost.msgauth.spf import (
    SpfIdentity,
    SpfRecord,
    SpfResult,
    SpfResultWord,
    SpfSettings,
    check_ehlo,
    check_host,
    parse_record,
)
from gatepost.ports import Resolver

__all__ = [
    "SpfIdentity",
    "SpfRecord",
    "SpfResult",
    "SpfResultWord",
    "SpfSettings",
    "check_ehlo",
    "check_ehlo_sync",
    "check_host",
    "check_host_sync",
    "parse_record",
]


def check_host_sync(
    *,
    ip: str,
    ehlo: str,
    mail_from: str,
    resolver: Resolver,
    now: float | None = None,
    settings: SpfSettings | None = None,
) -> SpfResult:
    """`check_host` for scripts that have no event loop."""
    chosen = settings or SpfSettings()
    return asyncio.run(check_host(ip=ip, ehlo=ehlo, mail_from=mail_from, resolver=resolver, now=now, settings=chosen))


def check_ehlo_sync(
    *, ip: str, ehlo: str, resolver: Resolver, now: float | None = None, settings: SpfSettings | None = None
) -> SpfResult:
    """`check_ehlo` for scripts that have no event loop."""
    return asyncio.run(check_ehlo(ip=ip, ehlo=ehlo, resolver=resolver, now=now, settings=settings or SpfSettings()))
