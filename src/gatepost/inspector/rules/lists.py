"""Rules on what lists say: the world's, which never decide alone, and the house's own, which may.

In: `Facts` with `standing`. Out: `Seen`. Standard: RFC 5782; the group "lists" stays below every threshold (`policy`).
A list in mode "watch" weighs nothing and has a rule of its own, so that no weight of the settings can make it count.
Not here: asking (`reputation`), who is asked about (`standing`), what a block forces (`enforcement`).
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Rule, Seen, rule
from gatepost.inspector.standing import UNKNOWN, LocalMatch, counted, gravest_block
from gatepost.reputation.check import Listing
from gatepost.reputation.dnslist import ListKind
from gatepost.reputation.questions import SubjectKind

COUNTED_CODES = frozenset({"list.ip", "list.domain", "list.uri", "list.email", "list.hash", "list.allow"})
MAX_SHOWN = 20  # listings told in one finding
MOST = 4.0  # that one finding of lists adds, whatever many lists say
_REFERENCE = "RFC 5782"
_REMEDY = (
    "If it is an honest sender, he has to ask the list's operator for removal; `gatepost lists report` shows the harm."
)


def _known(facts: Facts) -> bool:
    return facts.standing is not None and facts.standing is not UNKNOWN


def listings_for(facts: Facts, code: str) -> tuple[Listing, ...]:
    """What counts for the rule `code`."""
    standing = facts.standing
    return tuple(one for one in standing.listings.listed if one.counts and code_of(one) == code) if standing else ()


def code_of(listing: Listing) -> str:
    """The code of the finding that a listing leads to, when it counts."""
    if listing.one.kind is ListKind.ALLOW:
        return "list.allow"
    return _CODES[listing.subject.kind]


_CODES = {
    SubjectKind.IP: "list.ip",
    SubjectKind.DOMAIN: "list.domain",
    SubjectKind.HOST: "list.uri",
    SubjectKind.EMAIL: "list.email",
    SubjectKind.HASH: "list.hash",
}


def _seen(listings: tuple[Listing, ...]) -> Seen | None:
    """One finding for all listings of a kind: the heaviest of each list is added up."""
    if not listings:
        return None
    heaviest: dict[str, float] = {}
    for one in listings:
        heaviest[one.one.name] = max(one.weight, heaviest.get(one.one.name, one.weight))
    weight = round(max(-MOST, min(MOST, sum(heaviest.values()))), 2)
    severity = Severity.WARNING if weight >= 3 else Severity.NOTICE if weight > 0.5 else Severity.INFO
    return Seen(evidence=_evidence(listings), weight=weight, severity=severity)


def _evidence(listings: Iterable[Listing]) -> dict[str, object]:
    shown = tuple(listings)[:MAX_SHOWN]
    return {
        "what": ", ".join(dict.fromkeys(one.subject.value[:100] for one in shown[:3])),
        "lists": ", ".join(dict.fromkeys(one.one.name for one in shown)),
        "says": "; ".join(dict.fromkeys(one.says for one in shown))[:300],
        "listings": [one.as_json() for one in shown],
    }


def _list_rule(code: str, weight: float, summary: str, why: str, severity: Severity = Severity.WARNING) -> Rule:
    @rule(
        code=code,
        severity=severity,
        weight=weight,
        group="lists",
        summary=summary,
        why=why,
        remedy=_REMEDY,
        reference=_REFERENCE,
        when=_known,
    )
    def found(facts: Facts) -> Seen | None:
        return _seen(listings_for(facts, code))

    return found


list_ip = _list_rule(
    "list.ip",
    3.0,
    "The sending address {what} is on the list {lists}: {says}.",
    "Lists of addresses know senders of spam and infected computers; an honest server may share such an address.",
)
list_domain = _list_rule(
    "list.domain",
    3.0,
    "A name the sender uses, {what}, is on the list {lists}: {says}.",
    "Lists of domains know names that were bought for fraud, and honest ones that were taken over.",
)
list_uri = _list_rule(
    "list.uri",
    3.0,
    "A link leads to {what}, which is on the list {lists}: {says}.",
    "What fraud and spam want is a visit; the places they lead to are listed within minutes.",
)
list_email = _list_rule(
    "list.email",
    3.0,
    "The address {what} is on the list {lists}: {says}.",
    "Fraudsters use the mailboxes of large providers, whose servers and domains are on no list.",
)
list_hash = _list_rule(
    "list.hash",
    4.0,
    "An attachment is on the list {lists}: {says}.",
    "The same harmful file goes to thousands; who has seen it once knows it again.",
)


@rule(
    code="list.allow",
    severity=Severity.INFO,
    weight=-1.0,
    group="lists",
    summary="The sending address {what} is on the list of good senders {lists}: {says}.",
    why="Known mail servers rarely send spam. It counts only where the author's domain is proven too.",
    reference=_REFERENCE,
    when=_known,
)
def list_allow(facts: Facts) -> Seen | None:
    good = listings_for(facts, "list.allow") if facts.aligned_pass else ()
    if not good:
        return None
    return Seen(evidence=_evidence(good), weight=max(-MOST, round(sum(one.weight for one in good), 2)))


@rule(
    code="list.watched",
    severity=Severity.INFO,
    group="lists",
    summary="Lists that are only watched ({lists}) name {what}: {says}. It is not counted.",
    why="A list in mode watch shows what it would do before it may do anything.",
    remedy="`gatepost lists report` shows what it would have stopped, and which of that were false alarms.",
    reference=_REFERENCE,
    when=_known,
)
def list_watched(facts: Facts) -> Seen | None:
    standing = facts.standing
    watched = [one for one in standing.listings.listed if not one.counts] if standing else []
    return Seen(evidence=_evidence(watched), weight=0.0) if watched else None


@rule(
    code="list.sick",
    severity=Severity.INFO,
    group="lists",
    summary="Not all lists could be asked or believed: {lists} ({reasons}).",
    why="A list that does not answer, or answers what no list would, says nothing about the message.",
    remedy="`gatepost lists list` tells how each list is. Ask through a resolver of your own, not a public one.",
    reference="RFC 5782 §5",
    when=_known,
)
def list_sick(facts: Facts) -> Seen | None:
    trouble = facts.standing.listings.trouble if facts.standing else ()
    if not trouble:
        return None
    reasons = "; ".join(dict.fromkeys(reason for _, reason in trouble))[:300]
    evidence = {"lists": ", ".join(name for name, _ in trouble), "reasons": reasons, "trouble": dict(trouble)}
    return Seen(evidence=evidence, weight=0.0)


@rule(
    code="list.local-block",
    severity=Severity.DANGER,
    weight=4.0,
    group="lists",
    summary="{value} is blocked here: {comment}.",
    why="The administrator has blocked this address, network, domain, sender or link; that word decides.",
    remedy="`gatepost lists show` lists the entries, `gatepost lists remove` takes one back.",
    reference="practice: local lists",
    when=_known,
)
def local_block(facts: Facts) -> Seen | None:
    found = gravest_block(facts.standing.blocks) if facts.standing else None
    return Seen(evidence=_entry(found)) if found is not None else None


@rule(
    code="list.local-allow",
    severity=Severity.INFO,
    weight=-4.0,
    group="lists",
    summary="{value} is allowed here, and the sender is proven: {comment}.",
    why="The administrator trusts this sender; it counts only where the author's domain is proven by an aligned pass.",
    remedy="`gatepost lists show` lists the entries, `gatepost lists remove` takes one back.",
    reference="practice: local lists",
    when=_known,
)
def local_allow(facts: Facts) -> Seen | None:
    standing = facts.standing
    matches = counted(standing.allows, proven=facts.aligned_pass) if standing else ()
    return Seen(evidence=_entry(matches[0])) if matches else None


@rule(
    code="list.local-allow-unproven",
    severity=Severity.INFO,
    group="lists",
    summary="{value} is allowed here, but nothing proves that the message is from there. It is not counted.",
    why="Anybody can write any address into From; trust in an address must not be for everybody who writes it.",
    remedy="The sender's domain needs SPF or DKIM that fits the address in From.",
    reference="practice: local lists",
    when=_known,
)
def local_allow_unproven(facts: Facts) -> Seen | None:
    standing = facts.standing
    matches = counted(standing.allows, proven=True) if standing and not facts.aligned_pass else ()
    return Seen(evidence=_entry(matches[0]), weight=0.0) if matches else None


def _entry(match: LocalMatch) -> dict[str, object]:
    entry = match.entry
    return {
        "value": entry.value[:200],
        "kind": entry.kind.value,
        "found": match.value[:200],
        "where": match.where,
        "action": entry.action if entry.verdict.value == "block" else None,
        "comment": entry.comment or "no reason was noted",
    }
