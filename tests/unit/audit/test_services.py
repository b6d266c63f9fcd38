"""What an audit makes of ports, TLS, certificates, DANE, lists and keys; a prober of ours says what it saw."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatepost import ZoneResolver
from gatepost.api_audit import Audit, audit_domain
from gatepost.audit.facts import HeldKey
from gatepost.audit.settings import AuditSettings
from gatepost.msgauth.dkim.publish import write_key_record
from gatepost.msgauth.tlsa import public_key_info
from gatepost.net.authority import make_authority
from gatepost.ports import Answered, Page, Service, Target, TlsSeen, VersionSeen
from gatepost.reputation import Lists
from gatepost.reputation.settings import DnsListSettings, ListsSettings

NOW = 1.8e9
ZONE = """
example.org. IN MX 10 mx1.example.org.
example.org. IN MX 20 mx2.example.org.
mx1.example.org. IN A 9.9.9.1
mx2.example.org. IN A 8.8.8.2
_imap._tcp.example.org. IN SRV 0 1 143 mx1.example.org.
_pop3s._tcp.example.org. IN SRV 0 1 995 pop.example.org.
pop.example.org. IN A 9.9.9.7
"""
MODERN = (VersionSeen(version="TLSv1.2", accepted=True), VersionSeen(version="TLSv1.3", accepted=True))


@cache
def chain(*names: str) -> tuple[bytes, ...]:
    """A certificate for `names` with its authority, in DER."""
    pem = make_authority("test", now=NOW).issue(list(names), now=NOW).chain.decode()
    ends = "-----END CERTIFICATE-----\n"
    return tuple(ssl.PEM_cert_to_DER_cert(one + ends) for one in pem.split(ends) if one.strip())


GOOD = chain("mx1.example.org", "mx2.example.org")
TLS = TlsSeen(version="TLSv1.3", cipher="TLS_AES_128_GCM_SHA256", chain=GOOD, trusted=True, versions=MODERN)
OPEN = Service(
    target=Target(host="", address="", port=25, spoken="smtp"),  # type: ignore[arg-type]
    reached=True,
    banner="mx ESMTP",
    capabilities=("PIPELINING", "STARTTLS"),
    secure_capabilities=("PIPELINING",),
    starttls=True,
    tls=TLS,
    answered=(Answered(recipient="postmaster@example.org", code=250, text="ok"),),
)
SHUT = replace(OPEN, reached=False, reason="the connection is refused", starttls=False, tls=None, answered=())


class Prober:
    """Says the same of port 25 of every host but what is told otherwise, by host and port; other ports are shut."""

    def __init__(self, **told: Service) -> None:
        self.told = told

    async def look_all(self, targets: Sequence[Target], deadline: float) -> tuple[Service, ...]:
        return tuple(self.service(target) for target in targets)

    def service(self, target: Target) -> Service:
        usual = OPEN if target.port == 25 else SHUT
        return replace(self.told.get(f"{target.host.partition('.')[0]}_{target.port}", usual), target=target)


def audit(prober: Prober, zone: str = ZONE, **more: Any) -> Audit:
    authentic = more.pop("authentic", False)
    settings = AuditSettings(lookalikes=0, common_selectors=False)
    resolver = ZoneResolver(zone, authentic=authentic)
    return asyncio.run(
        audit_domain("example.org", resolver=resolver, prober=prober, settings=settings, now=NOW + 86_400, **more)
    )


def found(answer: Audit, code: str) -> list[str]:
    return [one.severity.value for one in answer.findings if one.code == code]


def test_good_servers_are_said_to_be_good() -> None:
    answer = audit(Prober())
    assert found(answer, "tls.good") == ["pass", "pass"]
    assert found(answer, "certificate.good") == ["pass", "pass"]
    bad = {one.code for one in answer.findings if one.weight and one.code.startswith(("tls.", "cert", "login", "port"))}
    assert not bad


def test_a_host_that_is_away_and_all_that_are() -> None:
    assert found(audit(Prober(mx2_25=SHUT)), "mx.unreachable") == ["warning"]
    assert found(audit(Prober(mx1_25=SHUT, mx2_25=SHUT)), "mx.unreachable") == ["danger", "danger"]
    unsure = replace(SHUT, certain=False)
    answer = audit(Prober(mx1_25=unsure, mx2_25=unsure))
    assert (found(answer, "mx.unreachable"), found(answer, "mx.not-tried")) == ([], ["info", "info"])


def test_hosts_that_differ() -> None:
    """In what they offer, in TLS, and in what they say to a recipient."""
    plain = replace(OPEN, starttls=False, tls=None, secure_capabilities=(), capabilities=("SIZE 1",))
    answer = audit(Prober(mx2_25=plain))
    subjects = {one.evidence["subject"] for one in answer.findings if one.code == "mx.disagree"}
    assert subjects == {"EHLO", "STARTTLS"}
    assert found(answer, "tls.not-offered") == ["danger"]
    refusing = replace(OPEN, answered=(Answered(recipient="postmaster@example.org", code=550, text="no"),))
    answer = audit(Prober(mx2_25=refusing))
    assert found(answer, "mx.postmaster") == ["warning"]
    assert found(answer, "mx.disagree") == ["warning"]


def test_old_versions_and_weak_suites() -> None:
    versions = (
        VersionSeen(version="SSLv3", accepted=True, suites=("TLS_RSA_WITH_RC4_128_MD5",)),
        VersionSeen(version="TLSv1", accepted=True, suites=("TLS_RSA_WITH_3DES_EDE_CBC_SHA",)),
        *MODERN,
    )
    old = replace(OPEN, tls=replace(TLS, versions=versions))
    answer = audit(Prober(mx1_25=old))
    assert found(answer, "tls.old-version") == ["danger"]
    assert sorted(found(answer, "tls.weak-suite")) == ["danger", "warning"]
    assert found(answer, "tls.no-forward-secrecy") == ["info"]
    broken = replace(OPEN, tls=TlsSeen(failure="handshake failure"))
    assert found(audit(Prober(mx1_25=broken)), "tls.fails") == ["danger"]


def test_a_bad_certificate_matters_where_somebody_looks() -> None:
    """Between servers it is a notice, where MTA-STS is enforced and for people a danger."""

    class Policy:
        async def fetch(self, url: str, *, deadline: float, max_octets: int) -> Page:
            body = b"version: STSv1\nmode: enforce\nmx: *.example.org\nmax_age: 1209600\n"
            return Page(url=url, status=200, content_type="text/plain", body=body)

    other = replace(OPEN, tls=replace(TLS, chain=chain("other.example"), trusted=False, distrust="self-signed"))
    assert found(audit(Prober(mx1_25=other)), "certificate.wrong-name") == ["notice"]
    sts = ZONE + '_mta-sts.example.org. IN TXT "v=STSv1; id=1"\n'
    assert found(audit(Prober(mx1_25=other), sts, pages=Policy()), "certificate.wrong-name") == ["danger"]
    people = audit(Prober(mx1_993=other))
    assert found(people, "certificate.wrong-name") == ["danger"]
    assert {one.group for one in people.findings if one.code == "certificate.wrong-name"} == {"access"}


def test_passwords_in_the_clear() -> None:
    imap = replace(OPEN, capabilities=("IMAP4REV1", "STARTTLS"))
    pop3 = replace(OPEN, capabilities=("USER", "STLS"))
    smtp = replace(OPEN, capabilities=("AUTH PLAIN LOGIN", "STARTTLS"))
    answer = audit(Prober(mx1_143=imap, mx1_110=pop3, mx1_587=smtp))
    assert found(answer, "login.in-the-clear") == ["danger"] * 3
    assert found(answer, "access.only-starttls") == ["notice"] * 3
    safe = replace(OPEN, capabilities=("IMAP4REV1", "STARTTLS", "LOGINDISABLED", "AUTH=SCRAM-SHA-256"))
    assert found(audit(Prober(mx1_143=safe)), "login.in-the-clear") == []
    naked = replace(OPEN, capabilities=("IMAP4REV1", "LOGINDISABLED"), starttls=False, tls=None)
    assert found(audit(Prober(mx1_143=naked)), "login.no-tls") == ["danger"]
    assert found(audit(Prober(mx1_25=replace(OPEN, secure_capabilities=("AUTH PLAIN",)))), "login.at-25") == ["notice"]


def test_srv_records_that_lead_nowhere_or_into_the_clear() -> None:
    answer = audit(Prober())
    (broken,) = (one for one in answer.findings if one.code == "access.srv-broken" and "pop" in one.summary)
    assert "pop.example.org:995" in broken.summary
    assert found(answer, "access.srv-clear") == ["notice"]


def test_dane_against_the_certificate_that_is_served() -> None:
    """Right, wrong (as after a renewal), unusable; and whether the next key is announced."""
    digest = hashlib.sha256(public_key_info(GOOD[0])).hexdigest()
    authority = hashlib.sha256(GOOD[-1]).hexdigest()
    good = f"_25._tcp.mx1.example.org. IN TLSA 3 1 1 {digest}\n"
    answer = audit(Prober(), ZONE + good, authentic=True)
    assert found(answer, "dane.good") == ["pass"]
    assert found(answer, "dane.one-key") == ["info"]
    following = good + f"_25._tcp.mx1.example.org. IN TLSA 3 1 1 {'00' * 32}\n"
    answer = audit(Prober(), ZONE + following, authentic=True)
    assert (found(answer, "dane.good"), found(answer, "dane.one-key")) == (["pass"], [])
    answer = audit(Prober(), ZONE + good.replace(digest, "00" * 32), authentic=True)
    assert found(answer, "dane.mismatch") == ["danger"]
    assert digest in next(one for one in answer.findings if one.code == "dane.mismatch").remedy
    answer = audit(Prober(), ZONE + good.replace("3 1 1", "1 1 1"), authentic=True)
    assert found(answer, "dane.unusable") == ["warning"]
    assert found(answer, "dane.mismatch") == []
    above = f"_25._tcp.mx1.example.org. IN TLSA 2 0 1 {authority}\n"
    assert found(audit(Prober(), ZONE + above, authentic=True), "dane.good") == ["pass"]
    named = replace(OPEN, tls=replace(TLS, chain=chain("other.example")))
    above = f"_25._tcp.mx1.example.org. IN TLSA 2 0 1 {hashlib.sha256(chain('other.example')[-1]).hexdigest()}\n"
    assert found(audit(Prober(mx1_25=named), ZONE + above, authentic=True), "dane.authority-name") == ["warning"]
    unsigned = ZONE + good + "example.org. IN SOA ns.example.org. h.example.org. 1 2 3 4 5\n"
    assert found(audit(Prober(), unsigned), "dane.not-signed") == ["warning"]


def test_block_lists_that_are_named_are_asked() -> None:
    """A listing of an address and of the domain; a list that lies is not believed."""
    zone = ZONE + (
        "2.0.0.127.bl.example. IN A 127.0.0.2\n1.9.9.9.bl.example. IN A 127.0.0.2\n"
        "test.dbl.example. IN A 127.0.0.2\nexample.org.dbl.example. IN A 127.0.0.2\n"
        "*.liar.example. IN A 127.0.0.2\n"
    )
    dns = {
        "own": DnsListSettings(kind="ip", zone="bl.example"),
        "names": DnsListSettings(kind="domain", zone="dbl.example", test_listed="test"),
        "liar": DnsListSettings(kind="ip", zone="liar.example"),
    }
    lists = Lists(ListsSettings(use=tuple(dns), dns=dns), ZoneResolver(zone))
    answer = audit(Prober(), zone, lists=lists)
    listed = {(one.evidence["list"], one.evidence["subject"]) for one in answer.findings if one.code == "lists.listed"}
    assert ("own", "9.9.9.1") in listed
    assert ("names", "example.org") in listed
    assert [one.evidence["list"] for one in answer.findings if one.code == "lists.trouble"] == ["liar"]
    assert answer.areas["lists"].letter != "A"  # type: ignore[index]


def test_the_key_that_is_held_against_the_record() -> None:
    """Right; another one in DNS; none in DNS: then what to publish is said."""
    mine, other = (write_key_record(Ed25519PrivateKey.generate()) for _ in range(2))
    held = [HeldKey(selector="gp1", record=mine)]
    where = "gp1._domainkey.example.org."
    assert found(audit(Prober(), ZONE + f'{where} IN TXT "{mine}"\n', held=held), "dkim.held") == ["pass"]
    assert found(audit(Prober(), ZONE + f'{where} IN TXT "{other}"\n', held=held), "dkim.held") == ["danger"]
    answer = audit(Prober(), held=held)
    assert mine in next(one for one in answer.findings if one.code == "dkim.held").remedy
