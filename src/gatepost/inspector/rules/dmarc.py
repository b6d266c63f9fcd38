"""Rules on DMARC: is the shown author proven, and what does his domain ask for if not?

In: `Facts`. Out: `Seen`. Standard: RFC 9989 §5.3 (results), §7.4 (what receivers make of them).
Not here: the evaluation (`msgauth.dmarc`), what is done (`enforcement`).
"""

from __future__ import annotations

from typing import Any

from gatepost.finding import Severity
from gatepost.inspector.enforcement import FAIL_CODE, TEMPERROR_CODE, Enforcement, enforce_dmarc
from gatepost.inspector.facts import Facts
from gatepost.inspector.grounds import Grounds, grounds_of
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings
from gatepost.msgauth.dmarc import DmarcPolicy, DmarcResultWord

# A failure weighs more the more its owner cares; what the policy demands is enforced besides.
_FAIL = {
    DmarcPolicy.NONE: (Severity.WARNING, 2.5),
    DmarcPolicy.QUARANTINE: (Severity.DANGER, 4.0),
    DmarcPolicy.REJECT: (Severity.DANGER, 6.0),
}


def _no_pass(facts: Facts) -> bool:
    return facts.auth.dmarc.result is not DmarcResultWord.PASS


def _evidence(facts: Facts) -> dict[str, Any]:
    dmarc = facts.auth.dmarc
    return {
        "domain": dmarc.author_domain,
        "organizational_domain": dmarc.organizational_domain,
        "policy_domain": dmarc.policy_domain,
        "policy": dmarc.policy.value if dmarc.policy is not None else None,
        "disposition": dmarc.disposition.value,
        "alignment": {"spf": dmarc.alignment.spf, "dkim": dmarc.alignment.dkim},
        "reason": dmarc.reason,
    }


@rule(
    code="auth.dmarc.pass",
    severity=Severity.PASS,
    group="auth",
    summary="The sender's domain {domain} is proven by {by}.",
    why="The shown domain is not forged. Whether its owner is honest is another question.",
    reference="RFC 9989 §5.3",
)
def dmarc_pass(facts: Facts) -> Seen | None:
    dmarc = facts.auth.dmarc
    if dmarc.result is not DmarcResultWord.PASS:
        return None
    by = " and ".join(name for name, is_so in (("SPF", dmarc.alignment.spf), ("DKIM", dmarc.alignment.dkim)) if is_so)
    return Seen(evidence={**_evidence(facts), "by": by})


@rule(
    code=FAIL_CODE,
    severity=Severity.DANGER,
    weight=6.0,
    group="auth",
    summary="The message says it is from {domain}, but that is not proven, and the domain's policy is {policy}.",
    why="Its owner publishes how his mail can be recognised, and this one does not fit: it is forged, or was changed "
    "by a mailing list or forwarder.",
    remedy="Do not act on it. If it is real, the sender must sign with an aligned DKIM key or use listed servers.",
    reference="RFC 9989 §5.3",
    when=_no_pass,
)
def dmarc_fail(facts: Facts) -> Seen | None:
    dmarc = facts.auth.dmarc
    if dmarc.result is not DmarcResultWord.FAIL:
        return None
    grounds = grounds_of(facts)
    enforcement = enforce_dmarc(grounds, facts.settings)
    severity, weight = weigh_failure(grounds, enforcement, facts.settings)
    evidence = {
        **_evidence(facts),
        "enforced": enforcement.action.value if enforcement.action is not None else "nothing",
        "why": enforcement.why,
        "signs": list(enforcement.signs),
    }
    return Seen(evidence=evidence, severity=severity, weight=weight)


def weigh_failure(grounds: Grounds, enforcement: Enforcement, settings: InspectorSettings) -> tuple[Severity, float]:
    """How grave a failure is and what it weighs, as far as the rule itself says."""
    if enforcement.vouched_by:
        return Severity.NOTICE, 0.5
    if settings.dmarc is DmarcEnforcement.REPORT_ONLY:
        return _FAIL[DmarcPolicy.NONE]
    if grounds.disposition is not grounds.policy:
        return _FAIL[grounds.disposition]
    return _FAIL[grounds.policy or DmarcPolicy.NONE]


@rule(
    code="auth.dmarc.none",
    severity=Severity.INFO,
    weight=0.8,
    group="auth",
    summary="The sender's domain {domain} publishes no DMARC policy.",
    why="Anyone can write it as the sender, and nobody would notice.",
    remedy="The domain's owner has to publish a DMARC record, p=none to begin with.",
    reference="RFC 9989 §4.10.1",
    when=_no_pass,
)
def dmarc_none(facts: Facts) -> Seen | None:
    dmarc = facts.auth.dmarc
    if dmarc.result is not DmarcResultWord.NONE or not dmarc.author_domain:
        return None
    return Seen(evidence=_evidence(facts), weight=0.2 if dmarc.aligned else None)


@rule(
    code="auth.dmarc.aligned-without-policy",
    severity=Severity.PASS,
    group="auth",
    summary="The sender's domain {domain} is proven, though it publishes no DMARC policy.",
    why="SPF or DKIM pass for the very domain that is shown.",
    reference="RFC 9989 §4.4",
    when=_no_pass,
)
def dmarc_aligned(facts: Facts) -> Seen | None:
    dmarc = facts.auth.dmarc
    return Seen(evidence=_evidence(facts)) if dmarc.result is DmarcResultWord.NONE and dmarc.aligned else None


@rule(
    code=TEMPERROR_CODE,
    severity=Severity.WARNING,
    weight=1.0,
    group="auth",
    summary="Whether the sender's domain {domain} is proven cannot be told now: {reason}.",
    why="Without an answer from DNS it is neither a pass nor a failure.",
    remedy="Let the sender try again later; if it is often so, look at your resolver.",
    reference="RFC 9989 §5.3.6",
    when=_no_pass,
)
def dmarc_temperror(facts: Facts) -> Seen | None:
    if facts.auth.dmarc.result is not DmarcResultWord.TEMPERROR:
        return None
    return Seen(evidence=_evidence(facts), weight=0.0 if facts.auth.dmarc.aligned else None)


@rule(
    code="auth.dmarc.permerror",
    severity=Severity.NOTICE,
    weight=1.5,
    group="auth",
    summary="DMARC cannot be judged for {domain}: {reason}.",
    why="A record that cannot be used protects nobody, and too many authors are a way to hide one.",
    remedy="The domain's owner has to correct the record; `gatepost verify dmarc` shows what is wrong.",
    reference="RFC 9989 §4.10.1",
    when=_no_pass,
)
def dmarc_permerror(facts: Facts) -> Seen | None:
    return Seen(evidence=_evidence(facts)) if facts.auth.dmarc.result is DmarcResultWord.PERMERROR else None
