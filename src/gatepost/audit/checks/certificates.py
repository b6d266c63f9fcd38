"""Certificates at the ports: for the right name, from a known authority, not expired, with a strong key.

In: `Facts.services`. Standard: RFC 5280, RFC 9525 (names), RFC 6960 (OCSP), RFC 7435 (between servers any certificate
will do, unless MTA-STS or DANE says otherwise). Not here: reading them (`certificate`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gatepost.audit.certificate import Certificate, read_certificate, read_staple
from gatepost.audit.check import Area, Seen, check
from gatepost.audit.checks.ports import place
from gatepost.audit.checks.tls import area_of, with_tls
from gatepost.audit.facts import Facts
from gatepost.finding import Severity
from gatepost.msgauth.sts import StsMode, StsPolicy, parse_sts_policy
from gatepost.ports import Service, TlsSeen

DAY = 86_400.0
LEAST_RSA, LEAST_EC = 2048, 224


def _leaves(facts: Facts) -> Iterator[tuple[Service, TlsSeen, Certificate]]:
    for one, tls in with_tls(facts):
        leaf = read_certificate(tls.chain[0]) if tls.chain else None
        if leaf is not None:
            yield one, tls, leaf


def _demanded(facts: Facts, one: Service) -> bool:
    """Whether somebody looks at this certificate: mail programs always, senders where MTA-STS is enforced."""
    if one.target.port != 25:
        return True
    page = facts.sts.page if facts.sts is not None else None
    policy = parse_sts_policy(page.body) if page is not None and page.is_there else None
    return isinstance(policy, StsPolicy) and policy.mode is StsMode.ENFORCE


def _grave(facts: Facts, one: Service) -> Severity:
    return Severity.DANGER if _demanded(facts, one) else Severity.NOTICE


def _date(epoch: float) -> str:
    try:
        return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, OSError, ValueError):
        return "a date beyond all calendars"


@check(
    code="certificate.expired",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="The certificate at {place} expired on {when}",
    why="Mail programs warn or refuse; senders that demand TLS do not deliver.",
    remedy="Renew the certificate and have the server load it; then let it be renewed by itself (ACME).",
    reference="RFC 5280 §4.1.2.5",
)
def expired(facts: Facts) -> Iterator[Seen]:
    for one, _, leaf in _leaves(facts):
        if leaf.not_after < facts.now:
            evidence = {"place": place(one), "when": _date(leaf.not_after), "subject": leaf.subject}
            yield Seen(
                area=area_of(one),
                evidence=evidence,
                severity=Severity.DANGER if _demanded(facts, one) else Severity.WARNING,
            )


@check(
    code="certificate.expires-soon",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="The certificate at {place} expires in {days} days, on {when}",
    why="Certificates live for months only; one that nobody renews stops mail on a day that nobody chose.",
    remedy="Look why it was not renewed by itself yet (ACME clients renew when a third of its life is left).",
    reference="RFC 5280 §4.1.2.5",
)
def expires_soon(facts: Facts) -> Iterator[Seen]:
    for one, _, leaf in _leaves(facts):
        days = (leaf.not_after - facts.now) / DAY
        if 0 <= days < facts.settings.expiry_days:
            yield Seen(
                area=area_of(one), evidence={"place": place(one), "days": int(days), "when": _date(leaf.not_after)}
            )


@check(
    code="certificate.not-yet",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="The certificate at {place} is valid from {when} only",
    why="It is refused until then. Often the clock of the machine that made it was wrong.",
    remedy="Check the clocks, and get a new certificate.",
    reference="RFC 5280 §4.1.2.5",
)
def not_yet(facts: Facts) -> Iterator[Seen]:
    for one, _, leaf in _leaves(facts):
        if leaf.not_before > facts.now:
            yield Seen(area=area_of(one), evidence={"place": place(one), "when": _date(leaf.not_before)})


@check(
    code="certificate.wrong-name",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="The certificate at {place} is for {names}, not for {host}",
    why="Whoever looks at certificates refuses it: mail programs, and senders that obey MTA-STS.",
    remedy="Get a certificate that names {host} as well.",
    reference="RFC 9525 §6",
)
def wrong_name(facts: Facts) -> Iterator[Seen]:
    for one, _, leaf in _leaves(facts):
        if not leaf.names_host(one.target.host):
            names = list(leaf.names[:10]) or ["nobody"]
            evidence = {"place": place(one), "host": one.target.host, "names": names, "subject": leaf.subject}
            yield Seen(area=area_of(one), evidence=evidence, severity=_grave(facts, one))


@check(
    code="certificate.untrusted",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="No known authority vouches for the certificate at {place}: {reason}",
    why="Mail programs warn their users, who then learn to click warnings away; senders that obey MTA-STS refuse.",
    remedy="Get a certificate from a public authority (free by ACME), and serve the intermediate certificates with it.",
    reference="RFC 5280 §6",
)
def untrusted(facts: Facts) -> Iterator[Seen]:
    for one, tls, leaf in _leaves(facts):
        if not tls.trusted and leaf.not_after >= facts.now:
            reason = "it vouches for itself" if leaf.self_signed else tls.distrust
            evidence = {"place": place(one), "reason": reason, "issuer": leaf.issuer, "chain": len(tls.chain)}
            yield Seen(area=area_of(one), evidence=evidence, severity=_grave(facts, one))


@check(
    code="certificate.weak",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="The certificate at {place} has {weakness}",
    why="Modern software refuses it, and it can be forged with effort.",
    remedy="Get a new certificate with an EC key (P-256) or an RSA key of 2,048 bits, signed with SHA-256.",
    reference="RFC 9325 §4.2",
)
def weak(facts: Facts) -> Iterator[Seen]:
    for one, _, leaf in _leaves(facts):
        found = []
        if leaf.key_type in ("rsa", "dsa") and leaf.bits < LEAST_RSA:
            found.append(f"a key of {leaf.bits} bits ({leaf.key_type})")
        if leaf.key_type == "ec" and leaf.bits < LEAST_EC:
            found.append(f"an EC key of {leaf.bits} bits")
        if leaf.signed_with in ("md5", "sha1") and not leaf.self_signed:
            found.append(f"a signature with {leaf.signed_with}")
        if found:
            yield Seen(area=area_of(one), evidence={"place": place(one), "weakness": found, "subject": leaf.subject})


@check(
    code="certificate.staple",
    area=Area.TRANSPORT,
    severity=Severity.INFO,
    summary="{place} sends an OCSP answer: {status}",
    why="It says at once whether the certificate was revoked, without asking the authority.",
    remedy="Renew the OCSP answer, or the certificate if it was revoked; without must-staple it may also be left out.",
    reference="RFC 6066 §8, RFC 6960, RFC 7633",
)
def staple(facts: Facts) -> Iterator[Seen]:
    for one, tls, leaf in _leaves(facts):
        if tls.staple is None:
            if leaf.must_staple and tls.staple_asked:
                summary = "The certificate at {place} demands an OCSP answer, and the server sends none"
                yield Seen(
                    area=area_of(one), evidence={"place": place(one)}, severity=Severity.WARNING, summary=summary
                )
            continue
        found = read_staple(tls.staple)
        old = found.until is not None and found.until < facts.now
        bad = found.status == "revoked" or (old and leaf.must_staple)
        status = found.problem or (f"{found.status}, out of date" if old else found.status)
        grave = Severity.DANGER if bad else Severity.NOTICE if old or found.problem else Severity.PASS
        yield Seen(area=area_of(one), evidence={"place": place(one), "status": status}, severity=grave)


@check(
    code="certificate.good",
    area=Area.TRANSPORT,
    severity=Severity.PASS,
    summary="The certificate at {place} is good until {when} ({key_type}, {bits} bits, from {issuer})",
    why="Says when it ends, and who gave it.",
    reference="RFC 5280",
)
def good(facts: Facts) -> Iterator[Seen]:
    for one, tls, leaf in _leaves(facts):
        if tls.trusted and leaf.names_host(one.target.host) and leaf.not_before <= facts.now <= leaf.not_after:
            evidence = {
                "place": place(one),
                "when": _date(leaf.not_after),
                "key_type": leaf.key_type,
                "bits": leaf.bits,
                "issuer": leaf.issuer,
                "names": list(leaf.names[:20]),
            }
            yield Seen(area=area_of(one), evidence=evidence)


CHECKS = (expired, expires_soon, not_yet, wrong_name, untrusted, weak, staple, good)
