"""The domain itself: DNSSEC, CAA, BIMI, name servers, and names that look like it.

In: `Facts.zone`, `Facts.more`, `Facts.lookalikes`. Standard: RFC 9364 (DNSSEC), RFC 8659 (CAA), RFC 2182, the BIMI
draft. Not here: DANE (`dane`).
"""

from __future__ import annotations

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts, ZoneFacts
from gatepost.audit.gathering.dmarc import governing
from gatepost.finding import Severity
from gatepost.msgauth.dmarc.record import DmarcPolicy
from gatepost.msgauth.taglist import parse_tags
from gatepost.ports import DnsStatus

OLD_ALGORITHMS = {"1": "RSA/MD5", "3": "DSA/SHA-1", "5": "RSA/SHA-1", "6": "DSA-NSEC3", "7": "RSA/SHA-1-NSEC3"}


def _has_keys(zone: ZoneFacts) -> bool:
    return zone.dnskey is not None and zone.dnskey.status is DnsStatus.OK


@check(
    code="dnssec.unsigned",
    area=Area.ZONE,
    severity=Severity.NOTICE,
    summary="{domain} is not signed with DNSSEC (no DS record at the registry)",
    why="Whoever can forge DNS answers forges SPF, DKIM, DMARC and MX with them; and DANE is not possible.",
    remedy="Switch DNSSEC on at your DNS provider and have the registrar publish the DS record.",
    reference="RFC 9364",
)
def unsigned(facts: Facts) -> Seen | None:
    zone = facts.zone
    if (
        zone is None
        or zone.soa.status is not DnsStatus.OK
        or zone.ds.status not in (DnsStatus.NODATA, DnsStatus.NXDOMAIN)
    ):
        return None
    if _has_keys(zone):
        summary = "{domain} has DNSSEC keys, but no DS record at the registry: nobody checks the signatures"
        return Seen(evidence={"domain": facts.domain}, severity=Severity.WARNING, summary=summary)
    return Seen(evidence={"domain": facts.domain})


@check(
    code="dnssec.no-key",
    area=Area.ZONE,
    severity=Severity.DANGER,
    summary="The registry has a DS record for {domain}, but the zone has no DNSKEY",
    why="Every resolver that checks DNSSEC refuses the whole domain: no mail from or to there.",
    remedy="Sign the zone again, or have the registrar remove the DS record.",
    reference="RFC 4035 §5",
)
def no_key(facts: Facts) -> Seen | None:
    zone = facts.zone
    keys = zone.dnskey if zone is not None and zone.ds.status is DnsStatus.OK else None
    wrong = keys is not None and keys.status is DnsStatus.NODATA
    return Seen(evidence={"domain": facts.domain}) if wrong else None


@check(
    code="dnssec.signed",
    area=Area.ZONE,
    severity=Severity.PASS,
    summary="{domain} is signed with DNSSEC ({said})",
    why="Answers about the domain cannot be forged on the way to a resolver that checks.",
    reference="RFC 9364",
)
def signed(facts: Facts) -> Seen | None:
    zone = facts.zone
    if zone is None or zone.ds.status is not DnsStatus.OK or not _has_keys(zone):
        return None
    said = (
        "our resolver has checked it" if zone.mx.authentic else "DS and DNSKEY are there; our resolver does not check"
    )
    return Seen(evidence={"domain": facts.domain, "said": said, "authentic": zone.mx.authentic})


@check(
    code="dnssec.old-algorithm",
    area=Area.ZONE,
    severity=Severity.WARNING,
    summary="DNSSEC keys of {domain} use {algorithms}",
    why="These algorithms are weak or no longer checked by resolvers, which then take the zone for unsigned.",
    remedy="Roll over to algorithm 13 (ECDSA P-256).",
    reference="RFC 8624 §3.1",
)
def old_algorithm(facts: Facts) -> Seen | None:
    keys = facts.zone.dnskey if facts.zone is not None else None
    words = [str(record).split() for record in keys.records] if keys is not None and keys.status is DnsStatus.OK else []
    found = {OLD_ALGORITHMS[one[2]] for one in words if len(one) > 2 and one[2] in OLD_ALGORITHMS}
    return Seen(evidence={"domain": facts.domain, "algorithms": sorted(found)}) if found else None


@check(
    code="caa.missing",
    area=Area.ZONE,
    severity=Severity.INFO,
    summary="Any authority may give out certificates for {domain} (no CAA record)",
    why="A certificate that another authority gave to a stranger passes for yours.",
    remedy='Publish `{domain}. IN CAA 0 issue "<your authority, such as letsencrypt.org>"`.',
    reference="RFC 8659",
)
def caa_missing(facts: Facts) -> Seen | None:
    zone = facts.zone
    caa = zone.caa if zone is not None else None
    if caa is None or caa.status not in (DnsStatus.NODATA, DnsStatus.NXDOMAIN):
        return None
    return Seen(evidence={"domain": facts.domain})


@check(
    code="caa.record",
    area=Area.ZONE,
    severity=Severity.PASS,
    summary="Certificates come only from: {issuers} (CAA of {at})",
    why="Other authorities must refuse.",
    remedy="Leave out what is unknown, or ask the authority for its form: {records}",
    reference="RFC 8659 §4",
)
def caa_record(facts: Facts) -> Seen | None:
    caa = facts.zone.caa if facts.zone is not None else None
    if facts.zone is None or caa is None or caa.status is not DnsStatus.OK:
        return None
    words = [str(record).split(None, 2) for record in caa.records]
    issuers = [one[2].strip('"') or "nobody" for one in words if len(one) == 3 and one[1].lower() == "issue"]
    odd = [one for one in words if len(one) == 3 and one[0] == "128" and one[1].lower() not in _CAA_TAGS]
    evidence = {
        "issuers": issuers or ["everybody (no issue tag)"],
        "at": facts.zone.caa_at,
        "records": [str(record)[:200] for record in caa.records],
    }
    if odd:
        summary = "CAA of {at} has a critical tag that nobody knows: no authority may give out certificates"
        return Seen(evidence=evidence, severity=Severity.WARNING, summary=summary)
    return Seen(evidence=evidence)


_CAA_TAGS = frozenset(("issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"))


@check(
    code="ns.one",
    area=Area.ZONE,
    severity=Severity.WARNING,
    summary="{domain} has only one name server: {servers}",
    why="When it is away, so is the whole domain: mail waits, and sender checks fail for a time.",
    remedy="Add a second name server in another network.",
    reference="RFC 2182 §5",
)
def one_server(facts: Facts) -> Seen | None:
    ns = facts.zone.ns if facts.zone is not None else None
    if ns is None or ns.status is not DnsStatus.OK or len(set(ns.names)) != 1:
        return None
    return Seen(evidence={"domain": facts.domain, "servers": list(ns.names)})


@check(
    code="bimi.record",
    area=Area.ZONE,
    severity=Severity.INFO,
    summary="A logo is published (BIMI): {logo}",
    why="Mail programs that trust the domain show it beside the sender.",
    remedy="{advice}",
    reference="draft-brand-indicators-for-message-identification §4",
)
def bimi(facts: Facts) -> Seen | None:
    answer = facts.more.bimi if facts.more is not None else None
    texts = (
        [text for text in answer.texts if text.startswith(b"v=BIMI1")]
        if answer and answer.status is DnsStatus.OK
        else []
    )
    if not texts:
        return None
    tags, defect = parse_tags(texts[0])
    logo = tags.get("l", b"").decode("utf-8", "replace")[:300]
    proof = tags.get("a", b"").decode("utf-8", "replace")[:300]
    evidence = {"logo": logo or "none", "certificate": proof, "record": texts[0].decode("utf-8", "replace")[:500]}
    problem = _bimi_problem(facts, logo, proof, defect, len(texts))
    if problem:
        severity = Severity.NOTICE
        return Seen(
            evidence={**evidence, "advice": problem},
            severity=severity,
            summary="The BIMI record is of no use: {advice}",
        )
    advice = "Most mail programs want a mark certificate (a=) as well." if logo and not proof else ""
    return Seen(evidence={**evidence, "advice": advice})


def _bimi_problem(facts: Facts, logo: str, proof: str, defect: str, count: int) -> str:
    """What keeps every mail program from showing the logo; empty when nothing does."""
    if defect or count > 1:
        return defect or f"there are {count} records"
    if any(url and not url.lower().startswith("https://") for url in (logo, proof)):
        return "its addresses must begin with https://"
    found = governing(facts.dmarc.walk) if facts.dmarc is not None else None
    if logo and (found is None or found[1].p not in (DmarcPolicy.QUARANTINE, DmarcPolicy.REJECT)):
        return "logos are shown only under p=quarantine or p=reject of DMARC"
    return ""


@check(
    code="lookalike.registered",
    area=Area.ZONE,
    severity=Severity.INFO,
    summary="{count} of {asked} names that look like {domain} are registered; {with_mail} of them can take mail: "
    "{names}",
    why="Phishers write from names that readers take for yours. Most such names are honest neighbours: look at each "
    "once.",
    remedy="Look who owns them. Register the ones that are free and closest, and have those that imitate you taken "
    "down; "
    "`inspector.links` guards your own people against them.",
    reference="practice 2",
)
def lookalikes(facts: Facts) -> Seen | None:
    found = facts.lookalikes
    if found is None or not found.found:
        return None
    with_mail = [one for one in found.found if one.takes_mail]
    evidence = {
        "count": len(found.found),
        "asked": found.asked,
        "domain": facts.domain,
        "with_mail": len(with_mail),
        "names": [one.name for one in (*with_mail, *(one for one in found.found if not one.takes_mail))][:20],
        "ways": {one.name: one.way for one in found.found[:100]},
    }
    return Seen(evidence=evidence)


CHECKS = (
    unsigned, no_key, signed, old_algorithm, caa_missing, caa_record, one_server, bimi, lookalikes,
)  # fmt: skip
