"""RFC 5782, section by section: the names that are asked, the answers that count, the entries that test a list."""

from __future__ import annotations

import asyncio

import pytest

from fakes import DictResolver
from gatepost.reputation import Lists, ListsSettings, Subject, SubjectKind
from gatepost.reputation.settings import DnsListSettings

NOW = 1_790_000_000.0
IP_ZONE = {"2.0.0.127.bad.example.com": {"A": "127.0.0.2"}}
NAME_ZONE = {"test.doms.example.net": {"A": "127.0.0.2"}}
OWN = {
    "bad": DnsListSettings(kind="ip", zone="bad.example.com"),
    "doms": DnsListSettings(kind="domain", zone="doms.example.net", names="host"),
}


def listed(zone: dict[str, dict[str, str]], kind: SubjectKind, value: str) -> bool:
    resolver = DictResolver(IP_ZONE | NAME_ZONE | zone)
    lists = Lists(ListsSettings(use=("bad", "doms"), dns=OWN), resolver)

    async def ask() -> bool:
        await lists.probe(NOW)
        return bool((await lists.check([Subject(kind=kind, value=value, where="client")], NOW)).listed)

    return asyncio.run(ask())


def test_2_1_an_ipv4_address_is_asked_backwards() -> None:
    assert listed({"99.2.0.192.bad.example.com": {"A": "127.0.0.2"}}, SubjectKind.IP, "192.0.2.99")


def test_2_2_a_range_is_listed_by_each_of_its_addresses() -> None:
    zone = {f"{n}.2.0.192.bad.example.com": {"A": "127.0.0.2"} for n in range(4)}
    assert [listed(zone, SubjectKind.IP, f"192.0.2.{n}") for n in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize("address", ["127.0.0.2", "127.0.0.9", "127.1.2.3", "127.0.5.1"])
def test_2_3_any_address_in_127_8_is_a_listing(address: str) -> None:
    assert listed({"99.2.0.192.bad.example.com": {"A": address}}, SubjectKind.IP, "192.0.2.99")


def test_2_3_a_text_record_alone_is_none() -> None:
    assert not listed({"99.2.0.192.bad.example.com": {"TXT": "dial-up"}}, SubjectKind.IP, "192.0.2.99")


def test_2_4_an_ipv6_address_is_asked_by_nibbles() -> None:
    name = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.bad.example.com"
    assert listed({name: {"A": "127.0.0.2"}}, SubjectKind.IP, "4321:0:1:2:3:4:567:89ab")


def test_3_a_name_is_asked_as_it_is() -> None:
    zone = {"invalid.edu.doms.example.net": {"A": "127.0.0.2"}}
    assert listed(zone, SubjectKind.DOMAIN, "invalid.edu")
    assert not listed(zone, SubjectKind.DOMAIN, "valid.edu")


@pytest.mark.parametrize("wrong", ["1.0.0.127.bad.example.com", "invalid.doms.example.net"])
def test_5_a_list_that_lists_what_no_list_may_is_not_believed(wrong: str) -> None:
    zone = {wrong: {"A": "127.0.0.2"}, "99.2.0.192.bad.example.com": {"A": "127.0.0.2"}}
    zone["a.example.doms.example.net"] = {"A": "127.0.0.2"}
    believed = (listed(zone, SubjectKind.IP, "192.0.2.99"), listed(zone, SubjectKind.DOMAIN, "a.example"))
    assert believed == ((False, True) if "bad" in wrong else (True, False))


@pytest.mark.parametrize("missing", [IP_ZONE, NAME_ZONE])
def test_5_a_list_without_its_test_entry_was_shut_down(missing: dict[str, dict[str, str]]) -> None:
    zone = {"99.2.0.192.bad.example.com": {"A": "127.0.0.2"}, "a.example.doms.example.net": {"A": "127.0.0.2"}}
    resolver = DictResolver({**(IP_ZONE if missing is NAME_ZONE else NAME_ZONE), **zone})
    lists = Lists(ListsSettings(use=("bad", "doms"), dns=OWN), resolver)
    asyncio.run(lists.probe(NOW))
    assert [lists.health.is_well(name) for name in ("bad", "doms")] == [missing is NAME_ZONE, missing is IP_ZONE]
