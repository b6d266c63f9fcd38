"""TLS at the ports: offered, modern, without what is broken.

In: `Facts.services`. Standard: RFC 9325 (recommendations), RFC 8996 and RFC 7568 (old versions), RFC 3207.
Not here: certificates (`certificates`), which senders may demand it (`sts`, `dane`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.checks.ports import exchangers, place
from gatepost.audit.facts import Facts
from gatepost.finding import Severity
from gatepost.ports import Service, TlsSeen

OLD = ("SSLv3", "TLSv1", "TLSv1.1")
_BROKEN = ("_NULL_", "_anon_", "EXPORT", "_RC4_", "_DES_CBC_", "_DES40_", "_RC2_")
_WEAK = ("_3DES_", "_IDEA_", "_SEED_")


def area_of(one: Service) -> Area:
    """Port 25 is the way between servers, the others are people's."""
    return Area.TRANSPORT if one.target.port == 25 else Area.ACCESS


def with_tls(facts: Facts) -> Iterator[tuple[Service, TlsSeen]]:
    """Services where a handshake was tried."""
    for one in facts.services or ():
        if one.tls is not None:
            yield one, one.tls


@check(
    code="tls.not-offered",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="{place} does not offer STARTTLS",
    why="All mail to this host crosses the Internet in the clear, and senders that demand TLS cannot deliver.",
    remedy="Give the server a certificate and switch STARTTLS on (Postfix: `smtpd_tls_security_level = may` with "
    "`smtpd_tls_chain_files`).",
    reference="RFC 3207; practice 5",
)
def not_offered(facts: Facts) -> Iterator[Seen]:
    for one in exchangers(facts):
        if one.reached and not one.starttls and not one.reason:
            yield Seen(area=area_of(one), evidence={"place": place(one)})


@check(
    code="tls.fails",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="TLS at {place} fails: {failure}",
    why="Senders fall back to the clear, or do not deliver at all.",
    remedy="Look at the server's log; try `openssl s_client -connect {host}:{port}`{starttls}.",
    reference="RFC 3207 §4.1",
)
def fails(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        if tls.failure:
            how = "" if one.target.implicit_tls else f" -starttls {one.target.spoken.value}"
            evidence = {"place": place(one), "failure": tls.failure, "host": one.target.host, "port": one.target.port}
            yield Seen(area=area_of(one), evidence={**evidence, "starttls": how})


@check(
    code="tls.old-version",
    area=Area.TRANSPORT,
    severity=Severity.NOTICE,
    summary="{place} still accepts {versions}",
    why="These versions are broken or abandoned; an attacker on the way can bring both sides down to them.",
    remedy="Allow TLS 1.2 and newer only (Postfix: `smtpd_tls_protocols = >=TLSv1.2`; Dovecot: `ssl_min_protocol = "
    "TLSv1.2`).",
    reference="RFC 8996, RFC 7568",
)
def old_version(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        found = [seen.version for seen in tls.versions if seen.accepted and seen.version in OLD]
        if found:
            worst = (
                Severity.DANGER if "SSLv3" in found else Severity.WARNING if one.target.port != 25 else Severity.NOTICE
            )
            yield Seen(area=area_of(one), evidence={"place": place(one), "versions": found}, severity=worst)


@check(
    code="tls.no-modern",
    area=Area.TRANSPORT,
    severity=Severity.DANGER,
    summary="{place} does not speak TLS 1.2 or newer",
    why="Senders and mail programs of today refuse to talk to it, or talk in the clear.",
    remedy="Update the server's software and its TLS library.",
    reference="RFC 9325 §3.1.1",
)
def no_modern(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        known = [seen for seen in tls.versions if seen.version in ("TLSv1.2", "TLSv1.3")]
        if known and all(seen.accepted is False for seen in known) and not tls.version:
            yield Seen(area=area_of(one), evidence={"place": place(one)})


@check(
    code="tls.no-13",
    area=Area.TRANSPORT,
    severity=Severity.INFO,
    summary="{place} does not speak TLS 1.3",
    why="TLS 1.2 is still good; 1.3 is faster and leaves fewer mistakes to make.",
    remedy="Update the TLS library of the server.",
    reference="RFC 9325 §3.1.1",
)
def no_13(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        if any(seen.version == "TLSv1.3" and seen.accepted is False for seen in tls.versions) and tls.version:
            yield Seen(area=area_of(one), evidence={"place": place(one)})


@check(
    code="tls.weak-suite",
    area=Area.TRANSPORT,
    severity=Severity.WARNING,
    summary="{place} accepts {kind} cipher suites: {suites}",
    why="Suites without encryption, without a certificate, or with broken ciphers can be read or changed on the way.",
    remedy="Allow only ECDHE with AES-GCM or ChaCha20 (as OpenSSL writes it: `ECDHE+AESGCM:ECDHE+CHACHA20`).",
    reference="RFC 9325 §4.1, RFC 7465",
)
def weak_suite(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        suites = list(dict.fromkeys(suite for seen in tls.versions for suite in seen.suites))
        for kind, words, grave in (("broken", _BROKEN, Severity.DANGER), ("weak", _WEAK, Severity.WARNING)):
            found = [suite for suite in suites if any(word in suite for word in words)]
            if kind == "broken" and one.target.port == 25 and all("_anon_" in suite for suite in found):
                continue  # opportunistic TLS looks at no certificate, so none is as good as any (RFC 7435 §3)
            if found:
                yield Seen(
                    area=area_of(one),
                    evidence={"place": place(one), "kind": kind, "suites": found[:20]},
                    severity=grave,
                )


@check(
    code="tls.no-forward-secrecy",
    area=Area.TRANSPORT,
    severity=Severity.INFO,
    summary="{place} accepts cipher suites without forward secrecy: {suites}",
    why="Who records the traffic and steals the key later reads all of it.",
    remedy="Leave out suites whose key exchange is plain RSA.",
    reference="RFC 9325 §4.1",
)
def no_forward_secrecy(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        suites = dict.fromkeys(suite for seen in tls.versions for suite in seen.suites)
        found = [
            suite for suite in suites if suite.startswith("TLS_RSA_WITH_") and not any(w in suite for w in _BROKEN)
        ]
        if found:
            yield Seen(area=area_of(one), evidence={"place": place(one), "suites": found[:20]})


@check(
    code="tls.good",
    area=Area.TRANSPORT,
    severity=Severity.PASS,
    summary="{place} speaks {version} with {cipher}",
    why="Says what a modern sender gets.",
    reference="RFC 9325",
)
def good(facts: Facts) -> Iterator[Seen]:
    for one, tls in with_tls(facts):
        if tls.version in ("TLSv1.2", "TLSv1.3"):
            accepted = [seen.version for seen in tls.versions if seen.accepted]
            evidence = {"place": place(one), "version": tls.version, "cipher": tls.cipher, "versions": accepted}
            yield Seen(area=area_of(one), evidence=evidence)


CHECKS = (not_offered, fails, old_version, no_modern, no_13, weak_suite, no_forward_secrecy, good)
