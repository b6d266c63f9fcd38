"""A connection kept open from message to message, and opened anew after its share of them.

In: a route, a way to connect. Out: an open hop that is good enough for the message at hand.
Standard: RFC 5321 §4.5.4.1 (several messages over one connection), RFC 8689 §3, §4.2.1 (a message's own wish for TLS).
Not here: when to connect (`lane`), how (`connect`).
"""

from __future__ import annotations

from gatepost.server.delivery.hop import Connect, Hop, TlsWish
from gatepost.server.delivery.routes import Route

# Which connections serve which wish: one made for a stricter wish serves a laxer one too.
_SERVES = {
    TlsWish.REQUIRED: {TlsWish.REQUIRED},
    TlsWish.USUAL: {TlsWish.USUAL},
    TlsWish.WAIVED: {TlsWish.USUAL, TlsWish.WAIVED, TlsWish.REQUIRED},
}


class Kept:
    """`limit` messages a connection."""

    def __init__(self, connect: Connect, route: Route, limit: int) -> None:
        self._connect, self._route, self._limit = connect, route, limit
        self._hop: Hop | None = None
        self._wish = TlsWish.USUAL
        self._used = 0

    @property
    def is_open(self) -> bool:
        """Whether there is one now."""
        return self._hop is not None

    @property
    def is_used_up(self) -> bool:
        """Whether it has served its share."""
        return self._hop is not None and self._used >= self._limit

    @property
    def label(self) -> str:
        """The hop for the log, empty without one."""
        return self._hop.label if self._hop is not None else ""

    def serves(self, wish: TlsWish) -> bool:
        """Whether the open connection will do for a message with this wish."""
        return self._hop is not None and not self.is_used_up and self._wish in _SERVES[wish]

    async def open(self, wish: TlsWish, *, demanded: bool) -> Hop:
        """The connection, a new one where that is needed. Raises what `Connect` raises."""
        if not self.serves(wish):
            await self.close()
        if self._hop is None:
            self._hop = await self._connect(self._route, wish, demanded=demanded)
            self._wish, self._used = wish, 0
        self._used += 1
        return self._hop

    async def close(self) -> None:
        """Ends it, if there is one."""
        hop, self._hop = self._hop, None
        if hop is not None:
            await hop.close()
