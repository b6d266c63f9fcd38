"""Guessed passwords: counted by address, network, account and password, over all workers; who goes on is stopped.

In: attempts and how they ended. Out: whether an attempt may be made at all, how long the answer to a failed one waits,
whom it is time to ban. One address with many passwords, many addresses at one account and one password at many accounts
are three counts. Passwords are kept as keyed hashes in memory, for an hour. Standard: none.
Not here: the counting (`door.rates`), bans (`door.bans`), what is told and answered (`login`).
An account that is guessed at from everywhere still lets its owner in: from networks it logged in from before.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gatepost.server.door.networks import home_of
from gatepost.server.door.rates import HOUR, Rates
from gatepost.server.submission.login_settings import GuessingSettings

TABLE_WIDTH = 32_768  # names an hour that are counted exactly: a large attack must not make everybody look guilty
_MAX_SEEN = 20_000  # attempts remembered one by one, in one worker
_ADDRESS, _NETWORK, _ACCOUNT, _PASSWORD = "address", "network", "account", "password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """`account` is the name that was given, prepared; `password` is empty where none was told (SCRAM)."""

    account: str
    ip: str
    password: str = field(default="", repr=False)


class Block(NamedTuple):
    """Why an attempt may not be made: the check's name for the report, what is over its limit, words."""

    check: str
    subject: str
    words: str


class Outcome(NamedTuple):
    """Of a failed attempt: seconds the answer waits, and why the address is to be banned (empty: it is not)."""

    delay: float
    ban: str


class Guessing:
    """One worker's view; the counts are everybody's. `came_from(account, network)` tells whether the account ever
    logged in from there; `is_own(ip)` whether nothing here is about this address."""

    def __init__(
        self,
        settings: GuessingSettings,
        rates: Rates,
        *,
        is_own: Callable[[str], bool],
        came_from: Callable[[str, str], Awaitable[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._rates = rates
        self._is_own = is_own
        self._came_from = came_from
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._seen: dict[bytes, float] = {}

    async def blocked(self, attempt: Attempt) -> Block | None:
        """What stands against `attempt`, before anything is checked: right and wrong passwords fare alike."""
        settings, home = self._settings, home_of(attempt.ip)
        if settings.mode == "off" or self._is_own(attempt.ip):
            return None
        if self._over(settings.network_failures, _NETWORK, home.network):
            words = f"more than {settings.network_failures} failed logins an hour from its network"
            return Block("guessing.network", home.network, words)
        block = self._at_account(attempt)
        if block is not None and await self._came_from(attempt.account, home.network):
            return None
        return block

    def _at_account(self, attempt: Attempt) -> Block | None:
        settings = self._settings
        if self._over(settings.account_failures, _ACCOUNT, attempt.account):
            words = (
                f"more than {settings.account_failures} failed logins an hour at this account, and it never logged in"
            )
            return Block("guessing.account", attempt.account, f"{words} from there")
        if attempt.password and self._over(settings.password_accounts, _PASSWORD, attempt.password):
            words = f"this password was tried at more than {settings.password_accounts} accounts within an hour"
            return Block("guessing.password", attempt.account, words)
        return None

    def failed(self, attempt: Attempt, *, checked: bool) -> Outcome:
        """`attempt` failed; if not `checked`, because it was blocked: then nothing was learnt of the account."""
        settings, home, now = self._settings, home_of(attempt.ip), self._clock()
        if settings.mode == "off":
            return Outcome(0.0, "")
        own = self._is_own(attempt.ip)
        again = attempt.password and self._seen_before(now, "try", attempt.account, attempt.password, home.client)
        if not again:
            if checked:
                self._rates.add(HOUR, _ACCOUNT, attempt.account, now)
                if attempt.password and not self._seen_before(now, "pair", attempt.account, attempt.password):
                    self._rates.add(HOUR, _PASSWORD, attempt.password, now)
            if not own:
                self._rates.add(HOUR, _ADDRESS, home.client, now)
                self._rates.add(HOUR, _NETWORK, home.network, now)
        if own:
            return Outcome(0.0, "")
        failures = self._rates.count(HOUR, _ADDRESS, home.client, now)
        ban = ""
        if settings.address_failures and failures >= settings.address_failures:
            ban = f"{int(failures)} failed logins within an hour"
        slowed = max(1.0, failures, self._rates.count(HOUR, _ACCOUNT, attempt.account, now))
        return Outcome(min(slowed * settings.delay, settings.max_delay), ban)

    def _over(self, most: int, kind: str, name: str) -> bool:
        return most > 0 and self._rates.count(HOUR, kind, name, self._clock()) >= most

    def _seen_before(self, now: float, *facts: str) -> bool:
        """Whether just this happened within the hour; from now on it did."""
        octets = "\0".join(facts).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(octets, key=self._key, digest_size=16).digest()
        last = self._seen.pop(digest, None)
        if len(self._seen) >= _MAX_SEEN:
            del self._seen[next(iter(self._seen))]  # the one that was not met for the longest time
        self._seen[digest] = now
        return last is not None and now - last < HOUR
