"""msgauth.iprev and .reverse: forward-confirmed reverse DNS."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from fakes import DictResolver
from gatepost.msgauth.iprev import MAX_NAMES, IprevResult, check_iprev
from gatepost.msgauth.reverse import reverse_name

REVERSE = "1.2.0.192.in-addr.arpa"


def check(resolver: DictResolver, ip: str = "192.0.2.1") -> IprevResult:
    return asyncio.run(check_iprev(ip, resolver))


@pytest.mark.parametrize("ip", ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "fe80::ffff:1:2"])
def test_reverse_names_are_those_of_the_standard_library(ip: str) -> None:
    assert reverse_name(ip_address(ip)) == ip_address(ip).reverse_pointer


def test_a_name_that_leads_back_passes() -> None:
    result = check(
        DictResolver({REVERSE: {"PTR": ["x.example.org", "mx.example.org"]}, "mx.example.org": {"A": "192.0.2.1"}})
    )
    assert (result.result, result.name) == ("pass", "mx.example.org")
    assert result.names == ("x.example.org", "mx.example.org")
    assert result.as_json()["name"] == "mx.example.org"


def test_ipv6_asks_for_aaaa() -> None:
    name = ip_address("2001:db8::1").reverse_pointer
    resolver = DictResolver({name: {"PTR": "mx.example.org"}, "mx.example.org": {"AAAA": "2001:DB8:0::1"}})
    assert check(resolver, "2001:db8:0:0::1").result == "pass"


def test_ipv4_mapped_addresses_are_ipv4() -> None:
    resolver = DictResolver({REVERSE: {"PTR": "mx.example.org"}, "mx.example.org": {"A": "192.0.2.1"}})
    assert check(resolver, "::ffff:192.0.2.1").result == "pass"


def test_a_name_that_leads_elsewhere_fails() -> None:
    result = check(DictResolver({REVERSE: {"PTR": "mx.example.org"}, "mx.example.org": {"A": "192.0.2.2"}}))
    assert (result.result, result.name) == ("fail", "")
    assert "mx.example.org" in result.reason


def test_a_name_that_leads_nowhere_fails() -> None:
    assert check(DictResolver({REVERSE: {"PTR": "mx.example.org"}})).result == "fail"


def test_no_name_is_permerror() -> None:
    result = check(DictResolver())
    assert (result.result, result.names) == ("permerror", ())


def test_timeouts_are_temporary() -> None:
    assert check(DictResolver(tempfail=[REVERSE])).result == "temperror"
    assert check(DictResolver({REVERSE: {"PTR": "m.example.org"}}, tempfail=["m.example.org"])).result == "temperror"


def test_a_timeout_beside_a_name_that_leads_back() -> None:
    zone = {REVERSE: {"PTR": ["a.example.org", "b.example.org"]}, "b.example.org": {"A": "192.0.2.1"}}
    assert check(DictResolver(zone, tempfail=["a.example.org"])).result == "pass"


def test_the_number_of_names_is_limited() -> None:
    names = [f"h{n}.example.org" for n in range(50)]
    resolver = DictResolver({REVERSE: {"PTR": names}, names[49]: {"A": "192.0.2.1"}})
    result = check(resolver)
    assert result.result == "fail"
    assert len(resolver.asked) == 1 + MAX_NAMES


@pytest.mark.parametrize("ip", ["", "unknown", "192.0.2", "1" * 5000])
def test_an_unknown_address_is_none(ip: str) -> None:
    assert check(DictResolver(), ip).result == "none"
