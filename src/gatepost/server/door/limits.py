"""Rates at the door: what is counted, against which limit.

In: connections, transactions, recipients. Out: what is over its limit, in words; None where all is well. What is
refused is not counted: who tries again later gets in. Standard: none.
Not here: counting (`rates`), how many connections there may be at one time (`smtp.arrival`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from gatepost.server.door.networks import home_of
from gatepost.server.door.rates import HOUR, MINUTE, Rates
from gatepost.server.door.settings import RateSettings


class Over(NamedTuple):
    """`check` is the limit's name for the report; `subject` what is over it."""

    check: str
    subject: str
    words: str


class _Limit(NamedTuple):
    check: str
    window: int
    most: int
    words: str


class Limits:
    """One worker's view; the counts are everybody's."""

    def __init__(self, settings: RateSettings, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._connections = _Limit("rate.connections", MINUTE, settings.connections, "connections a minute")
        self._net_connections = _Limit(
            "rate.network-connections", MINUTE, settings.network_connections, "connections a minute from its network"
        )
        self._messages = _Limit("rate.messages", HOUR, settings.messages, "messages an hour")
        self._net_messages = _Limit(
            "rate.network-messages", HOUR, settings.network_messages, "messages an hour from its network"
        )
        self._domain = _Limit(
            "rate.sender-domain", HOUR, settings.sender_domain_messages, "messages an hour in the name of this domain"
        )
        self._recipient = _Limit(
            "rate.recipient", HOUR, settings.recipient_messages, "messages an hour to this recipient"
        )

    def connection(self, ip: str) -> Over | None:
        """One more connection from `ip`."""
        home = home_of(ip)
        return self._take(((self._connections, home.client), (self._net_connections, home.network)))

    def message(self, ip: str, sender_domain: str) -> Over | None:
        """One more transaction from `ip` in the name of `sender_domain` (empty for the null sender)."""
        home = home_of(ip)
        asked = [(self._messages, home.client), (self._net_messages, home.network)]
        if sender_domain:
            asked.append((self._domain, sender_domain))
        return self._take(tuple(asked))

    def recipient(self, address: str) -> Over | None:
        """One more message to `address`."""
        return self._take(((self._recipient, address.lower()),))

    def _take(self, asked: tuple[tuple[_Limit, str], ...]) -> Over | None:
        now, rates = self._clock(), self._rates
        for limit, name in asked:
            if limit.most and rates.count(limit.window, limit.check, name, now) >= limit.most:
                return Over(limit.check, name, f"more than {limit.most} {limit.words}")
        for limit, name in asked:
            if limit.most:
                rates.add(limit.window, limit.check, name, now)
        return None
