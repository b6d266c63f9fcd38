"""Which answers make DANE hold: RFC 7672 §2.1 and §2.2 as a table of zones."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.net.zone import ZoneResolver
from gatepost.server.delivery.dane import Dane, find_dane
from gatepost.server.delivery.protection import MxHost

DIGEST = "AB" * 32
ZONE = f"""
mx.example. A 192.0.2.1
_25._tcp.mx.example. TLSA 3 1 1 {DIGEST}
two.example. AAAA 2001:db8::1
_25._tcp.two.example. TLSA 2 0 2 {"CD" * 64}
_25._tcp.two.example. TLSA 3 1 1 {DIGEST}
_25._tcp.two.example. TLSA 0 0 1 {DIGEST}
none.example. A 192.0.2.2
pkix.example. A 192.0.2.3
_25._tcp.pkix.example. TLSA 1 1 1 {DIGEST}
_25._tcp.pkix.example. TLSA 3 9 1 {DIGEST}
_25._tcp.pkix.example. TLSA 3 1 9 {DIGEST}
alias.example. CNAME mx.example.
own.example. CNAME none.example.
_25._tcp.own.example. TLSA 3 1 1 {DIGEST}
broken.example. A 192.0.2.4
noaddress.example. TXT "x"
slow.example. A 192.0.2.5
moved.example. A 192.0.2.6
_25._tcp.moved.example. CNAME _25._tcp.mx.example.
unsigned.test. A 192.0.2.7
_25._tcp.unsigned.test. TLSA 3 1 1 {DIGEST}
out.example. CNAME unsigned.test.
led.example. CNAME unsigned.test.
_25._tcp.led.example. TLSA 3 1 1 {DIGEST}
odd.test. A 192.0.2.9
_25._tcp.odd.test. TLSA 3 1 1 {DIGEST}
hidden.example. CNAME mx.example.
hid.example. CNAME unsigned.test.
half.example. A 192.0.2.8
_25._tcp.half.example. CNAME _25._tcp.unsigned.test.
"""


def ask(name: str, *, authentic: bool = True) -> Dane:
    resolver = ZoneResolver(
        ZONE,
        authentic=("example", "_25._tcp.odd.test"),
        failures=("_25._tcp.broken.example", "noa.example", "hidden.example CNAME", "hid.example CNAME"),
        timeouts=("slow.example", "_25._tcp.slow.example"),
    )
    return asyncio.run(find_dane(MxHost(name, 10, authentic), resolver))


@pytest.mark.parametrize(
    ("name", "records", "base"),
    [
        ("mx.example", 1, "mx.example"),
        ("two.example", 2, "two.example"),  # usage 0 is of no use (§3.1.3)
        ("pkix.example", 0, "pkix.example"),  # only such: TLS is a must, no certificate is checked (§2.2)
        ("alias.example", 1, "mx.example"),  # §2.2.2: where the alias leads
        ("own.example", 1, "own.example"),  # else at the alias
        ("led.example", 1, "led.example"),  # §2.2.2: a signed alias to an unsigned host
        ("moved.example", 1, "moved.example"),  # §2.2.3: the records may be aliases
    ],
)
def test_authentic_records_hold(name: str, records: int, base: str) -> None:
    dane = ask(name)
    assert (dane.published, len(dane.records), dane.base, dane.error) == (True, records, base, "")


@pytest.mark.parametrize("name", ["none.example", "noaddress.example", "nxdomain.example", "unsigned.test", "odd.test",
                                  "out.example", "half.example"])  # fmt: skip
def test_no_records_or_none_that_are_authentic_means_no_dane(name: str) -> None:
    assert ask(name) == Dane()


def test_an_insecure_mx_means_no_dane() -> None:
    assert ask("mx.example", authentic=False) == Dane()


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("broken.example", "_25._tcp.broken.example"),
        ("slow.example", "slow"),
        ("hidden.example", "an alias"),
        ("hid.example", "an alias"),
    ],
)
def test_no_answer_makes_the_host_unusable(name: str, asked: str) -> None:
    dane = ask(name)
    assert asked in dane.error
    assert not dane.published
