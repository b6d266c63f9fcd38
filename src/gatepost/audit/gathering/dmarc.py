"""DMARC: the walk, and whether the report addresses may be used.

In: a domain, a resolver. Out: `DmarcFacts`.
Standard: RFC 9989 §4.10 (walk), RFC 9990 §4 (reports to another organization need its permission).
Not here: judging a message (`msgauth.dmarc`), the checks (`checks.dmarc`).
"""

from __future__ import annotations

from urllib.parse import unquote

from gatepost.audit.facts import DmarcFacts, Reporter
from gatepost.msgauth.dmarc.lookup import Walk, lookup_walk, read_walk, walk_domains
from gatepost.msgauth.dmarc.record import DmarcRecord
from gatepost.msgauth.spf.name import is_askable, to_ascii
from gatepost.ports import Answer, DnsStatus, Question, Resolver

MAX_REPORTERS = 10


async def gather_dmarc(domain: str, resolver: Resolver, wait: float) -> DmarcFacts:
    """The records from `domain` up to the top, and who gets reports."""
    questions = [Question("_dmarc." + name, "TXT") for name in walk_domains(domain)]
    answers = await resolver.lookup_all(questions, wait)
    walk = read_walk(domain, tuple(None if one.status is DnsStatus.TEMPFAIL else one.texts for one in answers))
    record = governing(walk)
    reporters = await _reporters(walk, record[1], resolver, wait) if record is not None else ()
    return DmarcFacts(walk=walk, answers=answers[: len(walk.steps)], reporters=reporters)


def governing(walk: Walk) -> tuple[str, DmarcRecord] | None:
    """RFC 9989 §4.10.1: the domain's own record, else the organizational domain's, else the public suffix's."""
    suffix = walk.suffix.domain if walk.suffix is not None else ""
    for name in dict.fromkeys((walk.start, walk.organizational_domain, suffix)):
        record = walk.record_of(name) if name else None
        if record is not None:
            return name, record
    return None


async def _reporters(walk: Walk, record: DmarcRecord, resolver: Resolver, wait: float) -> tuple[Reporter, ...]:
    named = [(tag, uri, _mail_domain(uri)) for tag, uris in (("rua", record.rua), ("ruf", record.ruf)) for uri in uris]
    asked = [(tag, uri, domain) for tag, uri, domain in named[:MAX_REPORTERS] if is_askable(domain)]
    mine = walk.organizational_domain
    others = {domain: (await lookup_walk(domain, resolver, wait)) for domain in {one[2] for one in asked}}
    mx = await resolver.lookup_all([Question(domain, "MX") for _, _, domain in asked], wait) if asked else ()
    found = []
    for (tag, uri, domain), exchangers in zip(asked, mx, strict=True):
        permission: Answer | None = None
        if others[domain].organizational_domain != mine:
            permission = (await resolver.lookup_all([Question(f"{walk.start}._report._dmarc.{domain}", "TXT")], wait))[
                0
            ]
        found.append(Reporter(tag=tag, uri=uri, domain=domain, permission=permission, mx=exchangers))
    return tuple(found)


def _mail_domain(uri: str) -> str:
    """The domain of a mailto URI; empty for another scheme."""
    scheme, _, rest = uri.partition(":")
    address = unquote(rest.partition("?")[0])
    return to_ascii(address.rpartition("@")[2]) if scheme.lower() == "mailto" and "@" in address else ""
