"""What the client is: dynamic names, borrowed EHLO names, places."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.inspector.rules import origin as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.ports import Place
from judging import CLEAN_HEADER, dmarc, ehlo, iprev, see

UNPROVEN: dict[str, Any] = {"dmarc": dmarc("none"), "spf_ehlo": ehlo("none")}


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("host-192-0-2-10.dsl.provider.example", 1.2),
        ("dyn-10.2.0.192.provider.example", 1.2),
        ("pool-192-0-2-10.provider.example", 1.2),
        ("c000020a.cable.provider.example", 1.2),
        ("192-0-2-10.provider.example", 0.6),
        ("p192000002010.dip.provider.example", 1.2),
    ],
)
def test_path_dynamic_name(name: str, weight: float) -> None:  # path.dynamic-name
    found = see(rules.dynamic_name, iprev=iprev(name=name), **UNPROVEN)
    assert found is not None
    assert found.weight == weight
    proven = see(rules.dynamic_name, iprev=iprev(name=name))
    assert proven is not None
    assert proven.weight < 0.5


@pytest.mark.parametrize(
    "name",
    [
        "mail.example.org",
        "mail-192-0-2-10.provider.example",
        "static.192-0-2-10.clients.hosting.example",
        "vps10-2.example.org",
        "o1.ptr192.sendgrid.example",
        "a10-2.smtp-out.provider.example",
    ],
)
def test_names_of_servers_are_let_be(name: str) -> None:
    assert see(rules.dynamic_name, iprev=iprev(name=name), **UNPROVEN) is None


def test_an_address_in_another_family_or_none_is_let_be() -> None:
    assert see(rules.dynamic_name, iprev=iprev(name="x-192-0-2-10.dsl.example"), ip="2001:db8::1", **UNPROVEN) is None
    assert see(rules.dynamic_name, iprev=iprev("permerror", name=""), **UNPROVEN) is None


def test_the_name_in_the_received_field_of_a_saved_file_counts() -> None:
    received = "Received: from x (host-192-0-2-10.dsl.provider.example [192.0.2.10]) by mx.example.net with SMTP;\n"
    header = f"{received} Mon, 24 Nov 2025 16:00:00 +0000\n{CLEAN_HEADER}"
    options = {"ip": "", "saved": True, "iprev": iprev("permerror", name="")}
    assert see(rules.dynamic_name, header=header, **options, **UNPROVEN) is not None


@pytest.mark.parametrize(
    ("name", "reverse"),
    [("yahoo.com", None), ("gmail.com", "host.elsewhere.example"), ("mail.paypal.com", "host.elsewhere.example")],
)
def test_path_ehlo_borrowed(name: str, reverse: str | None) -> None:  # path.ehlo-borrowed
    found = iprev("permerror", name="") if reverse is None else iprev(name=reverse)
    assert see(rules.ehlo_borrowed, ehlo_domain=name, iprev=found, **UNPROVEN) is not None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mail-wr1-f41.google.com", {"iprev": iprev(name="mail-wr1-f41.google.com")}),
        ("n9.grp.scd.yahoo.com", {"iprev": iprev("permerror", name="")}),
        ("yahoo.com", {"iprev": iprev("temperror", name="")}),
        ("yahoo.com", {"iprev": iprev("permerror", name=""), "spf_ehlo": ehlo("pass")}),
        ("outlook.com", {"iprev": iprev(name="mail-x.protection.outlook.com")}),
        ("mail.firm.example", {"iprev": iprev(name="host.hosting.example")}),
        ("mout.gmx.net", {"iprev": iprev(name="mout-xforward.gmx.net")}),
        ("[192.0.2.10]", {}),
        ("", {}),
        ("yahoo.com", {"iprev": iprev("permerror", name=""), "dmarc": dmarc()}),
    ],
)
def test_honest_ehlo_names_are_let_be(name: str, options: dict[str, Any]) -> None:
    assert see(rules.ehlo_borrowed, ehlo_domain=name, **(UNPROVEN | options)) is None


def test_path_place() -> None:  # path.place
    found = see(rules.place, place=Place(country="DE", network=64496, organization="Example Net"))
    assert found is not None
    assert found.weight == 0
    assert "DE" in found.summary
    assert see(rules.place, place=Place()) is None
    nameless = see(rules.place, place=Place(network=64496))
    assert nameless is not None
    assert "AS64496" in nameless.summary


def test_path_unexpected_country() -> None:  # path.unexpected-country
    settings = InspectorSettings(unexpected_countries=("kp", "XX"))
    assert see(rules.unexpected_country, place=Place(country="KP"), settings=settings, **UNPROVEN) is not None
    assert see(rules.unexpected_country, place=Place(country="DE"), settings=settings, **UNPROVEN) is None
    assert see(rules.unexpected_country, place=Place(country="KP"), **UNPROVEN) is None
