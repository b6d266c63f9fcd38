"""Rules on DKIM: who signed the message, and what the signatures are worth.

In: `Facts`. Out: `Seen`. Standard: RFC 6376 §6.3 (what a receiver makes of results), §8.2 (`l=`), RFC 8301.
Not here: the verification (`msgauth.dkim`), alignment with the author (`dmarc`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.msgauth.dkim.result import DkimStatus, SignatureResult

GOOD_RSA_BITS = 2048  # RFC 8301 §3.2: signers should use at least this many


def _has_flaw(facts: Facts) -> bool:
    """There is no signature, or one that does not plainly pass."""
    signatures = facts.auth.dkim.signatures
    for one in signatures:
        if one.result is not DkimStatus.PASS or one.body_length is not None or one.unsigned_fields or _is_weak(one):
            return True
    return not signatures


def _shown(signatures: Iterable[SignatureResult]) -> dict[str, Any]:
    """The evidence: the first signature in words, all of them as data."""
    found = list(signatures)
    return {
        "domain": found[0].domain or "an unreadable domain",
        "reason": found[0].reason,
        "signatures": [signature.as_json() for signature in found[:8]],
    }


def _those(facts: Facts, fits: Callable[[SignatureResult], bool]) -> Seen | None:
    signatures = facts.auth.dkim.signatures
    if not signatures:
        return None
    found = [signature for signature in signatures if fits(signature)]
    return Seen(evidence=_shown(found)) if found else None


@rule(
    code="auth.dkim.pass",
    severity=Severity.PASS,
    group="auth",
    summary="The message was signed by {domain} and has not been changed since.",
    why="The signing domain vouches for the message. It is proof of the shown sender only where the two are aligned.",
    reference="RFC 6376 §6.1",
)
def dkim_pass(facts: Facts) -> Seen | None:
    passed = facts.auth.dkim.passed
    if not passed:
        return None
    author = facts.auth.dmarc.author_domain
    return Seen(evidence=_shown(sorted(passed, key=lambda s: s.domain != author)))


@rule(
    code="auth.dkim.fail",
    severity=Severity.NOTICE,
    weight=1.5,
    group="auth",
    summary="The signature of {domain} does not fit the message: {reason}.",
    why="The message was changed on its way (mailing lists do that), or the signature was copied from another one.",
    remedy="Do not rely on who it says it is from, unless another signature passes.",
    reference="RFC 6376 §6.3",
    when=_has_flaw,
)
def dkim_fail(facts: Facts) -> Seen | None:
    seen = _those(facts, lambda s: s.result is DkimStatus.FAIL and not s.testing)
    if seen is not None and facts.auth.dkim.passed:
        return Seen(evidence=seen.evidence, severity=Severity.INFO, weight=0.0)
    return seen


@rule(
    code="auth.dkim.none",
    severity=Severity.INFO,
    weight=0.5,
    group="auth",
    summary="The message carries no DKIM signature.",
    why="Nothing protects its content on the way, and forwarded mail cannot be proven.",
    remedy="The sending domain should sign its mail.",
    reference="RFC 6376 §6.3",
    when=_has_flaw,
)
def dkim_none(facts: Facts) -> Seen | None:
    return Seen() if not facts.auth.dkim.signatures else None


@rule(
    code="auth.dkim.permerror",
    severity=Severity.NOTICE,
    weight=1.0,
    group="auth",
    summary="The signature of {domain} can never verify: {reason}.",
    why="A signature without a usable key proves nothing; a revoked key may mean that it was stolen.",
    remedy="The signing domain has to publish its key and to sign by today's rules.",
    reference="RFC 6376 §6.1.2",
    when=_has_flaw,
)
def dkim_permerror(facts: Facts) -> Seen | None:
    broken = (DkimStatus.PERMERROR, DkimStatus.NEUTRAL)
    seen = _those(facts, lambda s: s.result in broken and not s.expired and not _is_weak(s))
    if seen is not None and facts.auth.dkim.passed:
        return Seen(evidence=seen.evidence, severity=Severity.INFO, weight=0.0)
    return seen


@rule(
    code="auth.dkim.policy",
    severity=Severity.NOTICE,
    weight=1.0,
    group="auth",
    summary="The signature of {domain} is not accepted here: {reason}.",
    why="It fits, but leaves open what a reader sees, or there were too many to look at.",
    remedy="Treat the message as unsigned.",
    reference="RFC 6376 §8",
    when=_has_flaw,
)
def dkim_policy(facts: Facts) -> Seen | None:
    return _those(facts, lambda s: s.result is DkimStatus.POLICY)


@rule(
    code="auth.dkim.temperror",
    severity=Severity.NOTICE,
    weight=0.5,
    group="auth",
    summary="The key of {domain} could not be looked up: {reason}.",
    why="Nobody knows now whether the signature is good; that is neither a pass nor a fail.",
    remedy="Try again later; if it is often so, the domain's name servers or your resolver are in trouble.",
    reference="RFC 6376 §6.1.2",
    when=_has_flaw,
)
def dkim_temperror(facts: Facts) -> Seen | None:
    return _those(facts, lambda s: s.result is DkimStatus.TEMPERROR)


@rule(
    code="auth.dkim.expired",
    severity=Severity.NOTICE,
    weight=1.5,
    group="auth",
    summary="The signature of {domain} has expired.",
    why="The message was held back for long, or an old one is being sent again by somebody else (replay).",
    remedy="Look at the Received fields: if it was not waiting in a queue, somebody replays it.",
    reference="RFC 6376 §3.5",
    when=_has_flaw,
)
def dkim_expired(facts: Facts) -> Seen | None:
    return _those(facts, lambda s: s.expired)


@rule(
    code="auth.dkim.weak-key",
    severity=Severity.NOTICE,
    weight=0.5,
    group="auth",
    summary="The key of {domain} is weak: {bits} bits.",
    why="RSA keys under 1024 bits have been broken by amateurs, and 1024 bits are within reach of states.",
    remedy="The signing domain has to change to RSA with 2048 bits or to Ed25519.",
    reference="RFC 8301 §3.2",
    when=_has_flaw,
)
def dkim_weak_key(facts: Facts) -> Seen | None:
    weak = [s for s in facts.auth.dkim.signatures if _is_weak(s)]
    if not weak:
        return None
    evidence = {**_shown(weak), "bits": weak[0].key_bits}
    if weak[0].result is DkimStatus.PASS:
        return Seen(evidence=evidence, severity=Severity.INFO, weight=0.0)
    return Seen(evidence=evidence)


@rule(
    code="auth.dkim.body-length",
    severity=Severity.WARNING,
    weight=1.5,
    group="auth",
    summary="The signature of {domain} leaves the end of the message open: {unsigned} octets there are not signed.",
    why="With `l=` anyone can add text, even a whole new page, below the signed part, and the signature still passes.",
    remedy="Do not rely on the signature. The signing domain has to stop using l=.",
    reference="RFC 6376 §8.2",
    when=_has_flaw,
)
def dkim_body_length(facts: Facts) -> Seen | None:
    found = [s for s in facts.auth.dkim.signatures if s.body_length is not None]
    if not found:
        return None
    unsigned = max(s.unsigned_body for s in found)
    evidence = {**_shown(found), "unsigned": unsigned}
    if not unsigned:
        return Seen(evidence=evidence, severity=Severity.INFO, weight=0.2)
    return Seen(evidence=evidence)


@rule(
    code="auth.dkim.unsigned-fields",
    severity=Severity.WARNING,
    weight=2.0,
    group="auth",
    summary="Fields that a reader sees stand above those that {domain} signed: {fields}.",
    why="Somebody added them after the signing, so what is shown is not what was signed.",
    remedy="Do not trust the shown subject and sender. Signers should name these fields once more than they occur.",
    reference="RFC 6376 §8.15",
    when=_has_flaw,
)
def dkim_unsigned_fields(facts: Facts) -> Seen | None:
    found = [s for s in facts.auth.dkim.signatures if s.unsigned_fields]
    if not found:
        return None
    return Seen(evidence={**_shown(found), "fields": ", ".join(found[0].unsigned_fields)})


def _is_weak(signature: SignatureResult) -> bool:
    return 0 < signature.key_bits < GOOD_RSA_BITS and signature.algorithm.startswith("rsa")
