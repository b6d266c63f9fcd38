"""The bans as one worker sees them: in memory, looked at again twice a second; and those the door makes by itself.

In: addresses, offences. Out: the ban an address is under; new bans, written beside the loop. Bans in memory are found
by one look a prefix length. Own networks are exempt before anybody asks here (TRAPS, "Automatic bans lock out the
administrator"). Standard: none. Not here: the file (`store.bans`), counting over workers (`rates`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network

from gatepost.errors import StoreError
from gatepost.server.door.networks import home_of
from gatepost.server.door.rates import HOUR, Rates
from gatepost.server.door.settings import BanSettings
from gatepost.store.bans import Ban, Bans

_MAX_QUIET = 10_000  # addresses of which it is known that they were told; above them all are told anew
LOOK_EVERY = 0.5  # seconds; a ban or a lift holds everywhere within a second
_OFFENCE, _ACCEPTED, _SHARED = "offence", "accepted", "shared"

Failed = Callable[[str, Exception], None]


class BanBook:
    """Bans in memory, by prefix length."""

    __slots__ = ("_by_length",)

    def __init__(self, bans: Iterable[Ban] = ()) -> None:
        self._by_length: dict[tuple[int, int], dict[int, Ban]] = {}
        for ban in bans:
            network = ip_network(ban.network)
            kept = self._by_length.setdefault((network.version, network.prefixlen), {})
            kept[int(network.network_address) >> (network.max_prefixlen - network.prefixlen)] = ban

    def find(self, ip: str, now: float) -> Ban | None:
        """The ban that `ip` is under."""
        if not self._by_length:
            return None
        address = ip_address(ip)
        number, version, most = int(address), address.version, address.max_prefixlen
        for (kind, length), kept in self._by_length.items():
            ban = kept.get(number >> (most - length)) if kind == version else None
            if ban is not None and (ban.until is None or ban.until > now):
                return ban
        return None


class LiveBans:
    """One worker's. `failed(doing, error)` hears of a store that fails: then the bans known so far hold on."""

    def __init__(self, store: Bans | None, settings: BanSettings, rates: Rates, failed: Failed) -> None:
        self._store = store
        self._settings = settings
        self._rates = rates
        self._failed = failed
        self._seen = -1
        self._book = BanBook()
        self._writing: set[asyncio.Task[None]] = set()
        self._quiet: dict[str, float] = {}  # whom this worker has judged already, and until when (monotonic)
        self.refresh()

    def find(self, ip: str) -> Ban | None:
        """The ban that `ip` is under now."""
        return self._book.find(ip, time.time())

    def refresh(self) -> None:
        """Looks whether another process changed the bans, and reads them if so."""
        if self._store is None:
            return
        try:
            changed = self._store.changed()
            if changed != self._seen:
                self._book = BanBook(self._store.in_force(time.time()))
                self._seen = changed
        except StoreError as error:
            if self._seen != -2:
                self._failed("reading bans", error)
            self._seen = -2  # told once; read again at the next look

    async def watch(self) -> None:
        """Refreshes until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await asyncio.to_thread(self.refresh)

    # -- by the door itself ------------------------------------------------------------------------------------------

    def accepted(self, ip: str) -> None:
        """A message from `ip` was accepted."""
        self._rates.add(HOUR, _ACCEPTED, home_of(ip).client, time.monotonic())

    def spare(self, ip: str) -> None:
        """Many clients come from `ip`: for an hour no worker bans it."""
        self._rates.add(HOUR, _SHARED, home_of(ip).client, time.monotonic())

    def is_shared(self, ip: str) -> bool:
        """Whether many clients were seen to come from `ip` within the hour."""
        return self._rates.count(HOUR, _SHARED, home_of(ip).client, time.monotonic()) > 0

    def offended(self, ip: str, offence: str) -> Ban | None:
        """`ip` gave offence. The ban that this earns, once while it would last; it is not in force yet."""
        now, client = time.monotonic(), home_of(ip).client
        self._rates.add(HOUR, _OFFENCE, client, now)
        offences = self._rates.count(HOUR, _OFFENCE, client, now)
        if offences < self._settings.after or self._quiet.get(client, 0.0) > now:
            return None
        if self._rates.count(HOUR, _ACCEPTED, client, now) >= offences or self._rates.count(HOUR, _SHARED, client, now):
            return None
        if len(self._quiet) >= _MAX_QUIET:
            self._quiet.clear()
        self._quiet[client] = now + self._settings.duration
        since = time.time()
        reason = f"{int(offences)} offences within an hour, the last: {offence}"
        return Ban(network=client, reason=reason, since=since, until=since + self._settings.duration)

    def put_in_force(self, ban: Ban, told: Callable[[Ban], None]) -> None:
        """Writes the ban beside the loop; every worker, this one too, sees it at the next look. `told` hears of it
        unless an administrator's word stands against it."""
        if self._store is not None:
            task = asyncio.get_running_loop().create_task(self._write(self._store, ban, told))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, store: Bans, ban: Ban, told: Callable[[Ban], None]) -> None:
        try:
            added = await asyncio.to_thread(store.add, ban, max_bans=self._settings.max_bans)
            self._seen = -1  # our own writes do not show in `changed`
            await asyncio.to_thread(self.refresh)
        except StoreError as error:
            self._failed("writing a ban", error)
        else:
            if added:
                told(ban)

    async def close(self) -> None:
        """Writes what is under way and closes the file."""
        if self._writing:
            await asyncio.wait(set(self._writing))
        if self._store is not None:
            self._store.close()
