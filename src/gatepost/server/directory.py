"""The directory of this gate: our own accounts, or another directory with what we say of its accounts.

In: settings, the store's folder. Out: `GateDirectory` (`ports.Directory`, `ports.AddressBook`, the standing of
accounts); `watch_accounts`, which tells a running process of accounts that come and go. A suspended account is nobody,
whoever keeps its password. Standard: RFC 5321 §4.2.3 (451 while nobody can say).
Not here: asking (`store.accounts`, `net.directory`), the exchange (`submission.login`), aliases (`recipients`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.net.directory import DirectorySettings, ExternalDirectory, RecipientCache, open_directory
from gatepost.ports import Identity, ScramVerifier
from gatepost.server.recipients import Recipients
from gatepost.server.submission.pool import PooledDirectory
from gatepost.store.accounts import AccountDirectory, Accounts, Standing
from gatepost.store.accounts.book import FILE

LOOK_EVERY = 1.0  # seconds between looks at whether accounts came or went
TELL_EVERY = 60.0  # seconds: a directory that is down is told of once in that time, not for every client

Told = Callable[[StoreError], None]


class GateDirectory:
    """One for each worker. `told` hears of a directory that does not answer."""

    def __init__(
        self,
        settings: DirectorySettings,
        accounts: Accounts,
        *,
        at_once: int,
        waiting: int,
        remember: float = 0.0,
        told: Told = lambda error: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accounts = accounts
        self._home = settings.home
        self._embedded = AccountDirectory(accounts, settings.home, remember=remember)
        self._pooled = PooledDirectory(self._embedded, at_once=at_once, waiting=waiting)
        self._external: ExternalDirectory | None = open_directory(settings)
        self._told = told
        self._clock = clock
        self._told_at = -TELL_EVERY
        self.recipients = RecipientCache(self._ask, settings.cache_positive, settings.cache_negative, clock)

    @property
    def is_elsewhere(self) -> bool:
        """Whether another directory keeps the accounts."""
        return self._external is not None

    async def close(self) -> None:
        """Ends the threads and connections, closes the accounts."""
        self._pooled.close()
        if self._external is not None:
            await self._external.close()
        self.accounts.close()

    async def check_password(self, name: str, password: str) -> Identity | None:
        """As in `ports.Directory`. App passwords are ours, whoever keeps the account."""
        if self._external is None:
            return await self._pooled.check_password(name, password)
        full = self._full(name)
        found = await asyncio.to_thread(self._embedded.check_app_password, full, password)
        try:
            return self._unless_suspended(found or await self._external.check_password(full, password))
        except StoreError as error:
            self._say(error)
            raise

    async def verifier(self, name: str) -> ScramVerifier | None:
        """As in `ports.Directory`."""
        if self._external is None:
            return await self._pooled.verifier(name)
        try:
            found = await self._external.verifier(self._full(name))
        except StoreError as error:
            self._say(error)
            raise
        return found if found is not None and self._unless_suspended(found.identity) else None

    async def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """As in `ports.Directory`. Certificates are bound by us, whoever keeps the account."""
        return await self._pooled.by_certificate(fingerprint, subject)

    async def exists(self, address: str) -> bool:
        """As in `ports.AddressBook`. Only what another directory says is believed for a while."""
        return self._embedded.exists(address) if self._external is None else await self.recipients.exists(address)

    async def may_send_as(self, account: str, address: str) -> bool:
        """As in `ports.AddressBook`: what the other directory says counts beside what we say."""
        if self._embedded.may_send_as(account, address):
            return True
        if self._external is None:
            return False
        try:
            return await self._external.may_send_as(account, address)
        except StoreError as error:
            self._say(error)
            raise

    def standing(self, account: str) -> Standing:
        """State, limits, bulk and delegations that we keep of an account. Raises StoreError."""
        return self._embedded.standing(account)

    async def _ask(self, address: str) -> bool:
        assert self._external is not None
        try:
            return await self._external.exists(address)
        except StoreError as error:
            self._say(error)
            raise

    def _unless_suspended(self, found: Identity | None) -> Identity | None:
        if found is None or self.accounts.rights.suspension(found.account) is not None:
            return None
        return found

    def _full(self, name: str) -> str:
        return name if "@" in name or not self._home else f"{name}@{self._home}"

    def _say(self, error: StoreError) -> None:
        if self._clock() - self._told_at >= TELL_EVERY:
            self._told_at = self._clock()
            self._told(error)


def account_addresses(folder: Path) -> list[str]:
    """The embedded accounts that exist; none where there is no file yet."""
    if not (folder / FILE).exists():
        return []
    accounts = Accounts.open(folder)
    try:
        return accounts.addresses()
    finally:
        accounts.close()


async def watch_accounts(
    folder: Path, recipients: Recipients, told: Told, changed: Callable[[], None] = lambda: None
) -> None:
    """Tells `recipients` of accounts that come and go, until it is cancelled. `changed` is called after that."""
    accounts: Accounts | None = None
    seen = (-1, -1)
    try:
        while True:
            try:
                if accounts is None and (folder / FILE).exists():
                    accounts = Accounts.open(folder)
                if accounts is not None and accounts.changed() != seen[0]:
                    now = (accounts.changed(), accounts.generation())
                    if now[1] != seen[1]:
                        recipients.learn_accounts(accounts.addresses())
                        changed()
                    seen = now
            except StoreError as error:
                told(error)
                await asyncio.sleep(TELL_EVERY - LOOK_EVERY)
            await asyncio.sleep(LOOK_EVERY)
    finally:
        if accounts is not None:
            accounts.close()
