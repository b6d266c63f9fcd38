"""Block lists: is the domain, or an address of its servers, on one?

In: `Facts.lists`. Standard: RFC 5782. Not here: which lists are believed (`reputation`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts
from gatepost.finding import Severity


@check(
    code="lists.listed",
    area=Area.LISTS,
    severity=Severity.DANGER,
    summary="{subject} is on the block list {list}: {says}",
    why="Servers that use the list refuse or distrust mail from there.",
    remedy="Find out what was sent (`gatepost log`, the list's own page for {subject}), stop it, then ask the list "
    "to take "
    "the entry out. An entry that is asked away before the cause is gone comes back.",
    reference="RFC 5782; practice 8",
)
def listed(facts: Facts) -> Iterator[Seen]:
    for one in facts.lists.listings.listed if facts.lists is not None else ():
        grave = Severity.DANGER if one.counts else Severity.NOTICE
        yield Seen(evidence={**one.as_json(), "list": one.one.name}, severity=grave)


@check(
    code="lists.trouble",
    area=Area.LISTS,
    severity=Severity.INFO,
    summary="The list {list} was not asked, or not believed: {reason}",
    why="Nothing is known of this list; it says neither good nor bad of the domain.",
    remedy="If the reason is the resolver, ask through one of your own; lists refuse the large public ones.",
    reference="RFC 5782 §5",
)
def trouble(facts: Facts) -> Iterator[Seen]:
    for name, reason in facts.lists.listings.trouble if facts.lists is not None else ():
        yield Seen(evidence={"list": name, "reason": reason})


@check(
    code="lists.clean",
    area=Area.LISTS,
    severity=Severity.PASS,
    summary="On none of the lists that were asked: {lists}",
    why="Says whose word this is.",
    reference="RFC 5782",
)
def clean(facts: Facts) -> Seen | None:
    if facts.lists is None or facts.lists.listings.listed:
        return None
    sick = {name for name, _ in facts.lists.listings.trouble}
    asked = [name for name in facts.lists.names if name not in sick]
    return Seen(evidence={"lists": asked}) if asked and facts.lists.listings.asked else None


CHECKS = (listed, trouble, clean)
