"""When deferred mail is tried again, and when it is given up.

In: when the message came, the time, settings, a source of chance. Out: a time, or the answer that it has expired.
Standard: RFC 5321 §4.5.4.1 (retry at least every 30 minutes at first, give up after 4 to 5 days).
Not here: whether a failure is temporary (`result`).
"""

from __future__ import annotations

import random

from gatepost.server.delivery.settings import DeliverySettings


def next_attempt(created_at: float, now: float, settings: DeliverySettings, rng: random.Random) -> float:
    """The time of the next try: as long again as the message is old, within the settings' bounds, plus a bit of chance.

    So the waits double (1, 1, 2, 4 … minutes) without a count of tries to keep, and a clock that jumped back gives the
    shortest wait, not a negative one.
    """
    wait = min(max(now - created_at, settings.retry_min), settings.retry_max)
    return now + wait * (1 + settings.jitter * rng.random())


def is_expired(created_at: float, now: float, settings: DeliverySettings) -> bool:
    """True when a message that still cannot be delivered is given up."""
    return now - created_at >= settings.expire


def is_late(created_at: float, now: float, settings: DeliverySettings) -> bool:
    """True when a sender who asked (NOTIFY=DELAY) should be told (RFC 3461 §5.2.7: not before some hours)."""
    return now - created_at >= settings.delay_notice
