"""Many peers behind one private address: a container's bridge, a proxy that says nothing.

In: addresses and the names clients give themselves. Out: whether an address turns out to hide many.
All such clients look like one, and a limit or a ban on it hits everybody (TRAPS, "Open relay through container
networking"). Bounded: so many addresses, so many names each. Standard: none. Not here: what is warned of (`door`).
"""

from __future__ import annotations

_ADDRESSES = 64  # private addresses watched at the same time; one more pushes the oldest out
_FORGET = 3600.0  # seconds


class SharedAddresses:
    """One worker's. `peers` different names within an hour make an address shared."""

    def __init__(self, peers: int) -> None:
        self._peers = peers
        self._names: dict[str, tuple[float, set[int]]] = {}

    def met(self, ip: str, ehlo: str, now: float) -> bool:
        """A client from `ip` called itself `ehlo`. True once an hour: when the address turns out to be shared."""
        since, names = self._names.get(ip, (now, set()))
        if now - since > _FORGET:
            since, names = now, set()
        if ip not in self._names and len(self._names) >= _ADDRESSES:
            del self._names[next(iter(self._names))]
        self._names[ip] = since, names
        if len(names) >= self._peers:
            return False
        names.add(hash(ehlo.lower()))
        return len(names) == self._peers
