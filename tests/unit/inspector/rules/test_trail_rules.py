"""The way before the client: hops in the open, impossible addresses, fields that pretend to be ours."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.inspector.rules import trail as rules
from gatepost.inspector.trace import read_path
from gatepost.message.message import parse_message
from gatepost.names import Session, Tls
from judging import CLEAN_HEADER, DATE, dmarc, make_facts, see

UNPROVEN: dict[str, Any] = {"dmarc": dmarc("none")}


def hop(address: str, by: str = "mx.relay.example", name: str = "host.sender.example", how: str = "ESMTP") -> str:
    return f"Received: from {name} ({name} [{address}]) by {by} with {how};\n {DATE}\n"


def test_path_client_without_tls() -> None:  # path.client-without-tls
    assert see(rules.client_without_tls) is not None
    assert see(rules.client_without_tls, ip="127.0.0.1") is None
    assert see(rules.client_without_tls, ip="") is None
    session = Session(client_ip="192.0.2.10", protocol="ESMTPS", tls=Tls(version="TLSv1.3", cipher="x", bits=256))
    message = parse_message(CLEAN_HEADER.encode())
    assert read_path(message, session)[0].tls is not None
    assert rules.client_without_tls.check(make_facts(ip="10.1.2.3")) is None


def test_path_hop_without_tls() -> None:  # path.hop-without-tls
    two = hop("198.51.100.7", by="mx.example.net", name="mx.relay.example", how="ESMTPS")
    found = see(rules.hop_without_tls, header=two + hop("203.0.113.5") + CLEAN_HEADER)
    assert found is not None
    assert found.evidence["hop"] == 1
    assert see(rules.hop_without_tls, header=two + hop("203.0.113.5", how="ESMTPS") + CLEAN_HEADER) is None
    assert see(rules.hop_without_tls, header=two + hop("10.0.0.5") + CLEAN_HEADER) is None
    inside = hop("203.0.113.5", by="mx.sender.example")
    assert see(rules.hop_without_tls, header=two + inside + CLEAN_HEADER) is None
    assert see(rules.hop_without_tls) is None


def test_path_private_origin() -> None:  # path.private-origin
    found = see(rules.private_origin, header=hop("192.168.1.20") + CLEAN_HEADER)
    assert found is not None
    assert found.weight == 0
    assert see(rules.private_origin, header=hop("203.0.113.5") + CLEAN_HEADER) is None
    assert see(rules.private_origin) is None


@pytest.mark.parametrize("address", ["0.1.2.3", "224.0.0.5", "250.1.2.3", "255.255.255.255", "IPv6:ff02::1"])
def test_path_impossible_address(address: str) -> None:  # path.impossible-address
    assert see(rules.impossible_address, header=hop(address) + CLEAN_HEADER) is not None


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "192.0.2.3", "IPv6:2001:db8::1", "25.1.2.3", "300.1.2.3"])
def test_addresses_that_can_be_are_let_be(address: str) -> None:
    assert see(rules.impossible_address, header=hop(address) + CLEAN_HEADER) is None


def test_path_forged_own_hop() -> None:  # path.forged-own-hop
    forged = hop("203.0.113.5", by="mx.example.net") + CLEAN_HEADER
    assert see(rules.forged_own_hop, header=forged, **UNPROVEN) is not None
    assert see(rules.forged_own_hop, header=forged) is None  # proven: our own list, and back
    assert see(rules.forged_own_hop, header=forged + "List-Id: <x.y>\n", **UNPROVEN) is None
    ours = forged.replace("ann@example.org", "ann@example.net")
    assert see(rules.forged_own_hop, header=ours, **UNPROVEN) is None
    assert see(rules.forged_own_hop, header=hop("203.0.113.5") + CLEAN_HEADER, **UNPROVEN) is None
    relay = hop("198.51.100.7", by="mx.example.net", name="host.sender.example")
    assert see(rules.forged_own_hop, header=relay + CLEAN_HEADER, trusted=("192.0.2.10",), **UNPROVEN) is None
