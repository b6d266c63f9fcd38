"""DKIM for other programs: verify and sign without a server.

In: a message, a resolver, the time. Out: `DkimResult`, or the signed message.
Standard: RFC 6376, RFC 8301, RFC 8463. Not here: the work itself (`gatepost.msgauth.dkim`).

    result = await gatepost.dkim.verify(raw, resolver=resolver, now=time.time())
    result.result   # "pass", "fail", "none" …
"""

from __future__ import annotations

import asyncio

from gatepost.message.message import Message
from gatepost.msgauth.dkim import (
    Content,
    DkimResult,
    DkimSettings,
    DkimStatus,
    PrivateKey,
    SignatureResult,
    sign_message,
    verify,
)
from gatepost.ports import Resolver

__all__ = [
    "Content",
    "DkimResult",
    "DkimSettings",
    "DkimStatus",
    "PrivateKey",
    "SignatureResult",
    "sign_message",
    "verify",
    "verify_sync",
]


def verify_sync(
    raw: bytes | Message | Content, *, resolver: Resolver, now: float, settings: DkimSettings | None = None
) -> DkimResult:
    """`verify` for scripts that have no event loop."""
    return asyncio.run(verify(raw, resolver=resolver, now=now, settings=settings or DkimSettings()))
