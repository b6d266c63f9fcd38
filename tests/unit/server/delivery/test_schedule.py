"""The retry schedule: waits that double with age, bounds, chance, expiry, and clocks that jump."""

from __future__ import annotations

import random

from gatepost.server.delivery.schedule import is_expired, is_late, next_attempt
from gatepost.server.delivery.settings import DAY, HOUR, DeliverySettings

STEADY = DeliverySettings(jitter=0.0)


def waits(count: int) -> list[float]:
    """The waits between the first tries of a message that came at 0 and always fails."""
    rng, now, found = random.Random(1), 0.0, []
    for _ in range(count):
        later = next_attempt(0.0, now, STEADY, rng)
        found.append(later - now)
        now = later
    return found


def test_waits_double_up_to_the_longest() -> None:
    assert waits(9) == [60, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_chance_only_lengthens_a_wait_and_by_its_share_at_most() -> None:
    settings = DeliverySettings(jitter=0.5)
    times = [next_attempt(0.0, 1000.0, settings, random.Random(n)) - 1000.0 for n in range(200)]
    assert 1000.0 <= min(times) < max(times) <= 1500.0
    assert len({round(t) for t in times}) > 50


def test_a_clock_that_jumped_back_waits_the_least_not_a_negative_time() -> None:
    assert next_attempt(10_000.0, 0.0, STEADY, random.Random(1)) == 60.0
    assert not is_expired(10_000.0, 0.0, STEADY)


def test_mail_is_late_after_hours_and_given_up_after_days() -> None:
    assert not is_late(0.0, 4 * HOUR - 1, STEADY)
    assert is_late(0.0, 4 * HOUR, STEADY)
    assert not is_expired(0.0, 5 * DAY - 1, STEADY)
    assert is_expired(0.0, 5 * DAY, STEADY)
