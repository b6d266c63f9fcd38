"""msgauth.dmarc: records, authors, and several authors; the tree walk is in tests/conformance/test_dmarc.py."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from fakes import DictResolver
from gatepost.dmarc import evaluate_sync
from gatepost.message.addresses import parse_addresses
from gatepost.msgauth.dmarc import DmarcRecord, evaluate, evaluate_all, extract_author_domain, parse_record
from gatepost.msgauth.dmarc.lookup import walk_domains
from gatepost.msgauth.dmarc.record import MAX_RECORD
from gatepost.msgauth.spf import SpfIdentity, SpfResult, SpfResultWord
from gatepost.net.zone import ZoneResolver


def read(text: str) -> DmarcRecord:
    record = parse_record(text.encode())
    assert record is not None
    return record


def test_every_tag_is_read() -> None:
    record = read(
        "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=S; psd=n; t=y; fo=1:d:s; "
        "rua=mailto:a@example.org, https://r.example.org/x; ruf=mailto:f@example.org"
    )
    assert (record.p, record.sp, record.np, record.psd, record.t) == ("reject", "quarantine", "none", "n", True)
    assert (record.adkim, record.aspf, record.fo) == ("s", "s", ("1", "d", "s"))
    assert record.rua == ("mailto:a@example.org", "https://r.example.org/x")
    assert record.ruf == ("mailto:f@example.org",)
    assert record.notes == ()


def test_defaults() -> None:
    record = read("v=DMARC1; p=none")
    assert (record.adkim, record.aspf, record.psd, record.t, record.fo) == ("r", "r", "u", False, ("0",))
    assert record.for_missing_subdomains == record.for_subdomains == "none"


def test_removed_and_unknown_tags_are_noted() -> None:
    record = read("v=DMARC1; p=none; pct=20; rf=afrf; ri=3600; foo=bar")
    assert record.removed == (("pct", "20"), ("rf", "afrf"), ("ri", "3600"))
    assert record.unknown == ("foo",)
    assert len(record.notes) == 3


def test_fo_means_nothing_without_ruf() -> None:
    assert read("v=DMARC1; p=none; fo=1").fo == ("0",)
    assert read("v=DMARC1; p=none; fo=x; ruf=mailto:a@b.org").fo == ("0",)


def test_an_old_size_limit_is_cut_off_and_noted() -> None:
    record = read("v=DMARC1; p=none; rua=mailto:a@example.org!10m")
    assert record.rua == ("mailto:a@example.org",)
    assert "size limit" in record.notes[0]


@pytest.mark.parametrize("raw", [b"", b"v=DMARC1x", b"v=DMARC", b"p=none", b"\xff", b"v=spf1 -all"])
def test_what_is_no_record(raw: bytes) -> None:
    assert parse_record(raw) is None


def test_a_record_without_end_is_cut() -> None:
    assert len(read("v=DMARC1; p=none; x=" + "y" * 100_000).text) == MAX_RECORD
    assert read("v=DMARC1;" + "a=b;" * 10_000).p is None


def test_the_walk_is_never_longer_than_eight() -> None:
    for labels in range(1, 40):
        names = walk_domains(".".join(["a"] * labels))
        assert len(names) == min(labels, 8)
        assert names[-1] == "a"


# --- authors ------------------------------------------------------------------------------------------------------


def authors(text: str, fields: int = 1) -> Any:
    return extract_author_domain(parse_addresses(text.encode()).mailboxes, fields)


def test_one_author() -> None:
    found = authors("Jane <jane@Example.ORG>")
    assert (found.domain, found.domains, found.reason) == ("example.org", ("example.org",), "")


def test_several_authors_of_one_domain_are_one_author_domain() -> None:
    assert authors("a@example.org, b@EXAMPLE.org.").domain == "example.org"


def test_several_domains() -> None:
    found = authors("a@example.org, b@example.net")
    assert (found.domain, found.domains) == ("", ("example.org", "example.net"))
    assert "2 domains" in found.reason


def test_members_of_a_group_count() -> None:
    assert authors("Board: a@example.org, b@example.org;").domain == "example.org"


@pytest.mark.parametrize("text", ["", "undisclosed-recipients:;", "Jane", "jane@[192.0.2.1]", "<>"])
def test_no_usable_domain(text: str) -> None:
    found = authors(text)
    assert found.domains == ()
    assert found.reason


def test_several_fields_are_said() -> None:
    found = authors("a@example.org", fields=2)
    assert found.domains == ("example.org",)
    assert "2 From fields" in found.reason


def test_u_labels() -> None:
    assert authors("a@bücher.example").domain == "xn--bcher-kva.example"


# --- evaluation ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    domain: str
    result: str = "pass"


@dataclass(frozen=True)
class Dkim:
    signatures: tuple[Signature, ...] = ()


ZONE = {
    "_dmarc.strict.org": {"TXT": ["v=DMARC1; p=reject"]},
    "_dmarc.soft.org": {"TXT": ["v=DMARC1; p=quarantine"]},
}


def evaluate_domains(*domains: str, dkim: Dkim = Dkim(), **more: Any) -> Any:
    return asyncio.run(evaluate_all(domains, None, dkim, resolver=DictResolver(ZONE, **more)))


def test_of_several_authors_the_strictest_policy_holds() -> None:
    result = evaluate_domains("soft.org", "strict.org", "free.org")
    assert (result.result, result.author_domain, result.disposition) == ("fail", "strict.org", "reject")
    assert "3 author domains" in result.reason


def test_one_proven_author_does_not_cover_the_others() -> None:
    dkim = Dkim((Signature("strict.org"),))
    assert evaluate_domains("strict.org", "soft.org", dkim=dkim).disposition == "quarantine"
    result = evaluate_domains("strict.org", "free.org", dkim=dkim)
    assert (result.result, result.aligned) == ("none", False)


def test_all_authors_proven() -> None:
    result = evaluate_domains("strict.org", "soft.org", dkim=Dkim((Signature("soft.org"), Signature("strict.org"))))
    assert (result.result, result.aligned) == ("pass", True)


def test_too_many_authors_are_not_let_through() -> None:
    result = evaluate_domains(*(f"d{n}.org" for n in range(9)))
    assert (result.result, result.aligned) == ("permerror", False)
    assert evaluate_domains("strict.org", *(f"d{n}.org" for n in range(9))).disposition == "reject"


def test_a_timeout_of_one_author_hides_no_pass() -> None:
    dkim = Dkim((Signature("strict.org"),))
    assert evaluate_domains("strict.org", "soft.org", dkim=dkim, tempfail=["_dmarc.soft.org"]).result == "temperror"


def test_no_author() -> None:
    assert evaluate_domains().result == "none"


def spf(domain: str, identity: SpfIdentity) -> SpfResult:
    return SpfResult(result=SpfResultWord.PASS, domain=domain, identity=identity)


def test_the_helo_identity_never_counts() -> None:
    resolver = DictResolver(ZONE)
    assert evaluate_sync("strict.org", spf("strict.org", SpfIdentity.MAIL_FROM), None, resolver=resolver).aligned
    assert not evaluate_sync("strict.org", spf("strict.org", SpfIdentity.HELO), None, resolver=resolver).aligned


def test_the_number_of_signers_is_limited() -> None:
    signers = tuple(Signature(f"s{n}.strict.org") for n in range(500))
    zone = {**ZONE, **{f"_dmarc.s{n}.strict.org": {"TXT": ["v=DMARC1; p=none; psd=n"]} for n in range(500)}}
    resolver = DictResolver(zone)
    assert asyncio.run(evaluate("strict.org", None, Dkim(signers), resolver=resolver)).result == "fail"
    assert len(resolver.asked) < 60


def test_zone_text_gives_the_same() -> None:
    resolver = ZoneResolver('_dmarc.strict.org. 300 IN TXT "v=DMARC1; " "p=reject"\n')
    result = evaluate_sync("strict.org", None, Dkim((Signature("mail.strict.org"),)), resolver=resolver)
    assert (result.result, result.policy_domain) == ("pass", "strict.org")
