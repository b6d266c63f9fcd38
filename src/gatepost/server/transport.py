"""What the delivery process needs to know what TLS destinations demand, and to tell them how it went.

In: settings, a resolver, the log. Out: `Transport`: the `Protection` of delivery, tasks beside it. Raises ConfigError
for a [tlsrpt] that cannot work. Standard: RFC 7672, RFC 8461, RFC 8460.
Not here: the demands (`delivery.demands`), policies (`delivery.sts`), counting and sending (`tlsrpt`).
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from gatepost.errors import ConfigError, InputError, StoreDamaged, StoreError
from gatepost.names import domain_of
from gatepost.net.pages import PageFetcher
from gatepost.ports import Resolver
from gatepost.server.delivery.dane import Dane, find_dane
from gatepost.server.delivery.demands import Demands
from gatepost.server.delivery.protection import MxHost
from gatepost.server.delivery.sts import StsPolicies
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.server.signing.signer import Signer
from gatepost.server.tlsrpt.sending import Means, send_reports
from gatepost.server.tlsrpt.tally import Tally
from gatepost.store.spool.shard import SpoolShard
from gatepost.store.sts import StsStore
from gatepost.store.tlsrpt import TlsReports

REPORT_SHARD = 250  # the shard of mailed reports: delivery's own are 251 to 255, reception counts from 0
_ADDRESS = re.compile(r"[A-Za-z0-9!#$&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{3,253}", re.ASCII)


class Transport:
    """One for the delivery process. `pages` fetches policies and posts reports; tests pass another."""

    def __init__(
        self,
        settings: GateSettings,
        resolver: Resolver,
        signer: Signer,
        log: Log,
        *,
        pages: PageFetcher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._resolver, self._signer, self._log = settings, resolver, signer, log
        self._pages = pages or PageFetcher(resolver)
        self._clock = clock
        folder = Path(settings.store.folder)
        self._policies = _open_policies(folder, log)
        self._reports, self._shard = self._open_reports(folder) if settings.tlsrpt.send else (None, None)
        self._tally = Tally(self._reports, log, clock) if self._reports else None
        delivery = settings.delivery
        sts = StsPolicies(resolver, self._pages, self._policies, log, clock)
        self.demands = Demands(
            delivery,
            find_dane=self._find_dane if delivery.dane else None,
            find_sts=sts.find if delivery.mta_sts else None,
            count=self._tally.count if self._tally else lambda seen: None,
        )

    def _open_reports(self, folder: Path) -> tuple[TlsReports | None, SpoolShard | None]:
        """Both or none: mail does not wait for reports."""
        try:
            shard = SpoolShard.open(folder / "spool", REPORT_SHARD, self._settings.store.spool)
            return TlsReports.open(folder), shard
        except StoreError as error:
            self._log.error("tlsrpt-failed", doing="open", reason=error)
            return None, None

    def _sign(self, raw: bytes, domain: str, now: float) -> bytes:
        """RFC 8460 §3: a report by mail must be signed; one that is not would be thrown away."""
        signed = self._signer.sign(raw, domain, now)
        if not signed.by:
            raise InputError("tlsrpt.sender", domain, f"has no key that signs; `gatepost records rotate {domain}`")
        return signed.raw

    async def _find_dane(self, host: MxHost) -> Dane:
        return await find_dane(host, self._resolver, self._settings.delivery.mx_port)

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled."""
        if self._reports is None or self._shard is None or self._tally is None:
            return []
        means = Means(
            settings=self._settings.tlsrpt,
            store=self._reports,
            resolver=self._resolver,
            post=self._pages.post,
            sign=self._sign,
            add=self._shard.add_many,
            next_id=self._shard.next_id,
            own=frozenset(self._settings.domains),
            log=self._log,
            rng=random.Random(),  # noqa: S311 - spreads reports over the day
            address=next(iter((*self._settings.delivery.own_addresses, *self._settings.lists.own_addresses)), ""),
        )
        return [self._tally.run(), send_reports(means, self._clock)]

    def close(self) -> None:
        """Closes the stores."""
        self._policies.close()
        if self._reports is not None and self._shard is not None:
            self._reports.close()
            self._shard.close()


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancels `tasks` and waits until they have put away what they hold."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _open_policies(folder: Path, log: Log) -> StsStore:
    """The kept policies. A damaged file is put aside: they can be fetched again, and mail must not wait for it."""
    try:
        return StsStore.open(folder)
    except StoreError as error:
        damaged = isinstance(error, StoreDamaged)
        log.error("sts-failed", doing="open", reason=error, kept="sts.db.damaged" if damaged else None)
    try:
        for suffix in ("", "-wal", "-shm") if damaged else ():
            path = folder / f"sts.db{suffix}"
            if path.exists():
                path.replace(folder / f"sts.db.damaged{suffix}")
        return StsStore.open(folder)
    except (StoreError, OSError):
        return StsStore.in_memory()


def check_transport(settings: GateSettings) -> None:
    """Raises ConfigError for reports that nobody could trust or send."""
    tlsrpt = settings.tlsrpt
    if not tlsrpt.send:
        return
    if not _ADDRESS.fullmatch(tlsrpt.sender):
        raise ConfigError("tlsrpt.sender", tlsrpt.sender, "reports need an address they come from, as tls@example.org")
    if domain_of(tlsrpt.sender) not in settings.domains:
        remedy = "must be in a domain of this gate, which signs the reports"
        raise ConfigError("tlsrpt.sender", tlsrpt.sender, remedy)


def describe_transport(settings: GateSettings) -> str:
    """For `serve --check`: what is obeyed, and whether it can be."""
    delivery, words = settings.delivery, []
    if not delivery.dane:
        words.append("DANE off")
    elif not settings.dns.authentic_from:
        words.append("DANE WITHOUT EFFECT: no resolver is trusted to validate DNSSEC (dns.authentic_from)")
    else:
        words.append("DANE")
    words.append("MTA-STS" if delivery.mta_sts else "MTA-STS off")
    words.append(f"TLS reports from {settings.tlsrpt.sender}" if settings.tlsrpt.send else "no TLS reports are sent")
    return "; ".join(words)
