"""Where the gate itself is listed: its addresses and domains, looked up every hour.

In: the settings, `Lists`, the store. Out: what is new and what is gone, in store and log. Standard: RFC 5782.
Not here: when (`server.lists`), what lists say of others (`reputation`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.reputation import Listing, Lists, Subject, SubjectKind
from gatepost.reputation.check import check_lists
from gatepost.reputation.dnslist import ListKind
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.store.lists import ListStore, OwnListing

_AT_ONCE = 20  # names of ours in one batch of questions


async def own_round(settings: GateSettings, lists: Lists, store: ListStore, log: Log, now: float) -> bool:
    """One round over our own names; False when no list could be asked."""
    subjects = await own_subjects(settings, lists.resolver)
    well = [one for one in lists.asked if one.kind is not ListKind.ALLOW and lists.health.is_well(one.name)]
    found, silent = await ask_own(lists, subjects, now)
    listings = [
        OwnListing(name=one.one.name, subject=one.subject.value, says=one.says, since=now)
        for one in {(one.one.name, one.subject.value): one for one in found}.values()
    ]
    asked = [one.name for one in well if one.name not in silent]
    new, gone = await asyncio.to_thread(store.keep_own, listings, asked)
    for one in new:
        log.warning("own-listed", list=one.name, subject=one.subject, says=one.says, do="gatepost lists list")
    for one in gone:
        log.info("own-delisted", list=one.name, subject=one.subject)
    return bool(asked)


async def own_subjects(settings: GateSettings, resolver: Resolver) -> list[Subject]:
    """Our addresses and domains. The addresses of `hostname` are asked for where none are named."""
    addresses: Iterable[str] = settings.lists.own_addresses
    if not addresses:
        questions = [Question(settings.hostname, "A"), Question(settings.hostname, "AAAA")]
        answers = await resolver.lookup_all(questions, settings.lists.deadline)
        addresses = [name for answer in answers if answer.status is DnsStatus.OK for name in answer.names]
    names = (*settings.domains, settings.hostname)  # below a domain of ours the domain is what is told
    return [
        *(Subject(kind=SubjectKind.IP, value=str(ip_address(ip)), where="own") for ip in addresses),
        *(Subject(kind=SubjectKind.HOST, value=name, where="own") for name in dict.fromkeys(names)),
    ]


async def ask_own(lists: Lists, subjects: Sequence[Subject], now: float) -> tuple[list[Listing], frozenset[str]]:
    """Where we are listed, and which lists did not answer everything."""
    blocking = [one for one in lists.asked if one.kind is not ListKind.ALLOW]
    found: list[Listing] = []
    silent: set[str] = set()
    for start in range(0, len(subjects), _AT_ONCE):
        batch = subjects[start : start + _AT_ONCE]
        answered = await check_lists(
            batch, blocking, lists.resolver, health=lists.health, now=now, deadline=lists.settings.deadline
        )
        found.extend(answered.listed)
        silent.update(name for name, _ in answered.trouble)
    return found, frozenset(silent)
