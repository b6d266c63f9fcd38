"""DMARC: which record holds for the domain, and what it asks for.

In: `Facts.dmarc`. Standard: RFC 9989 §4.7 (tags), §4.10 (walk), RFC 9990 §4 (reports elsewhere).
Not here: the walk (`msgauth.dmarc.lookup`), what reports say (`reports`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import DmarcFacts, Facts
from gatepost.audit.gathering.dmarc import governing
from gatepost.finding import Severity
from gatepost.msgauth.dmarc.record import DmarcPolicy, DmarcRecord, Psd, is_policy_record
from gatepost.ports import Answer, DnsStatus


def _held(facts: Facts) -> tuple[DmarcFacts, str, DmarcRecord] | None:
    """The facts, the name whose record holds, and the record."""
    found = governing(facts.dmarc.walk) if facts.dmarc is not None else None
    return (facts.dmarc, *found) if facts.dmarc is not None and found is not None else None


def _policy(facts: Facts, domain: str, record: DmarcRecord) -> DmarcPolicy | None:
    """What holds for the audited domain itself, by RFC 9989 §4.10.1."""
    return record.p if domain == facts.domain else record.for_subdomains


@check(
    code="dmarc.missing",
    area=Area.DMARC,
    severity=Severity.DANGER,
    summary="No DMARC record holds for {domain}; looked at: {walk}",
    why="Anybody can write the domain into From, and no receiver is asked to mind; bulk mail is refused by large "
    "receivers.",
    remedy='Publish `_dmarc.{domain}. IN TXT "v=DMARC1; p={policy}; rua=mailto:dmarc@{domain}"`, read the reports, '
    "then go on to p=quarantine and p=reject.",
    reference="RFC 9989 §4; practice 3",
)
def missing(facts: Facts) -> Seen | None:
    if facts.dmarc is None or governing(facts.dmarc.walk) is not None or not facts.dmarc.walk.is_certain:
        return None
    policy = "none" if facts.hosts else "reject"
    return Seen(evidence={"domain": facts.domain, "walk": list(facts.dmarc.walk.names), "policy": policy})


@check(
    code="dmarc.unanswered",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="DNS does not answer for {names}: {reason}",
    why="Receivers then do not know the policy and put mail off, or let forgeries through.",
    remedy="Mend the name servers of the zone.",
    reference="RFC 9989 §4.10",
)
def unanswered(facts: Facts) -> Seen | None:
    answers: tuple[Answer, ...] = facts.dmarc.answers if facts.dmarc is not None else ()
    failed = [one for one in answers if one.status is DnsStatus.TEMPFAIL]
    names = [one.question.name for one in failed]
    return Seen(evidence={"names": names, "reason": failed[0].reason}) if failed else None


@check(
    code="dmarc.several",
    area=Area.DMARC,
    severity=Severity.DANGER,
    summary="{count} DMARC records stand at {name}",
    why="Several records are as if there were none.",
    remedy="Leave one of them: {records}",
    reference="RFC 9989 §4.10",
)
def several(facts: Facts) -> Iterator[Seen]:
    for answer in facts.dmarc.answers if facts.dmarc is not None else ():
        found = [text for text in answer.texts if is_policy_record(text)] if answer.status is DnsStatus.OK else []
        if len(found) > 1:
            records = [text.decode("utf-8", "replace")[:300] for text in found]
            yield Seen(evidence={"name": answer.question.name, "count": len(found), "records": records})


@check(
    code="dmarc.not-a-record",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="What stands at {name} is no DMARC record: {text}",
    why="A record must begin with v=DMARC1, in just this form; anything else is passed over.",
    remedy="Publish it as `v=DMARC1; p=…; rua=mailto:…`.",
    reference="RFC 9989 §4.7",
)
def not_a_record(facts: Facts) -> Seen | None:
    answer = facts.dmarc.answers[0] if facts.dmarc is not None and facts.dmarc.answers else None
    if answer is None or answer.status is not DnsStatus.OK or any(is_policy_record(text) for text in answer.texts):
        return None
    text = answer.texts[0].decode("utf-8", "replace")[:200]
    grave = Severity.DANGER if "DMARC" in text.upper() else Severity.NOTICE
    return Seen(evidence={"name": answer.question.name, "text": text}, severity=grave)


@check(
    code="dmarc.policy",
    area=Area.DMARC,
    severity=Severity.PASS,
    summary="DMARC asks receivers to {policy} forgeries of {domain} (record of {at})",
    why="The policy is what makes receivers act on a forged From.",
    remedy="When the reports show that all your own mail passes (`gatepost dmarc advise`), publish: {record}",
    reference="RFC 9989 §4.7; practice 3",
)
def policy(facts: Facts) -> Seen | None:
    held = _held(facts)
    if held is None:
        return None
    dmarc, at, record = held
    wanted = _policy(facts, at, record)
    evidence = {
        "domain": facts.domain,
        "at": f"_dmarc.{at}",
        "policy": wanted.value if wanted is not None else "nothing",
        "text": record.text[:500],
        "walk": list(dmarc.walk.names),
        "organizational_domain": dmarc.walk.organizational_domain,
    }
    if wanted is None:
        summary = "The DMARC record of {at} has no policy that can be read, and counts as p=none"
        fixed = "v=DMARC1; p=none; rua=mailto:dmarc@" + facts.domain
        return Seen(evidence={**evidence, "record": fixed}, severity=Severity.DANGER, summary=summary)
    if wanted is DmarcPolicy.NONE:
        summary = "DMARC is only watching (p=none): forgeries of {domain} are let through"
        fixed = _with_policy(record, "quarantine")
        return Seen(evidence={**evidence, "record": fixed}, severity=Severity.WARNING, summary=summary)
    if wanted is DmarcPolicy.QUARANTINE:
        return Seen(evidence={**evidence, "record": _with_policy(record, "reject")}, severity=Severity.INFO)
    return Seen(evidence=evidence)


def _with_policy(record: DmarcRecord, policy: str) -> str:
    tags = _kept_tags(record)
    return "; ".join(f"p={policy}" if tag.replace(" ", "").lower().startswith("p=") else tag for tag in tags)[:500]


def _kept_tags(record: DmarcRecord) -> list[str]:
    """The record's tags as they are written, but for those that RFC 9989 took out."""
    gone = {name for name, _ in record.removed}
    tags = (tag.strip() for tag in record.text.split(";"))
    return [tag for tag in tags if tag and tag.partition("=")[0].strip().lower() not in gone]


@check(
    code="dmarc.test-mode",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="The DMARC record of {at} is in test mode (t=y): receivers apply one step less than it says",
    why="p=reject then means quarantine, and p=quarantine nothing.",
    remedy="Take `t=y` out of the record at {at}.",
    reference="RFC 9989 §4.7",
)
def test_mode(facts: Facts) -> Seen | None:
    held = _held(facts)
    return Seen(evidence={"at": f"_dmarc.{held[1]}"}) if held is not None and held[2].t else None


@check(
    code="dmarc.subdomains",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="Subdomains are guarded less than the domain: sp={sp} beside p={p}",
    why="Forgers write mail.{domain} instead of {domain}; most people see no difference.",
    remedy="Publish sp={p} or leave sp out; if a subdomain sends mail that fails, give it a record of its own.",
    reference="RFC 9989 §4.7",
)
def subdomains(facts: Facts) -> Seen | None:
    held = _held(facts)
    if held is None or held[2].p is None or held[2].sp is None or held[2].sp.rank >= held[2].p.rank:
        return None
    return Seen(evidence={"domain": held[1], "sp": held[2].sp.value, "p": held[2].p.value})


@check(
    code="dmarc.missing-subdomains",
    area=Area.DMARC,
    severity=Severity.NOTICE,
    summary="Names below {domain} that do not exist may be forged: np={np}",
    why="No mail of yours comes from a name that does not exist, so nothing is lost by rejecting it.",
    remedy="Add `np=reject` to the record at _dmarc.{domain}.",
    reference="RFC 9989 §4.7 (np)",
)
def missing_subdomains(facts: Facts) -> Seen | None:
    held = _held(facts)
    if held is None or held[2].for_missing_subdomains is not DmarcPolicy.NONE:
        return None
    weaker = held[2].np is DmarcPolicy.NONE and held[2].p is not DmarcPolicy.NONE
    grave = Severity.WARNING if weaker else Severity.NOTICE
    return Seen(evidence={"domain": held[1], "np": DmarcPolicy.NONE.value}, severity=grave)


@check(
    code="dmarc.no-reports",
    area=Area.DMARC,
    severity=Severity.NOTICE,
    summary="Nobody gets DMARC reports: the record of {at} has no rua",
    why="Without reports you do not learn who forges you, nor which of your own senders fail.",
    remedy="Add `rua=mailto:dmarc@{domain}` and read them with `gatepost dmarc import`.",
    reference="RFC 9990; practice 3",
)
def no_reports(facts: Facts) -> Seen | None:
    held = _held(facts)
    return (
        Seen(evidence={"at": f"_dmarc.{held[1]}", "domain": held[1]}) if held is not None and not held[2].rua else None
    )


@check(
    code="dmarc.report-permission",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="{target} does not say that it takes reports about {domain} ({uri})",
    why="Reports to another organization are sent only with its word for it: these are never sent.",
    remedy='Ask {target} to publish `{name}. IN TXT "v=DMARC1"`, or name an address of your own.',
    reference="RFC 9990 §4",
)
def report_permission(facts: Facts) -> Iterator[Seen]:
    for one in facts.dmarc.reporters if facts.dmarc is not None else ():
        if one.permission is None or one.permission.status is DnsStatus.TEMPFAIL:
            continue
        if any(is_policy_record(text) for text in one.permission.texts):
            continue
        name = one.permission.question.name
        yield Seen(evidence={"target": one.domain, "domain": facts.domain, "uri": one.uri, "name": name})


@check(
    code="dmarc.report-address",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="DMARC reports cannot reach {uri}: {reason}",
    why="Reports that bounce are soon no longer sent.",
    remedy="Name an address that takes mail.",
    reference="RFC 9990 §4",
)
def report_address(facts: Facts) -> Iterator[Seen]:
    for one in facts.dmarc.reporters if facts.dmarc is not None else ():
        if one.mx.status is DnsStatus.NXDOMAIN:
            yield Seen(evidence={"uri": one.uri, "reason": f"{one.domain} does not exist"})
        elif one.mx.status is DnsStatus.OK and [mx.exchange for mx in one.mx.exchanges] == ["."]:
            yield Seen(evidence={"uri": one.uri, "reason": f"{one.domain} takes no mail (null MX)"})


@check(
    code="dmarc.notes",
    area=Area.DMARC,
    severity=Severity.NOTICE,
    summary="The DMARC record of {at}: {note}",
    why="What cannot be read is passed over, and something else holds than was meant.",
    remedy="Mend or remove that tag: {text}",
    reference="RFC 9989 §4.7",
)
def notes(facts: Facts) -> Iterator[Seen]:
    held = _held(facts)
    for note in held[2].notes if held is not None else ():
        if "no longer part" not in note:
            yield Seen(
                evidence={
                    "at": f"_dmarc.{held[1]}" if held else "",
                    "note": note,
                    "text": held[2].text[:300] if held else "",
                }
            )


@check(
    code="dmarc.removed-tags",
    area=Area.DMARC,
    severity=Severity.NOTICE,
    summary="The DMARC record of {at} still has {tags}, which RFC 9989 took out",
    why="Receivers no longer obey them: pct=20 does not soften a policy any more. For a trial use t=y.",
    remedy="Remove them: {record}",
    reference="RFC 9989 Appendix C",
)
def removed_tags(facts: Facts) -> Seen | None:
    held = _held(facts)
    if held is None or not held[2].removed:
        return None
    kept = "; ".join(_kept_tags(held[2]))
    shown = [f"{name}={value}" for name, value in held[2].removed]
    return Seen(evidence={"at": f"_dmarc.{held[1]}", "tags": shown, "record": kept[:500]})


@check(
    code="dmarc.is-suffix",
    area=Area.DMARC,
    severity=Severity.WARNING,
    summary="The DMARC record of {at} says psd=y: that it is a public suffix, under which others register",
    why="Then each name below it is an organization of its own and aligns with none of the others.",
    remedy="Unless you run a registry, take psd=y out (psd=n says that this is your organization's top).",
    reference="RFC 9989 §4.10.2",
)
def is_suffix(facts: Facts) -> Seen | None:
    held = _held(facts)
    own = held is not None and held[1] == facts.domain and held[2].psd is Psd.YES
    return Seen(evidence={"at": f"_dmarc.{facts.domain}"}) if own else None


CHECKS = (
    missing, unanswered, several, not_a_record, policy, test_mode, subdomains, missing_subdomains, no_reports,
    report_permission, report_address, notes, removed_tags, is_suffix,
)  # fmt: skip
