"""What an audit says of zones: one fault at a time, each found, named and with its remedy; and of a zone without "
"any."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost import ZoneResolver
from gatepost.api_audit import Audit, audit_domain
from gatepost.audit.settings import AuditSettings
from gatepost.errors import InputError
from gatepost.finding import Severity
from gatepost.ports import Page

ED = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

GOOD = f"""
example.org. IN SOA ns1.example.org. h.example.org. 1 2 3 4 300
example.org. IN NS ns1.example.org.
example.org. IN NS ns2.example.net.
example.org. IN MX 10 mx1.example.org.
example.org. IN MX 20 mx2.example.org.
example.org. IN TXT "v=spf1 mx include:sender.example -all"
example.org. IN DS 1 13 2 {"00" * 32}
example.org. IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
example.org. IN CAA 0 issue "letsencrypt.org"
sender.example. IN TXT "v=spf1 ip4:203.0.114.0/24 -all"
mx1.example.org. IN A 9.9.9.1
mx1.example.org. IN AAAA 2620:fe::1
mx2.example.org. IN A 8.8.8.2
1.9.9.9.in-addr.arpa. IN PTR mx1.example.org.
2.8.8.8.in-addr.arpa. IN PTR mx2.example.org.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.f.0.0.0.2.6.2.ip6.arpa. IN PTR mx1.example.org.
_dmarc.example.org. IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"
_smtp._tls.example.org. IN TXT "v=TLSRPTv1; rua=mailto:tls@example.org"
_mta-sts.example.org. IN TXT "v=STSv1; id=1"
mta-sts.example.org. IN A 9.9.9.3
default._domainkey.example.org. IN TXT "v=DKIM1; k=ed25519; p={ED}"
"""
POLICY = b"version: STSv1\nmode: enforce\nmx: mx1.example.org\nmx: *.example.org\nmax_age: 1209600\n"


class Pages:
    """A web server that has one policy."""

    def __init__(self, policy: bytes = POLICY, **said: Any) -> None:
        self.said = {"status": 200, "content_type": "text/plain", "body": policy, **said}

    async def fetch(self, url: str, *, deadline: float, max_octets: int) -> Page:
        return Page(url=url, **self.said)


def audit(zone: str, pages: Pages | None = None, **faults: Any) -> Audit:
    """The audit of example.org in `zone`."""
    settings = AuditSettings(lookalikes=20)
    resolver = ZoneResolver(zone, **faults)
    return asyncio.run(
        audit_domain("Example.ORG.", resolver=resolver, pages=pages or Pages(), settings=settings, now=1.8e9)
    )


def bad(answer: Audit) -> dict[str, Severity]:
    """Codes that are at least a notice."""
    return {one.code: one.severity for one in answer.findings if one.severity.rank >= Severity.NOTICE.rank}


def test_a_domain_without_fault_has_the_best_grade() -> None:
    answer = audit(GOOD, authentic=True)
    assert bad(answer) == {}
    assert answer.grade.letter == "A"
    assert {grade.points for grade in answer.areas.values()} == {100.0}
    passed = {one.code for one in answer.findings if one.severity is Severity.PASS}
    assert {"mx.exchangers", "reverse.confirmed", "spf.lookups", "spf.ends-open", "dkim.key", "dmarc.policy"} <= passed
    assert {"sts.policy", "tlsrpt.record", "dnssec.signed", "caa.record"} <= passed


FAULTS = [
    # what is changed in the good zone, the code that must come, its severity, words of summary or remedy
    ("mx2.example.org. IN A 8.8.8.2\n", "", "mx.no-address", "danger", "mx2.example.org"),
    ("mx2.example.org. IN A 8.8.8.2", "mx2.example.org. IN CNAME mx1.example.org.", "mx.cname", "warning", "mx1"),
    ("mx2.example.org. IN A 8.8.8.2", "mx2.example.org. IN A 10.0.0.1", "mx.private-address", "danger", "10.0.0.1"),
    ("IN A 8.8.8.2", "IN A 9.9.9.1", "mx.same-address", "notice", "9.9.9.1"),
    ("IN A 8.8.8.2", "IN A 9.9.9.2", "mx.one-network", "notice", "9.9.9.0/24"),
    ("20 mx2.example.org.", "0 .", "mx.null-and-others", "danger", "null MX"),
    ("2.8.8.8.in-addr.arpa. IN PTR mx2", "2.8.8.8.in-addr.arpa. IN PTR mx9", "reverse.not-confirmed", "warning", "mx9"),
    ("2.8.8.8.in-addr.arpa. IN PTR mx2.example.org.\n", "", "reverse.missing", "warning", "2.8.8.8.in-addr.arpa."),
    ('example.org. IN TXT "v=spf1 mx include:sender.example -all"\n', "", "spf.missing", "danger", "v=spf1 mx -all"),
    ("include:sender.example -all", "include:sender.example +all", "spf.ends-open", "danger", "whole world"),
    ("include:sender.example -all", "include:sender.example ?all", "spf.ends-open", "warning", "-all"),
    ("include:sender.example -all", "include:sender.example", "spf.ends-open", "warning", "-all"),
    ("include:sender.example", "include:lost.example", "spf.broken-include", "danger", "lost.example does not exist"),
    ("v=spf1 mx", "v=spf1 ptr mx", "spf.ptr", "notice", "ptr"),
    ("v=spf1 mx", "v=spf1 mx all ip4:9.9.9.9", "spf.behind-all", "notice", "ip4:9.9.9.9"),
    ("v=spf1 mx", "v=spf1 nonsense mx", "spf.syntax", "danger", "nonsense"),
    ("ip4:203.0.114.0/24", "ip4:203.0.0.0/7", "spf.everybody", "danger", "sender.example"),
    ("ip4:203.0.114.0/24", "include:example.org", "spf.circle", "danger", "example.org, sender.example, example.org"),
    ("v=spf1 mx", "v=spf1 a:no1.example.org mx", "spf.voids", "warning", "a:no1.example.org"),
    ("v=spf1 mx", "v=spf1 a:no1.example a:no2.example a:no3.example mx", "spf.voids", "danger", "a:no3.example"),
    (
        "sender.example. IN TXT",
        'example.org. IN TXT "v=spf1 -all"\nsender.example. IN TXT',
        "spf.several",
        "danger",
        "2",
    ),
    ("v=spf1 mx", "v=spf1 " + ("ip4:192.0.2.1 " * 15 + '" "') * 3 + "mx", "spf.long", "notice", "octets"),
    ("k=ed25519; p=" + ED, "p=", "dkim.none-found", "notice", "--selector"),
    ("k=ed25519; p=" + ED, "t=y; k=ed25519; p=" + ED, "dkim.testing", "warning", "default"),
    ("k=ed25519; p=" + ED, "k=ed25519; p=AAAA", "dkim.unreadable", "warning", "default"),
    ("k=ed25519; p=" + ED, "h=sha1; k=ed25519; p=" + ED, "dkim.sha1-only", "danger", "sha1"),
    ("default._domainkey", "*._domainkey", "dkim.wildcard", "notice", "*.example.org"),
    (
        '_dmarc.example.org. IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"\n',
        "",
        "dmarc.missing",
        "danger",
        "p=",
    ),
    ("p=reject; rua", "p=none; rua", "dmarc.policy", "warning", "p=quarantine"),
    ("p=reject; rua", "p=rejekt; rua", "dmarc.policy", "danger", "p=none"),
    ("p=reject; rua", "p=reject; sp=none; rua", "dmarc.subdomains", "warning", "sp=none"),
    ("p=reject; rua", "p=reject; np=none; rua", "dmarc.missing-subdomains", "warning", "np=reject"),
    ("p=reject; rua", "p=reject; t=y; rua", "dmarc.test-mode", "warning", "t=y"),
    ("p=reject; rua", "p=reject; psd=y; rua", "dmarc.is-suffix", "warning", "psd=y"),
    ("p=reject; rua", "p=reject; pct=20; rua", "dmarc.removed-tags", "notice", "pct=20"),
    ("p=reject; rua", "p=reject; adkim=x; rua", "dmarc.notes", "notice", "adkim=x"),
    ("; rua=mailto:dmarc@example.org", "", "dmarc.no-reports", "notice", "rua=mailto"),
    (
        "dmarc@example.org",
        "x@sender.example",
        "dmarc.report-permission",
        "warning",
        "example.org._report._dmarc.sender.example",
    ),
    ("dmarc@example.org", "x@nowhere.example.org", "dmarc.report-address", "warning", "does not exist"),
    ("v=DMARC1; p=reject", "DMARC1; p=reject", "dmarc.not-a-record", "danger", "v=DMARC1"),
    (
        "_dmarc.example.org.",
        '_dmarc.example.org. IN TXT "v=DMARC1; p=none"\n_dmarc.example.org.',
        "dmarc.several",
        "danger",
        "2",
    ),
    (
        '_mta-sts.example.org. IN TXT "v=STSv1; id=1"\nmta-sts.example.org. IN A 9.9.9.3\n',
        "",
        "sts.missing",
        "notice",
        "mx1",
    ),
    ("v=STSv1; id=1", "v=STSv1; id=a-b", "sts.record", "warning", "letters and digits"),
    ("_smtp._tls", "_x._tls", "tlsrpt.missing", "notice", "_smtp._tls.example.org"),
    ("v=TLSRPTv1; rua=mailto:tls@example.org", "v=TLSRPTv1; rua=ftp:x", "tlsrpt.record", "warning", "ftp"),
    ("example.org. IN NS ns2.example.net.\n", "", "ns.one", "warning", "ns1.example.org"),
    ("example.org. IN DS 1", "x.example.org. IN DS 1", "dnssec.unsigned", "warning", "registry"),
    ("IN DNSKEY 257 3 13", "IN DNSKEY 257 3 5", "dnssec.old-algorithm", "warning", "RSA/SHA-1"),
]


@pytest.mark.parametrize(("old", "new", "code", "severity", "words"), FAULTS, ids=lambda value: str(value)[:30])
def test_each_fault_is_found(old: str, new: str, code: str, severity: str, words: str) -> None:
    assert old in GOOD
    found = [one for one in audit(GOOD.replace(old, new), authentic=True).findings if one.code == code]
    assert severity in [one.severity.value for one in found]
    told = " ".join(f"{one.summary} {one.remedy} {one.evidence}" for one in found)
    assert words in told
    assert all(one.remedy for one in found if one.severity.rank >= Severity.NOTICE.rank)


POLICIES = [
    (Pages(status=404, reason="the server answers 404"), "sts.policy-unreachable", "warning"),
    (Pages(b"<html>"), "sts.policy", "warning"),
    (Pages(POLICY.replace(b"*.example.org", b"*.example.net")), "sts.mx-not-named", "danger"),
    (Pages(POLICY.replace(b"enforce", b"testing")), "sts.policy", "notice"),
    (Pages(POLICY.replace(b"1209600", b"60")), "sts.short-age", "notice"),
]


@pytest.mark.parametrize(("pages", "code", "severity"), POLICIES)
def test_each_fault_of_a_policy_is_found(pages: Pages, code: str, severity: str) -> None:
    assert bad(audit(GOOD, pages, authentic=True))[code].value == severity


def test_look_ups_are_counted_along_the_tree_and_the_path_is_shown() -> None:
    """Eleven look-ups: five includes of two terms each, and one more."""
    tree = "".join(f'p{n}.example. IN TXT "v=spf1 a:mx1.example.org ip4:9.9.9.{n} -all"\n' for n in range(5))
    zone = GOOD.replace(
        "v=spf1 mx include:sender.example", "v=spf1 mx " + " ".join(f"include:p{n}.example" for n in range(5))
    )
    found = next(one for one in audit(zone + tree).findings if one.code == "spf.lookups")
    assert found.severity is Severity.DANGER
    assert found.evidence["count"] == 11
    assert "example.org → p4.example → a:mx1.example.org" in found.evidence["paths"]
    assert "include:p0.example 2" in found.evidence["by_term"]
    assert "ip4:9.9.9.0" in found.remedy


def test_a_domain_that_does_not_exist_is_told_and_nothing_else() -> None:
    answer = audit("example.net. IN A 9.9.9.9")
    assert [one.code for one in answer.findings if one.severity.rank > 1] == ["domain.missing"]
    assert answer.grade.letter == "F"


def test_a_domain_that_takes_no_mail_is_not_asked_for_servers() -> None:
    """Null MX, SPF and DMARC that refuse all: nothing to mend but what concerns every domain."""
    zone = """
    example.org. IN MX 0 .
    example.org. IN TXT "v=spf1 -all"
    _dmarc.example.org. IN TXT "v=DMARC1; p=reject; rua=mailto:x@example.org"
    """
    found = bad(audit(zone))
    assert not [code for code in found if code.startswith(("mx.", "sts.", "tlsrpt.", "spf.", "dkim.", "reverse."))]


@pytest.mark.parametrize("name", ["example.org", "_dmarc.example.org", "mx1.example.org", "sender.example"])
@pytest.mark.parametrize("how", ["timeouts", "failures"])
def test_silence_is_never_taken_for_absence(name: str, how: str) -> None:
    """TRAPS, "A DNS time-out read as no record"."""
    found = bad(audit(GOOD, authentic=True, **{how: [name]}))
    assert [code for code in found if code.endswith("unanswered")]
    assert not [code for code in found if code.endswith(("missing", "no-address", "none-found", "broken-include"))]


def test_names_that_look_alike_are_looked_up() -> None:
    zone = GOOD + "exarnple.org. IN MX 1 x.exarnple.org.\nexample.com. IN A 9.9.9.9\n"
    found = next(one for one in audit(zone).findings if one.code == "lookalike.registered")
    assert found.evidence["names"] == ["exarnple.org", "example.com"]
    assert found.evidence["with_mail"] == 1


def test_a_name_in_another_script_is_audited_as_it_stands_in_dns() -> None:
    zone = 'xn--bcher-kva.example. IN MX 0 .\nxn--bcher-kva.example. IN TXT "v=spf1 -all"\n'
    answer = asyncio.run(audit_domain("Bücher.example", resolver=ZoneResolver(zone)))
    assert (answer.domain, answer.facts.shown) == ("xn--bcher-kva.example", "bücher.example")


@pytest.mark.parametrize(
    "text", ["", "org", "a b.example", "ann@example.org", "http://example.org/", "x" * 300, "a..b", "[1.2.3.4]"]
)
def test_what_is_no_domain_is_refused_with_one_line(text: str) -> None:
    with pytest.raises(InputError, match="domain"):
        asyncio.run(audit_domain(text, resolver=ZoneResolver("")))
