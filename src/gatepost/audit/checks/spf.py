"""SPF: the domain's policy and the whole tree below it.

In: `Facts.spf`. Standard: RFC 7208. Not here: walking the tree (`gathering.spf`), advice on flattening (`flatten`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.checks.flatten import costs, flattened
from gatepost.audit.facts import Facts, SpfNode, SpfTerm
from gatepost.finding import Severity
from gatepost.msgauth.spf.record import MechanismKind, SpfRecord
from gatepost.msgauth.spf.result import SpfResultWord
from gatepost.ports import DnsStatus

MAX_LOOKUPS = 10  # RFC 7208 §4.6.4
MAX_VOIDS = 2
MAX_STRING = 255  # octets of one character-string
LONG = 450  # octets: RFC 7208 §3.4 wants the answer to fit into 512
WIDE = {4: 16, 6: 32}  # prefix lengths below which a network is suspiciously large


def walk(node: SpfNode, path: tuple[str, ...] = ()) -> Iterator[tuple[SpfNode, tuple[str, ...]]]:
    """Every policy of the tree, each with the names that lead to it."""
    here = (*path, node.domain)
    yield node, here
    for term in node.terms:
        if term.node is not None:
            yield from walk(term.node, here)


def terms(node: SpfNode) -> Iterator[tuple[SpfTerm, tuple[str, ...]]]:
    """Every term that asks DNS, with the names that lead to it."""
    for policy, path in walk(node):
        for term in policy.terms:
            yield term, path


@check(
    code="spf.missing",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="{domain} publishes no SPF record",
    why="Anybody can send as this domain, and large receivers refuse or distrust mail without SPF.",
    remedy="Publish `{record}`; name every other server that sends for you before the end.",
    reference="RFC 7208 §3; practice 3",
)
def missing(facts: Facts) -> Seen | None:
    if facts.spf is None or facts.spf.texts or facts.spf.status not in (DnsStatus.OK, DnsStatus.NODATA):
        return None
    terms = "mx -all" if facts.hosts else "-all"
    return Seen(evidence={"domain": facts.domain, "record": f'{facts.domain}. IN TXT "v=spf1 {terms}"'})


@check(
    code="spf.several",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="{domain} publishes {count} SPF records, and only one is allowed",
    why="With two records SPF fails for everybody (permerror): it is as if there were none, or worse.",
    remedy="Join them: one `v=spf1` record with the terms of all, and a single `all` at the end. They are: {records}",
    reference="RFC 7208 §4.5",
)
def several(facts: Facts) -> Seen | None:
    found = facts.spf.texts if facts.spf is not None else ()
    return (
        Seen(evidence={"domain": facts.domain, "count": len(found), "records": list(found)}) if len(found) > 1 else None
    )


@check(
    code="spf.syntax",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="The SPF record of {domain} cannot be read: {error}",
    why="A record with one mistake is an error as a whole: no sender passes.",
    remedy="Mend the term that is named and publish the record again: {record}",
    reference="RFC 7208 §4.6",
)
def syntax(facts: Facts) -> Iterator[Seen]:
    for node, path in walk(facts.spf) if facts.spf is not None else ():
        if node.record is not None and node.record.error:
            record = node.texts[0][:500]
            evidence = {"domain": node.domain, "error": node.record.error, "record": record, "path": list(path)}
            yield Seen(evidence=evidence)


@check(
    code="spf.broken-include",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="{path_shown} leads to nothing: {problem}",
    why="An include or redirect to a name without a policy makes the whole check an error. Worse, whoever registers a "
    "lapsed name decides who may send as you.",
    remedy="Remove `{term}` from the record of {at}, or ask its provider for the name that is right today.",
    reference="RFC 7208 §5.2, §6.1",
)
def broken_include(facts: Facts) -> Iterator[Seen]:
    for term, path in terms(facts.spf) if facts.spf is not None else ():
        node = term.node
        if node is None or not node.problem or node.status is DnsStatus.TEMPFAIL:
            continue
        if node.record is not None and node.record.error:
            continue  # spf.syntax
        evidence = {
            "term": term.text,
            "at": path[-1],
            "problem": node.problem,
            "path": [*path, node.domain],
            "path_shown": " → ".join((*path, term.text)),
        }
        yield Seen(evidence=evidence)


@check(
    code="spf.unanswered",
    area=Area.SPF,
    severity=Severity.WARNING,
    summary="A part of the SPF policy cannot be looked up: {problem}",
    why="While DNS does not answer, receivers put the mail off (temperror).",
    remedy="Ask who runs {name} to mend its name servers.",
    reference="RFC 7208 §2.6.6",
)
def unanswered(facts: Facts) -> Iterator[Seen]:
    for node, path in walk(facts.spf) if facts.spf is not None else ():
        if node.status is DnsStatus.TEMPFAIL:
            yield Seen(evidence={"name": node.domain, "problem": node.problem, "path": list(path)})


@check(
    code="spf.lookups",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="The SPF policy needs {count} DNS look-ups; {limit} are allowed",
    why="Beyond ten, receivers stop and call it an error: mail from whoever stands behind the tenth is not authorized.",
    remedy="Remove includes of services that no longer send for you; they cost: {by_term}. The costliest could be "
    "written out as networks (then follow its changes): {flattened}",
    reference="RFC 7208 §4.6.4",
)
def lookups(facts: Facts) -> Seen | None:
    node = facts.spf
    if node is None or node.record is None or node.problem:
        return None
    paths = [" → ".join((*path, term.text)) for term, path in terms(node)]
    evidence = {"count": node.lookups, "limit": MAX_LOOKUPS, "by_term": costs(node), "paths": paths[:60]}
    if node.lookups > MAX_LOOKUPS:
        return Seen(evidence={**evidence, "flattened": flattened(node)})
    if node.lookups >= MAX_LOOKUPS - 1:
        return Seen(
            evidence={**evidence, "flattened": flattened(node)},
            severity=Severity.NOTICE,
            summary="The SPF policy needs {count} DNS look-ups of {limit} allowed: the next service that you add "
            "breaks it",
        )
    return Seen(
        evidence=evidence,
        severity=Severity.PASS,
        summary="The SPF policy needs {count} DNS look-ups of {limit} allowed",
    )


@check(
    code="spf.voids",
    area=Area.SPF,
    severity=Severity.WARNING,
    summary="The SPF policy asks for names that hold nothing: {terms}",
    why="More than two look-ups that find nothing make the whole check an error; and each says that something was "
    "forgotten.",
    remedy="Remove these terms, or publish the records they ask for.",
    reference="RFC 7208 §4.6.4",
)
def voids(facts: Facts) -> Seen | None:
    if facts.spf is None or not facts.spf.voids:
        return None
    found = [" → ".join((*path, term.text)) for term, path in terms(facts.spf) if term.void]
    severity = Severity.DANGER if len(found) > MAX_VOIDS else Severity.WARNING
    return Seen(evidence={"count": len(found), "terms": found}, severity=severity)


@check(
    code="spf.ends-open",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="The SPF record ends in {all}: {meaning}",
    why="The end of the record is for everybody who is not named; only -all and ~all say that they may not.",
    remedy="End the record in -all (or ~all while you are still finding your senders): {record}",
    reference="RFC 7208 §5.1; practice 3",
)
def ends_open(facts: Facts) -> Seen | None:
    record = facts.spf.record if facts.spf is not None else None
    if facts.spf is None or record is None or record.error:
        return None
    all_term = next((one for one in record.mechanisms if one.kind is MechanismKind.ALL), None)
    fixed = _closed(facts.spf.texts[0])
    if all_term is None:
        return None if record.redirect is not None else _open(facts, "nothing", Severity.WARNING, fixed)
    if all_term.result is SpfResultWord.PASS:
        meaning = "the whole world may send as this domain"
        return Seen(evidence={"all": all_term.text, "meaning": meaning, "record": fixed})
    if all_term.result is SpfResultWord.NEUTRAL:
        return _open(facts, all_term.text, Severity.WARNING, fixed)
    evidence = {"all": all_term.text, "record": facts.spf.texts[0]}
    return Seen(evidence=evidence, severity=Severity.PASS, summary="SPF is published and ends in {all}: {record}")


def _open(facts: Facts, ending: str, severity: Severity, fixed: str) -> Seen:
    evidence = {"all": ending, "meaning": "it says nothing about everybody else", "record": fixed}
    return Seen(evidence=evidence, severity=severity)


def _closed(text: str) -> str:
    """The record with the right end."""
    words = [word for word in text.split() if word.lstrip("+-~?").lower() != "all"]
    return " ".join([*words, "-all"])[:900]


@check(
    code="spf.everybody",
    area=Area.SPF,
    severity=Severity.WARNING,
    summary="SPF allows the very large network {network} ({path_shown})",
    why="Every machine in it may send as you: other customers of the provider, or a large part of the Internet.",
    remedy="Name only the addresses that send for you.",
    reference="RFC 7208 §11.4",
)
def everybody(facts: Facts) -> Iterator[Seen]:
    for node, path in walk(facts.spf) if facts.spf is not None else ():
        for text, prefix, least in _networks(node.record):
            if prefix < least:
                shown = " → ".join((*path, text))
                grave = Severity.DANGER if prefix <= least // 2 else Severity.WARNING
                yield Seen(evidence={"network": text, "path_shown": shown, "path": list(path)}, severity=grave)


def _networks(record: SpfRecord | None) -> Iterator[tuple[str, int, int]]:
    for one in record.mechanisms if record is not None else ():
        if one.result is not SpfResultWord.PASS:
            continue
        if one.kind is MechanismKind.IP4:
            yield one.text, one.mask4.bit_count(), WIDE[4]
        elif one.kind is MechanismKind.IP6:
            yield one.text, one.mask6.bit_count(), WIDE[6]


@check(
    code="spf.ptr",
    area=Area.SPF,
    severity=Severity.NOTICE,
    summary="The SPF policy uses ptr ({path_shown}), which must not be used any more",
    why="It is slow, loads the reverse zones, and some receivers skip it: who depends on it does not pass there.",
    remedy="Replace `{term}` by ip4:, ip6:, a or mx.",
    reference="RFC 7208 §5.5",
)
def ptr(facts: Facts) -> Iterator[Seen]:
    for term, path in terms(facts.spf) if facts.spf is not None else ():
        if term.kind == "ptr":
            yield Seen(evidence={"term": term.text, "path_shown": " → ".join((*path, term.text)), "path": list(path)})


@check(
    code="spf.circle",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="The SPF policies run in a circle: {path}",
    why="Every receiver runs into the limit of ten look-ups and calls it an error.",
    remedy="Remove the include that leads back.",
    reference="RFC 7208 §4.6.4",
)
def circle(facts: Facts) -> Iterator[Seen]:
    for node, path in walk(facts.spf) if facts.spf is not None else ():
        if "in a circle" in node.problem:
            yield Seen(evidence={"path": list(path)})


@check(
    code="spf.mx-many",
    area=Area.SPF,
    severity=Severity.DANGER,
    summary="`{term}` names {count} mail exchangers; more than 10 are an error",
    why="The whole check ends in an error for whoever is not matched before.",
    remedy="Name the networks of these servers with ip4: and ip6: instead.",
    reference="RFC 7208 §4.6.4",
)
def mx_many(facts: Facts) -> Iterator[Seen]:
    for term, path in terms(facts.spf) if facts.spf is not None else ():
        if term.kind == "mx" and term.count > MAX_LOOKUPS:
            yield Seen(evidence={"term": term.text, "count": term.count, "path": list(path)})


@check(
    code="spf.long",
    area=Area.SPF,
    severity=Severity.NOTICE,
    summary="The SPF record of {domain} has {octets} octets; answers over some 450 do not fit into a small DNS packet",
    why="Large answers need TCP or large packets, which some networks still drop: SPF then fails for some receivers.",
    remedy="Split it: move some terms to a record of their own and include that.",
    reference="RFC 7208 §3.4",
)
def long(facts: Facts) -> Seen | None:
    octets = len(facts.spf.texts[0].encode()) if facts.spf is not None and len(facts.spf.texts) == 1 else 0
    return Seen(evidence={"domain": facts.domain, "octets": octets}) if octets > LONG else None


@check(
    code="spf.behind-all",
    area=Area.SPF,
    severity=Severity.NOTICE,
    summary="Terms behind `all` are never looked at: {terms}",
    why="Whoever is named there is not allowed, although the record looks as if he were.",
    remedy="Move `all` to the end; a redirect beside `all` has no effect and can go.",
    reference="RFC 7208 §5.1, §6.1",
)
def behind_all(facts: Facts) -> Seen | None:
    record = facts.spf.record if facts.spf is not None else None
    kinds = [one.kind for one in record.mechanisms] if record is not None else []
    if record is None or MechanismKind.ALL not in kinds:
        return None
    behind = [one.text for one in record.mechanisms[kinds.index(MechanismKind.ALL) + 1 :]]
    behind += [f"redirect={record.redirect.literal or '…'}"] if record.redirect is not None else []
    return Seen(evidence={"terms": behind}) if behind else None


@check(
    code="spf.host",
    area=Area.SPF,
    severity=Severity.INFO,
    summary="The mail exchanger's own name {host} has no SPF record",
    why="Bounces come from the empty sender and are checked by the name in EHLO: a record there lets them pass.",
    remedy='If {host} sends mail, publish `{host}. IN TXT "v=spf1 a -all"`.',
    reference="RFC 7208 §2.3, §10.1.3",
)
def host(facts: Facts) -> Iterator[Seen]:
    for name, node in facts.host_spf.items():
        inside = name == facts.domain or name.endswith("." + facts.domain)
        if inside and not node.texts and node.status in (DnsStatus.OK, DnsStatus.NODATA):
            yield Seen(evidence={"host": name})


CHECKS = (
    missing, several, syntax, broken_include, unanswered, circle, lookups, voids, ends_open, everybody, ptr, mx_many,
    long, behind_all, host,
)  # fmt: skip
