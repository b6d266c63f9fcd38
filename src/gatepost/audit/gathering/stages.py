"""The stages of an audit: which piece of the facts each gathers, and which pieces it waits for.

In: `Given`, ports. Out: pieces of `Facts`, by name. Independent stages may run at the same time.
Not here: running them (`gatepost.api_audit`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatepost.audit.facts import HeldKey, Host, MoreRecords, ZoneFacts
from gatepost.audit.gathering.dkim import gather_dkim
from gatepost.audit.gathering.dmarc import gather_dmarc
from gatepost.audit.gathering.lists import gather_lists
from gatepost.audit.gathering.lookalikes import gather_lookalikes
from gatepost.audit.gathering.records import gather_more, gather_quick, gather_sts
from gatepost.audit.gathering.services import gather_services
from gatepost.audit.gathering.spf import gather_spf
from gatepost.audit.gathering.zone import gather_hosts, gather_zone
from gatepost.audit.settings import AuditSettings
from gatepost.ports import Pages, Prober, Question, Resolver
from gatepost.reputation import Lists

MAX_HOST_SPF = 5  # mail exchangers whose own SPF policy is looked at
LEFT_FOR_REST = 0.85  # of the deadline: the ports' share, so that what was seen there is not cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What every stage gets: the domain in A-labels, the time, the ports (None: not asked), the keys we hold."""

    domain: str
    now: float
    settings: AuditSettings
    resolver: Resolver
    prober: Prober | None = None
    pages: Pages | None = None
    lists: Lists | None = None
    held: Sequence[HeldKey] = field(default_factory=tuple)

    @property
    def wait(self) -> float:
        """Seconds for one round of questions."""
        return min(self.settings.dns_wait, self.settings.deadline)


Pieces = Mapping[str, Any]
Gather = Callable[[Given, Pieces], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`name` is what is told when it did not finish; `gives` are the pieces it makes, `needs` those it waits for."""

    name: str
    gather: Gather
    needs: tuple[str, ...] = ()
    wanted: Callable[[Given], bool] = lambda given: True


def _is_full(given: Given) -> bool:
    return given.settings.depth == "full"


async def _zone(given: Given, _: Pieces) -> dict[str, Any]:
    return {"zone": await gather_zone(given.domain, given.resolver, given.wait, full=_is_full(given))}


async def _hosts(given: Given, pieces: Pieces) -> dict[str, Any]:
    zone: ZoneFacts = pieces["zone"]
    hosts, left_out = await gather_hosts(given.domain, zone, given.resolver, given.wait, full=_is_full(given))
    return {"hosts": hosts, "left_out": left_out}


async def _spf(given: Given, pieces: Pieces) -> dict[str, Any]:
    zone: ZoneFacts = pieces["zone"]
    return {"spf": await gather_spf(given.domain, given.resolver, given.wait, zone.txt)}


async def _host_spf(given: Given, pieces: Pieces) -> dict[str, Any]:
    hosts: tuple[Host, ...] = pieces["hosts"]
    names = [host.name for host in hosts[:MAX_HOST_SPF] if not host.implicit]
    answers = await given.resolver.lookup_all([Question(name, "TXT") for name in names], given.wait) if names else ()
    found = {}
    for name, answer in zip(names, answers, strict=True):
        found[name] = await gather_spf(name, given.resolver, given.wait, answer)
    return {"host_spf": found}


async def _dkim(given: Given, _: Pieces) -> dict[str, Any]:
    chosen = given.settings
    return {
        "dkim": await gather_dkim(
            given.domain,
            chosen.selectors,
            given.held,
            given.resolver,
            given.wait,
            common=chosen.common_selectors and _is_full(given),
        )
    }


async def _dmarc(given: Given, _: Pieces) -> dict[str, Any]:
    return {"dmarc": await gather_dmarc(given.domain, given.resolver, given.wait)}


async def _quick(given: Given, _: Pieces) -> dict[str, Any]:
    sts, more = await gather_quick(given.domain, given.resolver, given.wait)
    return {"sts": sts, "more": more}


async def _sts(given: Given, _: Pieces) -> dict[str, Any]:
    return {"sts": await gather_sts(given.domain, given.resolver, given.pages, given.wait)}


async def _more(given: Given, _: Pieces) -> dict[str, Any]:
    return {"more": await gather_more(given.domain, given.resolver, given.pages, given.wait)}


async def _lookalikes(given: Given, _: Pieces) -> dict[str, Any]:
    limit = given.settings.lookalikes
    return {"lookalikes": await gather_lookalikes(given.domain, limit, given.resolver, given.wait)}


async def _lists(given: Given, pieces: Pieces) -> dict[str, Any]:
    if given.lists is None:
        return {}
    hosts: tuple[Host, ...] = pieces["hosts"]
    return {"lists": await gather_lists(given.domain, hosts, given.lists, given.now, given.wait)}


async def _services(given: Given, pieces: Pieces) -> dict[str, Any]:
    if given.prober is None:
        return {}
    hosts: tuple[Host, ...] = pieces["hosts"]
    more: MoreRecords | None = pieces.get("more")
    deadline = given.settings.deadline * LEFT_FOR_REST
    services = await gather_services(given.domain, hosts, more, given.resolver, given.prober, given.settings, deadline)
    return {"services": services}


STAGES: tuple[Stage, ...] = (
    Stage(name="zone", gather=_zone),
    Stage(name="dmarc", gather=_dmarc),
    Stage(name="dkim", gather=_dkim, wanted=lambda given: _is_full(given) or bool(given.held)),
    Stage(name="sts", gather=_sts, wanted=_is_full),
    Stage(name="more", gather=_more, wanted=_is_full),
    Stage(name="quick", gather=_quick, wanted=lambda given: not _is_full(given)),
    Stage(
        name="lookalikes", gather=_lookalikes, wanted=lambda given: _is_full(given) and given.settings.lookalikes > 0
    ),
    Stage(name="hosts", gather=_hosts, needs=("zone",)),
    Stage(name="spf", gather=_spf, needs=("zone",)),
    Stage(name="host_spf", gather=_host_spf, needs=("hosts",), wanted=_is_full),
    Stage(name="lists", gather=_lists, needs=("hosts",), wanted=lambda given: given.lists is not None),
    Stage(
        name="services",
        gather=_services,
        needs=("hosts", "more"),
        wanted=lambda given: given.prober is not None and given.settings.ports,
    ),
)
