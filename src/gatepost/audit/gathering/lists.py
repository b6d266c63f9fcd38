"""What DNS lists say of the domain and of its servers' addresses.

In: a domain, hosts, `Lists`. Out: `ListFacts`. Only lists that the administrator named are asked.
Standard: RFC 5782. Not here: which lists there are and whether they are believed (`reputation`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.audit.facts import Host, ListFacts
from gatepost.reputation import Listing, Lists, Subject, SubjectKind
from gatepost.reputation.check import Listings, check_lists
from gatepost.reputation.dnslist import ListKind

_AT_ONCE = 20  # subjects in one batch of questions


async def gather_lists(domain: str, hosts: Sequence[Host], lists: Lists, now: float, wait: float) -> ListFacts:
    """All addresses and the domain, on every list that takes such things and that passes its own test."""
    await lists.probe(now)
    blocking = [one for one in lists.asked if one.kind is not ListKind.ALLOW]
    addresses = dict.fromkeys(address for host in hosts for address in host.addresses)
    subjects = [
        Subject(kind=SubjectKind.HOST, value=domain, where="domain"),
        *(Subject(kind=SubjectKind.IP, value=address, where="mail exchanger") for address in addresses),
    ]
    found: list[Listing] = []
    trouble: dict[str, str] = {}
    asked = 0
    for start in range(0, len(subjects), _AT_ONCE):
        batch = subjects[start : start + _AT_ONCE]
        answered = await check_lists(batch, blocking, lists.resolver, health=lists.health, now=now, deadline=wait)
        found += answered.listed
        trouble |= dict(answered.trouble)
        asked += answered.asked
    listings = Listings(listed=tuple(found), trouble=tuple(trouble.items()), asked=asked)
    return ListFacts(listings=listings, names=tuple(one.name for one in blocking))
