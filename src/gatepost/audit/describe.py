"""Facts as JSON values, for those who read an audit by program and for the report.

In: `Facts`. Out: dictionaries; the schema is docs/schema/audit.json. Not here: findings (`finding`), grades (`grade`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gatepost.audit.certificate import read_certificate
from gatepost.audit.facts import DkimFacts, DmarcFacts, Facts, Host, SpfNode, StsFacts
from gatepost.msgauth.dkim.record import KeyRecord
from gatepost.ports import Answer, Mx, Service, TlsSeen

MAX_TEXT = 1000  # characters of one record that are told
MAX_RECORDS = 50


def describe(facts: Facts) -> dict[str, Any]:
    """What is known, by subject; a subject that was not looked at is null."""
    return {
        "records": _records(facts),
        "hosts": None if facts.hosts is None else [_host(host) for host in facts.hosts],
        "spf": None if facts.spf is None else spf_tree(facts.spf),
        "dkim": None if facts.dkim is None else _dkim(facts.dkim),
        "dmarc": None if facts.dmarc is None else _dmarc(facts.dmarc),
        "mta_sts": None if facts.sts is None else _sts(facts.sts),
        "services": None if facts.services is None else [_service(one) for one in facts.services],
        "unfinished": dict(facts.unfinished),
    }


def _records(facts: Facts) -> Mapping[str, Any]:
    answers: dict[str, Answer] = {}
    if facts.zone is not None:
        answers = {one.question.rtype.lower(): one for one in facts.zone.answers}
    if facts.more is not None:
        answers["tls_rpt"] = facts.more.tls_rpt
        answers |= {"bimi": facts.more.bimi} if facts.more.bimi is not None else {}
        answers |= {f"srv{name}": answer for name, answer in facts.more.srv.items()}
    return {name: answer_json(answer) for name, answer in answers.items()}


def answer_json(answer: Answer) -> dict[str, Any]:
    """One answer of DNS."""
    return {
        "status": answer.status.value,
        "records": [_text(record) for record in answer.records[:MAX_RECORDS]],
        "authentic": answer.authentic,
        "reason": answer.reason,
    }


def _text(record: object) -> str:
    if isinstance(record, bytes):
        return record.decode("utf-8", "replace")[:MAX_TEXT]
    if isinstance(record, Mx):
        return f"{record.preference} {record.exchange}"
    return str(record).encode("utf-8", "replace").decode("utf-8")[:MAX_TEXT]


def _host(host: Host) -> dict[str, Any]:
    return {
        "name": host.name,
        "preference": host.preference,
        "implicit": host.implicit,
        "addresses": list(host.addresses),
        "reverse": {one.address: list(one.confirmed) for one in host.reverse},
        "tlsa": [_text(record) for record in host.tlsa.records[:MAX_RECORDS]] if host.tlsa is not None else [],
    }


def spf_tree(node: SpfNode) -> dict[str, Any]:
    """The policy and all below it."""
    return {
        "domain": node.domain,
        "record": [text[:MAX_TEXT] for text in node.texts[:5]],
        "problem": node.problem,
        "lookups": node.lookups,
        "void_lookups": node.voids,
        "terms": [
            {
                "term": term.text,
                "void": term.void,
                "policy": spf_tree(term.node) if term.node is not None else None,
            }
            for term in node.terms
        ],
    }


def _dkim(dkim: DkimFacts) -> dict[str, Any]:
    keys = []
    for one in dkim.selectors:
        known = one.record if isinstance(one.record, KeyRecord) else None
        keys.append(
            {
                "selector": one.name,
                "key_type": known.key_type if known else "",
                "bits": known.bits if known else 0,
                "problem": "" if known else str(one.record),
                "ours": one.sight.shown.value if one.sight is not None else None,
            }
        )
    return {"asked": dkim.asked, "keys": keys}


def _dmarc(dmarc: DmarcFacts) -> dict[str, Any]:
    walk = dmarc.walk
    return {
        "walk": [
            {
                "name": f"_dmarc.{step.domain}",
                "record": step.record.text[:MAX_TEXT] if step.record is not None else None,
                "failed": step.failed,
            }
            for step in walk.steps
        ],
        "organizational_domain": walk.organizational_domain if walk.is_certain else None,
        "reports_to": [{"tag": one.tag, "uri": one.uri} for one in dmarc.reporters],
    }


def _sts(sts: StsFacts) -> dict[str, Any]:
    page = sts.page
    policy = page.body.decode("utf-8", "replace")[:MAX_TEXT] if page is not None and page.is_there else None
    return {"record": answer_json(sts.record), "policy": policy, "problem": page.reason if page is not None else ""}


def _service(one: Service) -> dict[str, Any]:
    return {
        "host": one.target.host,
        "address": one.target.address,
        "port": one.target.port,
        "spoken": one.target.spoken.value,
        "implicit_tls": one.target.implicit_tls,
        "reached": one.reached,
        "reason": one.reason,
        "banner": _text(one.banner),
        "starttls": one.starttls,
        "capabilities": list(one.capabilities),
        "secure_capabilities": list(one.secure_capabilities),
        "answered": [{"recipient": a.recipient, "code": a.code, "text": _text(a.text)} for a in one.answered],
        "tls": _tls(one.tls) if one.tls is not None else None,
    }


def _tls(tls: TlsSeen) -> dict[str, Any]:
    leaf = read_certificate(tls.chain[0]) if tls.chain else None
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "failure": tls.failure,
        "trusted": tls.trusted,
        "distrust": tls.distrust,
        "chain": len(tls.chain),
        "stapled": tls.staple is not None,
        "certificate": None
        if leaf is None
        else {
            "subject": leaf.subject,
            "issuer": leaf.issuer,
            "names": list(leaf.names),
            "not_after": _date(leaf.not_after),
            "key": f"{leaf.key_type} {leaf.bits}",
        },
        "versions": {
            seen.version: {"accepted": seen.accepted, "suites": list(seen.suites), "reason": seen.reason}
            for seen in tls.versions
        },
    }


def _date(epoch: float) -> str:
    try:
        return datetime.fromtimestamp(epoch, UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return ""
