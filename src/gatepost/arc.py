"""ARC for other programs: validate a chain, seal a message, without a server.

In: a message, a resolver, the time. Out: `ArcResult`, or the sealed message.
Standard: RFC 8617. Not here: the work itself (`gatepost.msgauth.arc`).

    result = await gatepost.arc.verify(raw, resolver=resolver, now=time.time())
    result.result   # "none", "pass", "fail" or "temperror"
"""

from __future__ import annotations

import asyncio

from gatepost.message.message import Message
from gatepost.msgauth.arc import ArcResult, ArcSetResult, ArcStatus, seal_message, verify
from gatepost.msgauth.dkim import Content, DkimSettings
from gatepost.ports import Resolver

__all__ = ["ArcResult", "ArcSetResult", "ArcStatus", "seal_message", "verify", "verify_sync"]


def verify_sync(
    raw: bytes | Message | Content, *, resolver: Resolver, now: float, settings: DkimSettings | None = None
) -> ArcResult:
    """`verify` for scripts that have no event loop."""
    return asyncio.run(verify(raw, resolver=resolver, now=now, settings=settings or DkimSettings()))
