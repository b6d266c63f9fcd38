"""msgauth.spf: check_host and check_ehlo where the openspf suite does not look."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fakes import DictResolver, Zone
from gatepost.msgauth.spf import SpfIdentity, SpfResult, SpfSettings, check_ehlo, check_host
from gatepost.msgauth.spf.name import to_ascii
from gatepost.ports import Mx
from gatepost.spf import check_ehlo_sync, check_host_sync


def check(zone: Zone | DictResolver, ip: str = "192.0.2.1", mail_from: str = "a@example.org", **more: Any) -> SpfResult:
    resolver = zone if isinstance(zone, DictResolver) else DictResolver(zone)
    more.setdefault("ehlo", "mx.example.org")
    return asyncio.run(check_host(ip=ip, mail_from=mail_from, resolver=resolver, **more))


def policy(text: str, **more: Any) -> dict[str, dict[str, Any]]:
    return {"example.org": {"TXT": [text], **more}}


def test_the_matching_term_is_named_as_written() -> None:
    result = check(policy("v=spf1 ip4:198.51.100.0/24 +IP4:192.0.2.0/28 -all"))
    assert (result.result, result.mechanism, result.domain) == ("pass", "+IP4:192.0.2.0/28", "example.org")
    assert result.as_json()["result"] == "pass"


def test_the_null_sender_is_postmaster_at_the_ehlo_name() -> None:
    zone = {
        "mx.example.org": {"TXT": ["v=spf1 exists:%{l}.example.org -all"]},
        "postmaster.example.org": {"A": "127.0.0.2"},
    }
    result = check(zone, mail_from="")
    assert (result.result, result.domain, result.identity) == ("pass", "mx.example.org", SpfIdentity.MAIL_FROM)


def test_the_ehlo_identity_is_checked_by_itself() -> None:
    resolver = DictResolver({"mx.example.org": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}, **policy("v=spf1 -all")})
    result = asyncio.run(check_ehlo(ip="192.0.2.1", ehlo="MX.example.org.", resolver=resolver))
    assert (result.result, result.domain, result.identity) == ("pass", "mx.example.org", SpfIdentity.HELO)


@pytest.mark.parametrize("ehlo", ["", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]", "a..b", "x" * 70 + ".org"])
def test_an_ehlo_that_is_no_name_gives_none(ehlo: str) -> None:
    resolver = DictResolver()
    assert asyncio.run(check_ehlo(ip="192.0.2.1", ehlo=ehlo, resolver=resolver)).result == "none"
    assert resolver.asked == []


@pytest.mark.parametrize("ip", ["", "unix:/tmp/socket", "192.0.2.1.5", "999.0.0.1", "::g"])
def test_an_unknown_address_gives_none(ip: str) -> None:
    assert check(policy("v=spf1 -all"), ip=ip).result == "none"


def test_an_ipv4_mapped_address_is_checked_as_ipv4() -> None:
    assert check(policy("v=spf1 ip4:192.0.2.1 -all"), ip="::ffff:192.0.2.1").result == "pass"


def test_a_zone_identifier_does_not_matter() -> None:
    assert check(policy("v=spf1 ip6:fe80::1 -all"), ip="fe80::1%eth0").result == "pass"


def test_a_timeout_is_a_temporary_error_wherever_it_happens() -> None:
    for text in ("v=spf1 a:t.example.org -all", "v=spf1 mx:t.example.org -all", "v=spf1 exists:t.example.org -all",
                 "v=spf1 include:t.example.org -all", "v=spf1 redirect=t.example.org"):  # fmt: skip
        assert check(DictResolver(policy(text), tempfail=["t.example.org"])).result == "temperror", text
    assert check(DictResolver(tempfail=["example.org"])).result == "temperror"


def test_a_timeout_of_reverse_dns_only_fails_to_match() -> None:
    resolver = DictResolver(policy("v=spf1 ptr -all"), tempfail=["1.2.0.192.in-addr.arpa"])
    assert check(resolver).result == "fail"


def test_ten_lookups_are_enough_and_eleven_are_not() -> None:
    includes = {f"i{n}.example.org": {"TXT": ["v=spf1 ip4:198.51.100.1"]} for n in range(11)}

    def text(count: int) -> str:
        return "v=spf1 " + " ".join(f"include:i{n}.example.org" for n in range(count)) + " -all"

    assert check({**policy(text(10)), **includes}).result == "fail"
    result = check({**policy(text(11)), **includes})
    assert (result.result, result.lookups) == ("permerror", 11)
    assert "10 DNS look-ups" in result.reason


def test_a_policy_that_includes_itself_ends() -> None:
    resolver = DictResolver(policy("v=spf1 include:example.org -all"))
    assert check(resolver).result == "permerror"
    assert len(resolver.asked) == 11


def test_the_third_term_in_vain_is_one_too_many() -> None:
    assert check(policy("v=spf1 a:x.example.org a:y.example.org -all")).result == "fail"
    result = check(policy("v=spf1 a:x.example.org exists:y.example.org mx:z.example.org -all"))
    assert (result.result, result.void_lookups) == ("permerror", 3)


def test_exchangers_without_ipv6_do_not_make_an_ipv6_client_a_permerror() -> None:
    hosts = {f"mx{n}.example.org": {"A": "192.0.2.9"} for n in range(5)}
    zone = {**policy("v=spf1 mx ip6:2001:db8::/32 -all", MX=[Mx(n, f"mx{n}.example.org") for n in range(5)]), **hosts}
    result = check(zone, ip="2001:db8::1")
    assert (result.result, result.void_lookups) == ("pass", 1)


def test_a_null_mx_matches_nothing() -> None:
    assert check(policy("v=spf1 mx -all", MX=[Mx(0, ".")])).result == "fail"


def test_exchangers_are_asked_for_together() -> None:
    zone = {
        **policy("v=spf1 mx -all", MX=[Mx(20, "b.example.org"), Mx(10, "a.example.org")]),
        "a.example.org": {"A": "192.0.2.8"},
        "b.example.org": {"A": "192.0.2.1"},
    }
    resolver = DictResolver(zone)
    assert check(resolver).result == "pass"
    assert resolver.asked[-2:] == [("a.example.org", "A"), ("b.example.org", "A")]


def test_redirect_is_not_followed_when_all_is_there() -> None:
    resolver = DictResolver(policy("v=spf1 ?all redirect=other.example.org"))
    assert check(resolver).result == "neutral"
    assert resolver.asked == [("example.org", "TXT")]


def test_redirect_to_nothing_is_a_permerror() -> None:
    assert check(policy("v=spf1 redirect=nowhere.example.org")).result == "permerror"
    assert check(policy("v=spf1 redirect=%{l}.example.org"), mail_from=f"{'x' * 70}@example.org").result == "permerror"


def test_no_term_that_matches_is_neutral() -> None:
    result = check(policy("v=spf1 ip4:198.51.100.1"))
    assert (result.result, result.mechanism) == ("neutral", "")


def test_u_labels_are_looked_up_as_a_labels() -> None:
    zone = {"xn--bcher-kva.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}}
    result = check(zone, mail_from="jürgen@Bücher.example")
    assert (result.result, result.domain) == ("pass", "xn--bcher-kva.example")


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("_spf.Bücher.example", "_spf.xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("\N{ZERO WIDTH SPACE}.example", ""),
        ("ü" * 2000 + ".example", ""),
    ],
)
def test_names_in_unicode(written: str, asked: str) -> None:
    assert to_ascii(written) == asked


def test_a_local_part_in_unicode_matches_no_macro() -> None:
    zone = policy("v=spf1 exists:%{l}.example.org exists:%{L}.example.org ip4:192.0.2.1 -all")
    resolver = DictResolver(zone)
    assert check(resolver, mail_from="jürgen@example.org").mechanism == "ip4:192.0.2.1"
    assert resolver.asked == [("example.org", "TXT")]


def explain(text: str, **more: Any) -> str:
    zone = {**policy("v=spf1 -all exp=why.example.org"), "why.example.org": {"TXT": [text]}}
    return check(zone, **more).explanation


def test_the_explanation_is_the_domains_own_with_macros() -> None:
    assert explain("%{c} may not send as %{s} at %{t}", now=12.5) == "192.0.2.1 may not send as a@example.org at 12"
    assert explain("%{r}", settings=SpfSettings(receiver="mx.example.com")) == "mx.example.com"


def test_the_explanation_is_harmless() -> None:
    assert explain("hello %{l}", mail_from="a\r\nb\x1b[31m€@example.org") == "hello a??b?[31m?"
    assert explain("line one\r\nline two") == ""
    assert explain("smörgås") == ""
    assert explain("%{z}") == ""
    assert len(explain("x" * 2000)) == SpfSettings().max_explanation


def test_explanations_can_be_turned_off() -> None:
    assert explain("no", settings=SpfSettings(explanations=False)) == ""


def test_an_included_policy_explains_nothing() -> None:
    zone = {
        **policy("v=spf1 include:i.example.org -all"),
        "i.example.org": {"TXT": ["v=spf1 -all exp=why.example.org"]},
        "why.example.org": {"TXT": ["no"]},
    }
    assert check(zone).explanation == ""


def test_more_than_one_explanation_is_none() -> None:
    zone = {**policy("v=spf1 -all exp=why.example.org"), "why.example.org": {"TXT": ["one", "two"]}}
    assert check(zone).explanation == ""


def reverse(*names: str) -> dict[str, dict[str, Any]]:
    return {"1.2.0.192.in-addr.arpa": {"PTR": names}, **{name: {"A": "192.0.2.1"} for name in names}}


def test_ptr_matches_the_domain_and_what_is_below_it() -> None:
    zone = policy("v=spf1 ptr -all")
    assert check({**reverse("mx.example.org"), **zone}).result == "pass"
    assert check({**reverse("badexample.org"), **zone}).result == "fail"


def test_the_p_macro_prefers_a_name_below_the_domain() -> None:
    zone = {**policy("v=spf1 -all exp=why.example.org"), "why.example.org": {"TXT": ["%{p}"]}}
    assert check({**reverse("other.example.net", "mx.example.org"), **zone}).explanation == "mx.example.org"
    assert check({**reverse("other.example.net"), **zone}).explanation == "other.example.net"
    assert check(zone).explanation == "unknown"


def test_only_ten_reverse_names_are_confirmed() -> None:
    names = [f"h{n}.example.org" for n in range(12)]
    zone = {**policy("v=spf1 ptr -all"), "1.2.0.192.in-addr.arpa": {"PTR": names}, names[11]: {"A": "192.0.2.1"}}
    resolver = DictResolver(zone)
    assert check(resolver).result == "fail"
    assert sum(rtype == "A" for _, rtype in resolver.asked) == 10


def test_the_p_macro_costs_one_lookup() -> None:
    zone = policy("v=spf1 exists:%{p}.example.org exists:%{p}.example.net -all", A=["192.0.2.1"])
    zone["1.2.0.192.in-addr.arpa"] = {"PTR": ["mx.example.org"]}
    assert check(zone).lookups == 3


def test_synchronous_twins() -> None:
    resolver = DictResolver(policy("v=spf1 ip4:192.0.2.1 -all"))
    assert check_host_sync(ip="192.0.2.1", ehlo="x", mail_from="a@example.org", resolver=resolver).result == "pass"
    assert check_ehlo_sync(ip="192.0.2.1", ehlo="example.org", resolver=resolver).result == "pass"
