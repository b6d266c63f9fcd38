"""All checks, in the order in which their findings are told. A file a subject; each check is a small function.

In: nothing. Out: `CHECKS`. Not here: how they are run (`check.run_checks`).
"""

from __future__ import annotations

from gatepost.audit.check import Area, Check
from gatepost.audit.checks import (
    access,
    certificates,
    dane,
    dkim,
    dmarc,
    lists,
    ports,
    reverse,
    servers,
    spf,
    sts,
    tls,
    unfinished,
    zone,
)
from gatepost.audit.facts import Facts

CHECKS: tuple[Check, ...] = tuple(
    one
    for module in (
        *(unfinished, servers, reverse, ports, spf, dkim, dmarc, tls, certificates, sts, dane, access, lists, zone),
    )
    for one in module.CHECKS
)


def checks_for(facts: Facts) -> tuple[Check, ...]:
    """Those that have something to say: of a name that does not exist, only that."""
    missing = facts.zone is not None and not facts.zone.exists
    return (*unfinished.CHECKS, *servers.CHECKS) if missing else CHECKS


def looked_at(facts: Facts) -> tuple[Area, ...]:
    """The areas about which anything is known."""
    if facts.zone is not None and not facts.zone.exists:
        return (Area.SERVERS,)
    known = {
        Area.SERVERS: facts.zone is not None,
        Area.SPF: facts.spf is not None,
        Area.DKIM: facts.dkim is not None,
        Area.DMARC: facts.dmarc is not None,
        Area.TRANSPORT: bool(facts.hosts) and (facts.services is not None or facts.sts is not None),
        Area.ACCESS: any(one.reached and one.target.port != 25 for one in facts.services or ()),
        Area.LISTS: facts.lists is not None,
        Area.ZONE: facts.zone is not None,
    }
    return tuple(area for area, is_known in known.items() if is_known)
