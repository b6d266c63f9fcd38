"""Rules on SPF: may this server send for the envelope's domain, and for its own name?

In: `Facts`. Out: `Seen`. Standard: RFC 7208 §2.6 (results), §8 (what a receiver makes of them).
Not here: the check itself (`msgauth.spf`), alignment with the author (`dmarc`).
"""

from __future__ import annotations

from typing import Any

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.msgauth.spf import SpfResult, SpfResultWord


def _no_pass(facts: Facts) -> bool:
    spf = facts.auth.spf_mail_from
    return spf is not None and spf.result is not SpfResultWord.PASS


def _evidence(facts: Facts, spf: SpfResult) -> dict[str, Any]:
    return {
        "domain": spf.domain,
        "ip": facts.session.client_ip,
        "mechanism": spf.mechanism,
        "reason": spf.reason,
        **({"explanation": spf.explanation} if spf.explanation else {}),
    }


def _seen(facts: Facts, word: SpfResultWord) -> Seen | None:
    """The MAIL FROM result where it is `word`."""
    spf = facts.auth.spf_mail_from
    return Seen(evidence=_evidence(facts, spf)) if spf is not None and spf.result is word else None


@rule(
    code="auth.spf.pass",
    severity=Severity.PASS,
    group="auth",
    summary="The domain {domain} allows the server {ip} to send its mail.",
    why="The envelope sender is not forged. That says nothing yet of the sender that is shown.",
    reference="RFC 7208 §8.3",
)
def spf_pass(facts: Facts) -> Seen | None:
    return _seen(facts, SpfResultWord.PASS)


@rule(
    code="auth.spf.fail",
    severity=Severity.WARNING,
    weight=3.0,
    group="auth",
    summary="The domain {domain} says that the server {ip} may not send its mail.",
    why="The envelope sender is forged, or the mail was forwarded by somebody who kept it.",
    remedy="Ask the sender to list the server in the SPF record, or the forwarder to rewrite the envelope (SRS).",
    reference="RFC 7208 §8.4",
    when=_no_pass,
)
def spf_fail(facts: Facts) -> Seen | None:
    seen = _seen(facts, SpfResultWord.FAIL)
    if seen is not None and facts.aligned_pass:  # proven by DKIM: forwarded mail fails so
        return Seen(evidence=seen.evidence, severity=Severity.INFO, weight=0.5)
    return seen


@rule(
    code="auth.spf.softfail",
    severity=Severity.NOTICE,
    weight=1.2,
    group="auth",
    summary="The domain {domain} says that the server {ip} probably may not send its mail.",
    why="The domain's owner is not sure of his own servers, or the envelope sender is forged.",
    remedy="Ask the sender to complete the SPF record and end it with -all.",
    reference="RFC 7208 §8.5",
    when=_no_pass,
)
def spf_softfail(facts: Facts) -> Seen | None:
    seen = _seen(facts, SpfResultWord.SOFTFAIL)
    if seen is not None and facts.aligned_pass:
        return Seen(evidence=seen.evidence, severity=Severity.INFO, weight=0.2)
    return seen


@rule(
    code="auth.spf.neutral",
    severity=Severity.INFO,
    weight=0.3,
    group="auth",
    summary="The domain {domain} says nothing about whether the server {ip} may send its mail.",
    why="A policy that allows everything proves nothing.",
    remedy="Ask the sender to end the SPF record with -all.",
    reference="RFC 7208 §8.2",
    when=_no_pass,
)
def spf_neutral(facts: Facts) -> Seen | None:
    return _seen(facts, SpfResultWord.NEUTRAL)


@rule(
    code="auth.spf.none",
    severity=Severity.INFO,
    weight=0.8,
    group="auth",
    summary="The domain {domain} publishes no SPF policy.",
    why="Anyone can write this domain into the envelope, and large receivers refuse such mail.",
    remedy="The domain's owner has to publish an SPF record.",
    reference="RFC 7208 §8.1",
    when=_no_pass,
)
def spf_none(facts: Facts) -> Seen | None:
    spf = facts.auth.spf_mail_from
    if spf is None or spf.result is not SpfResultWord.NONE or not spf.domain or not facts.session.client_ip:
        return None
    return Seen(evidence=_evidence(facts, spf), weight=0.2 if facts.aligned_pass else None)


@rule(
    code="auth.spf.temperror",
    severity=Severity.NOTICE,
    weight=0.5,
    group="auth",
    summary="The SPF policy of {domain} could not be looked up: {reason}.",
    why="Nobody knows now whether the server may send for the domain; that is neither a pass nor a fail.",
    remedy="Try again later; if it is often so, the domain's name servers or your resolver are in trouble.",
    reference="RFC 7208 §8.6",
    when=_no_pass,
)
def spf_temperror(facts: Facts) -> Seen | None:
    return _seen(facts, SpfResultWord.TEMPERROR)


@rule(
    code="auth.spf.permerror",
    severity=Severity.NOTICE,
    weight=1.0,
    group="auth",
    summary="The SPF policy of {domain} cannot be used: {reason}.",
    why="A broken policy protects nobody; receivers treat it as none, or refuse.",
    remedy="The domain's owner has to correct the record; `gatepost verify spf` shows what is wrong.",
    reference="RFC 7208 §8.7",
    when=_no_pass,
)
def spf_permerror(facts: Facts) -> Seen | None:
    return _seen(facts, SpfResultWord.PERMERROR)


@rule(
    code="auth.spf.ehlo-fail",
    severity=Severity.NOTICE,
    weight=1.5,
    group="auth",
    summary="The server introduced itself as {domain}, whose owner says that {ip} may not use that name.",
    why="The server lies about its name.",
    remedy="Believe nothing that depends on the name of the server.",
    reference="RFC 7208 §2.3",
)
def spf_ehlo_fail(facts: Facts) -> Seen | None:
    spf = facts.auth.spf_ehlo
    if spf is None or spf.result is not SpfResultWord.FAIL or spf is facts.auth.spf_mail_from:
        return None
    return Seen(evidence=_evidence(facts, spf))
