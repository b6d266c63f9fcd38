"""Which hosts take a domain's mail: the order, what is passed over and why, ourselves in the list."""

from __future__ import annotations

import asyncio
import random

import pytest

from gatepost.errors import ConfigError
from gatepost.net.zone import ZoneResolver
from gatepost.server.delivery.hop import HopFailed, Undeliverable
from gatepost.server.delivery.mx import Exchangers, find_exchangers
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.settings import DeliverySettings

ZONE = """
two.example.      MX 10 a.mx.example.
two.example.      MX 10 b.mx.example.
two.example.      MX 20 c.mx.example.
a.mx.example.     A 192.0.2.1
b.mx.example.     A 192.0.2.2
c.mx.example.     A 192.0.2.3
many.example.     MX 0 wide.example.
wide.example.     A 192.0.2.10
wide.example.     A 192.0.2.11
wide.example.     AAAA 2001:db8::1
wide.example.     AAAA 2001:db8::2
implicit.example. A 192.0.2.4
null.example.     MX 0 .
odd.example.      MX 0 .
odd.example.      MX 5 a.mx.example.
empty.example.    TXT "nothing"
missing.example.  MX 5 nowhere.example.
missing.example.  MX 10 a.mx.example.
lost.example.     MX 5 nowhere.example.
lost.example.     MX 6 empty.example.
alias.example.    MX 5 www.example.
www.example.      CNAME a.mx.example.
twice.example.    MX 30 A.mx.example.
twice.example.    MX 5 a.mx.example.
ours.example.     MX 10 gate.example.
ours.example.     MX 20 a.mx.example.
backup.example.   MX 5 a.mx.example.
backup.example.   MX 10 gate.example.
backup.example.   MX 10 b.mx.example.
backup.example.   MX 20 c.mx.example.
natted.example.   MX 10 other-name.example.
other-name.example. A 203.0.113.9
inward.example.   MX 5 evil.example.
inward.example.   MX 10 mapped.example.
evil.example.     A 127.0.0.1
mapped.example.   AAAA ::ffff:127.0.0.1
some.example.     MX 5 evil.example.
some.example.     MX 10 a.mx.example.
half.example.     MX 5 slow.example.
half.example.     MX 10 a.mx.example.
dark.example.     MX 5 slow.example.
""" + "".join(f"crowd.example. MX {n} h{n}.example.\nh{n}.example. A 198.51.100.{n}\n" for n in range(1, 40))


def find(domain: str, seed: int = 1, **settings: object) -> Exchangers:
    more = {"own_addresses": ("203.0.113.9",), **settings}
    own = Own("gate.example", DeliverySettings(**more), listening={2525})  # type: ignore[arg-type]
    resolver = ZoneResolver(ZONE, timeouts=("slow.example", "silent.example"))
    return asyncio.run(find_exchangers(domain, resolver, own, random.Random(seed)))


def names(domain: str, seed: int = 1) -> list[str]:
    return [host.name for host in find(domain, seed).hosts]


def test_by_preference_and_by_chance_among_equals() -> None:
    orders = {tuple(names("two.example", seed)) for seed in range(20)}
    assert orders == {
        ("a.mx.example", "b.mx.example", "c.mx.example"),
        ("b.mx.example", "a.mx.example", "c.mx.example"),
    }


def test_families_take_turns() -> None:
    assert find("many.example").addresses["wide.example"] == ("2001:db8::1", "192.0.2.10", "2001:db8::2", "192.0.2.11")


def test_a_domain_without_mx_is_its_own() -> None:
    found = find("implicit.example")
    assert [(host.name, host.preference) for host in found.hosts] == [("implicit.example", 0)]


def test_a_name_listed_twice_counts_once_with_the_better_preference() -> None:
    assert [(host.name, host.preference) for host in find("twice.example").hosts] == [("a.mx.example", 5)]


def test_an_alias_is_followed() -> None:
    assert find("alias.example").addresses == {"www.example": ("192.0.2.1",)}


def test_a_null_mx_beside_others_is_passed_over() -> None:
    assert names("odd.example") == ["a.mx.example"]


def test_hosts_without_an_address_are_passed_over_with_the_reason() -> None:
    found = find("missing.example")
    assert [host.name for host in found.hosts] == ["a.mx.example"]
    assert found.skipped == ("nowhere.example has no address",)
    assert names("half.example") == ["a.mx.example"]


def test_no_more_hosts_than_anybody_needs() -> None:
    assert names("crowd.example") == [f"h{n}.example" for n in range(1, 11)]


@pytest.mark.parametrize(
    ("domain", "code", "words"),
    [
        ("null.example", "5.1.10", "null MX"),
        ("nowhere.example", "5.1.2", "no domain"),
        ("empty.example", "5.1.2", "no mail exchanger"),
        ("lost.example", "5.4.4", "nowhere.example has no address; empty.example has no address"),
        ("ours.example", "5.4.6", "is this server"),
        ("natted.example", "5.4.6", "is this server"),
        ("inward.example", "5.4.4", "127.0.0.1"),
    ],
)
def test_where_there_is_nobody_and_never_will_be(domain: str, code: str, words: str) -> None:
    with pytest.raises(Undeliverable) as caught:
        find(domain)
    assert caught.value.code == code
    assert words in caught.value.text


@pytest.mark.parametrize("domain", ["silent.example", "dark.example"])
def test_dns_without_an_answer_is_never_a_failure_for_good(domain: str) -> None:
    with pytest.raises(HopFailed) as caught:
        find(domain)
    assert caught.value.code == "4.4.3"


def test_ourselves_and_those_behind_us_are_never_sent_to() -> None:
    assert names("backup.example") == ["a.mx.example"]


def test_no_zone_points_us_at_our_own_machine() -> None:
    assert names("some.example") == ["a.mx.example"]


def test_an_address_of_this_machine_is_us_where_mail_is_taken_on_that_port() -> None:
    settings = DeliverySettings(forbidden_networks=(), mx_port=2525)
    assert Own("gate.example", settings, listening={2525}).is_address("127.0.0.1")
    assert Own("gate.example", settings).is_address("127.0.0.1")
    assert not Own("gate.example", settings, listening={25}).is_address("127.0.0.1")
    assert not Own("gate.example", settings).is_address("192.0.2.1")


@pytest.mark.parametrize(("name", "value"), [("own_addresses", ("here",)), ("forbidden_networks", ("127/8",))])
def test_what_is_no_address_is_told(name: str, value: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        Own("gate.example", DeliverySettings(**{name: value}))  # type: ignore[arg-type]
    assert name in str(caught.value)
