"""Everything that is shown of a domain's reports, gathered once for text, HTML and JSON.

In: the store, a domain, the first day, a resolver for reverse names. Out: `Picture`.
Standard: RFC 9990, RFC 8460. Not here: how it looks (`cli.dmarc_show`, `dmarc_html`), what follows (`reports.advise`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gatepost.inspector.domains import organizational_guess
from gatepost.msgauth.iprev import check_iprev
from gatepost.ports import Resolver
from gatepost.ports.reported import PolicyPublished, ReportedDay, Reporter, Stream
from gatepost.reports.sources import Source, group_sources
from gatepost.store.reports import ReportStore
from gatepost.store.reports import questions as ask

MAX_NAMED = 60  # addresses whose reverse name is asked for, those with the most mail first
NAMES_WITHIN = 8.0  # seconds for all of them; what has no answer by then goes by its network
_AT_ONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is known of `domain` from day `since` on. `alignment` counts messages by what passed aligned, `dispositions`
    by what was done with them."""

    domain: str
    since: int
    days: tuple[ReportedDay, ...]
    sources: tuple[Source, ...]
    reporters: tuple[Reporter, ...]
    alignment: dict[str, int]
    dispositions: dict[str, int]
    policies: tuple[tuple[int, PolicyPublished], ...]
    failures: tuple[ask.ReportedFailure, ...]
    tls_days: tuple[ReportedDay, ...]
    tls_trouble: tuple[ask.TlsTrouble, ...]
    tls_reporters: tuple[Reporter, ...]

    @property
    def passed(self) -> int:
        """Messages that passed."""
        return sum(day.passed for day in self.days)

    @property
    def failed(self) -> int:
        """Messages that failed."""
        return sum(day.failed for day in self.days)

    def as_json(self) -> dict[str, Any]:
        """The object that `gatepost dmarc show DOMAIN --json` prints."""
        return {
            "domain": self.domain,
            "since": self.since * 86400,
            "passed": self.passed,
            "failed": self.failed,
            "alignment": self.alignment,
            "dispositions": self.dispositions,
            "days": [asdict(day) for day in self.days],
            "sources": [asdict(source) for source in self.sources],
            "reporters": [asdict(reporter) for reporter in self.reporters],
            "policies": [{"seen": seen, **asdict(policy)} for seen, policy in self.policies],
            "failures": [asdict(failure) for failure in self.failures],
            "tls": {
                "days": [asdict(day) for day in self.tls_days],
                "trouble": [asdict(trouble) for trouble in self.tls_trouble],
                "reporters": [asdict(reporter) for reporter in self.tls_reporters],
            },
        }


async def draw(
    store: ReportStore, domain: str, since: int, resolver: Resolver | None, known: Collection[str] = ()
) -> Picture:
    """The picture; without a resolver no reverse names are asked for. Raises StoreError."""
    streams = ask.streams(store, domain, since)
    names = await reverse_names(streams, resolver) if resolver is not None else {}
    sources = group_sources(streams, domain, organization=organizational_guess, names=names, known=known)
    return Picture(
        domain=domain,
        since=since,
        days=tuple(ask.days(store, domain, since)),
        sources=tuple(sources),
        reporters=tuple(ask.reporters(store, domain, since)),
        alignment=_alignment(streams),
        dispositions=_dispositions(streams),
        policies=tuple(ask.policies(store, domain, since)),
        failures=tuple(ask.failures(store, domain, since)),
        tls_days=tuple(ask.tls_days(store, domain, since)),
        tls_trouble=tuple(ask.tls_trouble(store, domain, since)),
        tls_reporters=tuple(ask.reporters(store, domain, since, "tls")),
    )


async def reverse_names(streams: Sequence[Stream], resolver: Resolver) -> dict[str, str]:
    """Confirmed reverse names of the addresses with the most mail (RFC 8601 §2.7.3, iprev)."""
    counts: Counter[str] = Counter()
    for stream in streams:
        if stream.source_ip:
            counts[stream.source_ip] += stream.count
    found: dict[str, str] = {}
    turn = asyncio.Semaphore(_AT_ONCE)

    async def name(address: str) -> None:
        async with turn:
            result = await check_iprev(address, resolver)
            if result.name:
                found[address] = result.name

    tasks = [asyncio.create_task(name(address)) for address, _ in counts.most_common(MAX_NAMED)]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=NAMES_WITHIN)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return dict(found)


def _alignment(streams: Sequence[Stream]) -> dict[str, int]:
    counts = {"both": 0, "dkim": 0, "spf": 0, "neither": 0}
    for stream in streams:
        dkim, spf = stream.dkim == "pass", stream.spf == "pass"
        counts["both" if dkim and spf else "dkim" if dkim else "spf" if spf else "neither"] += stream.count
    return counts


def _dispositions(streams: Sequence[Stream]) -> dict[str, int]:
    """RFC 9990 tells "pass" from "none"; the older form had "none" for both."""
    counts = {"none": 0, "quarantine": 0, "reject": 0}
    for stream in streams:
        word = stream.disposition if stream.disposition in counts else "none"
        counts[word] += stream.count
    return counts
