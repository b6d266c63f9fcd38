"""MTA-STS and TLS-RPT: may senders demand TLS, and are they told where to report?

In: `Facts.sts`, `Facts.more`, `Facts.hosts`. Standard: RFC 8461, RFC 8460 §3.
Not here: reading record and policy (`msgauth.sts`), fetching (`net.pages`), DANE (`dane`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts
from gatepost.finding import Severity
from gatepost.msgauth.sts import StsMode, StsPolicy, StsRecord, parse_sts_policy, parse_sts_record
from gatepost.ports import DnsStatus

SHORT_AGE = 86_400 * 7  # seconds: RFC 8461 §3.2 wants weeks; a day's absence of the policy host would end protection
_RUA = re.compile(r"v=TLSRPTv1[ \t]*;[ \t]*rua[ \t]*=[ \t]*([^;]+)", re.ASCII)


def _policy(facts: Facts) -> StsPolicy | None:
    """The policy, where it can be fetched and read."""
    page = facts.sts.page if facts.sts is not None else None
    found = parse_sts_policy(page.body) if page is not None and page.is_there else None
    return found if isinstance(found, StsPolicy) else None


@check(
    code="sts.missing",
    area=Area.TRANSPORT,
    severity=Severity.NOTICE,
    summary="{domain} has no MTA-STS policy",
    why="Without MTA-STS or DANE anybody on the way can make senders deliver in the clear, or to himself.",
    remedy="Serve `{policy}` at https://mta-sts.{domain}/.well-known/mta-sts.txt and publish `_mta-sts.{domain}. IN "
    "TXT "
    '"v=STSv1; id=1"`; begin with mode: testing.',
    reference="RFC 8461; practice 5",
)
def missing(facts: Facts) -> Seen | None:
    if facts.sts is None or not facts.hosts or facts.sts.record.status is DnsStatus.TEMPFAIL:
        return None
    if parse_sts_record(facts.sts.record.texts) is not None:
        return None
    lines = ["version: STSv1", "mode: enforce", *(f"mx: {host.name}" for host in facts.hosts), "max_age: 1209600"]
    return Seen(evidence={"domain": facts.domain, "policy": "\\n".join(lines)})


@check(
    code="sts.record",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="The MTA-STS record cannot be used: {problem}",
    why="Senders act as if there were no MTA-STS.",
    remedy='Publish exactly one record `_mta-sts.{domain}. IN TXT "v=STSv1; id=20260101000000"`.',
    reference="RFC 8461 §3.1",
)
def record(facts: Facts) -> Seen | None:
    found = parse_sts_record(facts.sts.record.texts) if facts.sts is not None else None
    return Seen(evidence={"problem": found, "domain": facts.domain}) if isinstance(found, str) else None


@check(
    code="sts.policy-unreachable",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="The MTA-STS policy cannot be fetched: {reason}",
    why="Senders that do not know the policy yet act as if there were none; those that do will follow the old one "
    "until "
    "it expires.",
    remedy="Make {url} answer with status 200, the policy itself and a certificate for mta-sts.{domain}; no redirect "
    "is "
    "followed.",
    reference="RFC 8461 §3.3",
)
def policy_unreachable(facts: Facts) -> Seen | None:
    sts = facts.sts
    if sts is None or sts.page is None or sts.page.is_there or parse_sts_record(sts.record.texts) is None:
        return None
    page = sts.page
    reason = page.reason or (f"a redirect to {page.location[:200]}" if page.location else f"status {page.status}")
    return Seen(evidence={"reason": reason, "url": page.url, "domain": facts.domain})


@check(
    code="sts.policy",
    area=Area.TRANSPORT,
    severity=Severity.PASS,
    summary="MTA-STS is in mode {mode}, kept for {days} days",
    why="Senders that know the policy deliver only over TLS to the hosts that it names.",
    remedy="{advice}",
    reference="RFC 8461 §3.2",
)
def policy(facts: Facts) -> Iterator[Seen]:
    page = facts.sts.page if facts.sts is not None else None
    if facts.sts is None or page is None or not page.is_there:
        return
    announced = isinstance(parse_sts_record(facts.sts.record.texts), StsRecord)
    found = parse_sts_policy(page.body)
    if isinstance(found, str):
        bad = {"problem": found, "advice": f"Mend {page.url}."}
        yield Seen(evidence=bad, severity=Severity.WARNING, summary="The MTA-STS policy cannot be used: {problem}")
        return
    evidence: dict[str, object] = {
        "mode": found.mode.value,
        "days": round(found.max_age / 86_400, 1),
        "mx": list(found.mx),
    }
    if not announced:
        advice = f'Publish `_mta-sts.{facts.domain}. IN TXT "v=STSv1; id=1"`.'
        summary = "There is an MTA-STS policy, but no record that announces it"
        yield Seen(evidence={**evidence, "advice": advice}, severity=Severity.WARNING, summary=summary)
    elif found.mode is StsMode.TESTING:
        advice = "When TLS reports show no failures, change it to `mode: enforce` and the id in the record."
        yield Seen(evidence={**evidence, "advice": advice}, severity=Severity.NOTICE)
    elif found.mode is StsMode.NONE:
        yield Seen(evidence={**evidence, "advice": "Change it to `mode: enforce`."}, severity=Severity.NOTICE)
    else:
        yield Seen(evidence=evidence)


@check(
    code="sts.mx-not-named",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="The MTA-STS policy does not name the mail exchanger {host}",
    why="Senders that obey the policy refuse to deliver there; when it is the only host, all their mail bounces.",
    remedy="Add `mx: {host}` to {url} and change the id in the record, or remove the MX record.",
    reference="RFC 8461 §4.1",
)
def mx_not_named(facts: Facts) -> Iterator[Seen]:
    found = _policy(facts)
    if found is None or facts.sts is None or facts.sts.page is None or found.mode is StsMode.NONE:
        return
    for host in facts.hosts or ():
        if not found.names(host.name):
            grave = Severity.DANGER if found.mode is StsMode.ENFORCE else Severity.WARNING
            yield Seen(evidence={"host": host.name, "url": facts.sts.page.url, "mx": list(found.mx)}, severity=grave)


@check(
    code="sts.short-age",
    area=Area.TRANSPORT,
    severity=Severity.NOTICE,
    summary="MTA-STS is kept for {seconds} seconds only",
    why="Who can block the policy's host for so long makes senders forget that TLS is demanded.",
    remedy="Set `max_age: 1209600` (two weeks) or more.",
    reference="RFC 8461 §3.2, §10.2",
)
def short_age(facts: Facts) -> Seen | None:
    found = _policy(facts)
    if found is None or found.mode is StsMode.NONE or found.max_age >= SHORT_AGE:
        return None
    return Seen(evidence={"seconds": found.max_age})


@check(
    code="sts.content-type",
    area=Area.TRANSPORT,
    severity=Severity.INFO,
    summary="The MTA-STS policy is served as {content_type} instead of text/plain",
    why="Some senders insist on it.",
    remedy="Have the web server send `Content-Type: text/plain` for {url}.",
    reference="RFC 8461 §3.2",
)
def content_type(facts: Facts) -> Seen | None:
    page = facts.sts.page if facts.sts is not None else None
    if page is None or _policy(facts) is None or page.content_type == "text/plain":
        return None
    return Seen(evidence={"content_type": page.content_type or "nothing", "url": page.url})


@check(
    code="tlsrpt.missing",
    area=Area.TRANSPORT,
    severity=Severity.NOTICE,
    summary="Nobody is asked to report TLS failures (no TLS-RPT record)",
    why="You do not learn that senders fail to reach you over TLS, for instance after a certificate was changed.",
    remedy='Publish `_smtp._tls.{domain}. IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@{domain}"`.',
    reference="RFC 8460 §3; practice 5",
)
def tlsrpt_missing(facts: Facts) -> Seen | None:
    if facts.more is None or not facts.hosts or facts.more.tls_rpt.status is DnsStatus.TEMPFAIL:
        return None
    return None if _tls_rpt(facts) else Seen(evidence={"domain": facts.domain})


@check(
    code="tlsrpt.record",
    area=Area.TRANSPORT,
    severity=Severity.PASS,
    summary="TLS reports go to {rua}",
    why="Says who learns of TLS failures.",
    remedy='Publish exactly one record `_smtp._tls.{domain}. IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@{domain}"`.',
    reference="RFC 8460 §3",
)
def tlsrpt_record(facts: Facts) -> Seen | None:
    found = _tls_rpt(facts)
    if not found:
        return None
    evidence = {"domain": facts.domain, "count": len(found), "record": found[0][:300]}
    if len(found) > 1:
        return Seen(
            evidence=evidence, severity=Severity.WARNING, summary="{count} TLS-RPT records are as if there were none"
        )
    match = _RUA.match(found[0])
    targets = [one.strip() for one in match[1].split(",")] if match else []
    wrong = [one for one in targets if not one.lower().startswith(("mailto:", "https:"))]
    if not targets or wrong:
        return Seen(
            evidence=evidence, severity=Severity.WARNING, summary="The TLS-RPT record names no usable address: {record}"
        )
    return Seen(evidence={**evidence, "rua": targets[:10]})


def _tls_rpt(facts: Facts) -> list[str]:
    """RFC 8460 §3: other records at the name do not count."""
    answer = facts.more.tls_rpt if facts.more is not None else None
    texts = answer.texts if answer is not None and answer.status is DnsStatus.OK else ()
    return [text.decode("utf-8", "replace") for text in texts if text.startswith(b"v=TLSRPTv1")]


CHECKS = (
    missing, record, policy_unreachable, policy, mx_not_named, short_age, content_type, tlsrpt_missing, tlsrpt_record,
)  # fmt: skip
