"""The MTA-STS policy that a domain has: from what is kept, or fetched anew.

In: a domain, the time. Out: `Sts`: the policy that holds, and what went wrong on the way to it.
Standard: RFC 8461 §3.1 (the record), §3.3 (fetching: verified, no redirect, 60 s, 64 KB, text/plain), §5.1 (when a kept
policy holds, when it is fetched again), §5 (a failure keeps what is known), §8.2 (removal).
Whoever can block the record or the web server takes away no policy that is known; only its own age does.
Not here: reading records and policies (`msgauth.sts`), what follows for a host (`demands`), keeping (`store.sts`).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gatepost.errors import StoreError
from gatepost.msgauth.sts import MAX_POLICY, StsPolicy, StsRecord, parse_sts_policy, parse_sts_record
from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.ports.pages import Pages
from gatepost.server.logs import Log
from gatepost.store.sts import KeptPolicy, StsStore

LOOKUP_SECONDS = 20.0
FETCH_SECONDS = 60.0  # RFC 8461 §3.3: "a reasonable timeout, suggested 60 s"
REFRESH = 86_400.0  # RFC 8461 §5.1 (note) asks for a look at least daily, so that an attack lasts no longer
FAILED_FOR = 300.0  # RFC 8461 §3.3: a fetch that failed is not tried again before
MAX_FETCHING = 20  # at the same time; further ones wait
MAX_KNOWN = 5000  # domains in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Sts:
    """`policy` holds now (None: the domain has none). `failure` is why there is none, or no newer one: a result type of
    RFC 8460 §4.3 and words."""

    policy: StsPolicy | None = None
    failure: str = ""


class StsPolicies:
    """One for the delivery process."""

    def __init__(self, resolver: Resolver, pages: Pages, store: StsStore, log: Log, clock: Callable[[], float]) -> None:
        self._resolver = resolver
        self._pages = pages
        self._store = store
        self._log = log
        self._clock = clock
        self._known: OrderedDict[str, KeptPolicy] = OrderedDict()
        self._busy: dict[str, asyncio.Task[KeptPolicy]] = {}
        self._slots = asyncio.Semaphore(MAX_FETCHING)

    async def find(self, domain: str) -> Sts:
        """What holds for `domain` (A-labels, lower case) now. Never raises."""
        kept = await self._kept(domain)
        answer = (await self._resolver.lookup_all((Question(f"_mta-sts.{domain}", "TXT"),), LOOKUP_SECONDS))[0]
        record = parse_sts_record(answer.texts) if answer.status is DnsStatus.OK else None
        failure = ""
        if isinstance(record, str):
            failure = f"sts-policy-invalid: {record}"
        elif record is not None and self._is_wanted(record, kept):
            kept = await self._renew(domain, record)
        now = self._clock()
        failure = failure or kept.failure
        if kept.body and now < kept.expires:
            policy = parse_sts_policy(kept.body)
            return Sts(policy=policy if isinstance(policy, StsPolicy) else None, failure=failure)
        return Sts(failure=failure if record is not None else "")

    def _is_wanted(self, record: StsRecord, kept: KeptPolicy) -> bool:
        now = self._clock()
        if kept.failed and 0 <= now - kept.failed < FAILED_FOR:
            return False
        return record.id != kept.id or now >= kept.expires or not 0 <= now - kept.fetched < REFRESH

    async def _kept(self, domain: str) -> KeptPolicy:
        known = self._known.get(domain)
        if known is None:
            try:
                known = await asyncio.to_thread(self._store.find, domain)
            except StoreError as error:
                self._log.error("sts-failed", doing="read", domain=domain, reason=error)
                known = KeptPolicy()
            self._remember(domain, known)
        return known

    def _remember(self, domain: str, kept: KeptPolicy) -> None:
        self._known[domain] = kept
        self._known.move_to_end(domain)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    async def _renew(self, domain: str, record: StsRecord) -> KeptPolicy:
        """Fetches, once for all who ask meanwhile."""
        task = self._busy.get(domain)
        if task is None:
            task = self._busy[domain] = asyncio.create_task(self._fetch(domain, record))
            task.add_done_callback(lambda _: self._busy.pop(domain, None))
        return await asyncio.shield(task)

    async def _fetch(self, domain: str, record: StsRecord) -> KeptPolicy:
        old = await self._kept(domain)
        if not self._is_wanted(record, old):
            return old
        async with self._slots:
            url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
            page = await self._pages.fetch(url, deadline=FETCH_SECONDS, max_octets=MAX_POLICY)
        now, failure, policy = self._clock(), "", None
        if not page.is_there:
            kind = "sts-webpki-invalid" if "certificate" in page.reason else "sts-policy-fetch-error"
            failure = f"{kind}: {url}: {page.reason or f'the server answers {page.status}'}"
        elif page.content_type != "text/plain":  # RFC 8461 §3.2
            failure = f"sts-policy-invalid: {url} is {page.content_type or 'of no type'} and not text/plain"
        elif isinstance(policy := parse_sts_policy(page.body), str):
            failure = f"sts-policy-invalid: {url}: {policy}"
        if failure or not isinstance(policy, StsPolicy):
            kept = dataclasses.replace(old, failed=now, failure=failure[:500])
        else:
            kept = KeptPolicy(id=record.id, body=page.body, fetched=now, expires=now + policy.max_age)
        self._say(domain, old, kept, policy if isinstance(policy, StsPolicy) else None)
        self._remember(domain, kept)
        try:
            await asyncio.to_thread(self._store.keep, domain, kept, now)
        except StoreError as error:
            self._log.error("sts-failed", doing="write", domain=domain, reason=error)
        return kept

    def _say(self, domain: str, old: KeptPolicy, kept: KeptPolicy, policy: StsPolicy | None) -> None:
        if policy is None:
            self._log.warning("sts-policy", domain=domain, failure=kept.failure, kept=bool(kept.body) or None)
        elif kept.body != old.body:
            self._log.info("sts-policy", domain=domain, mode=policy.mode.value, mx=",".join(policy.mx)[:300])
