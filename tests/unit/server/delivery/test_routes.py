"""Routes: what the configuration may say, and which mail goes where."""

from __future__ import annotations

import pytest

from gatepost.errors import ConfigError
from gatepost.server.delivery.routes import Carrier, Route, Routes, parse_route
from gatepost.server.delivery.settings import DestinationSettings


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("maildir", Route(Carrier.MAILDIR)),
        ("discard", Route(Carrier.DISCARD)),
        ("lmtp:/run/dovecot/lmtp", Route(Carrier.LMTP, path="/run/dovecot/lmtp")),
        ("lmtp:127.0.0.1:2424", Route(Carrier.LMTP, host="127.0.0.1", port=2424)),
        ("lmtp:mail.example.org", Route(Carrier.LMTP, host="mail.example.org", port=24)),
        ("smtp:Mail.Example.org", Route(Carrier.SMTP, host="mail.example.org", port=25)),
        ("SMTP:[2001:db8::1]:2525", Route(Carrier.SMTP, host="2001:db8::1", port=2525)),
        ("smtp:[192.0.2.1]", Route(Carrier.SMTP, host="192.0.2.1", port=25)),
    ],
)
def test_routes_that_may_be_written(text: str, route: Route) -> None:
    assert parse_route(text) == route
    assert parse_route(str(route)) == route


@pytest.mark.parametrize(
    "text",
    ["", "smtp", "smtp:", "mbox:/x", "smtp:2001:db8::1:25", "smtp:host:0", "smtp:host:65536", "smtp:host:x",
     "maildir:x", "smtp:[::1", "smtp:[::1]x", "smtp:host:١"],
)  # fmt: skip
def test_a_wrong_route_is_refused_with_the_field_and_a_remedy(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_route(text, "domains.x.route")
    assert caught.value.field == "domains.x.route"
    assert caught.value.remedy


def test_mail_for_nobody_here_has_no_route_but_the_relay() -> None:
    domains = {"example.net": "maildir"}
    assert Routes(domains).find("a@Example.NET") == Route(Carrier.MAILDIR)
    assert Routes(domains).find("a@example.org") is None
    assert Routes(domains, "smtp:127.0.0.1:25").find("a@example.org") == Route(Carrier.SMTP, "127.0.0.1", 25)
    assert not Routes(domains, "smtp:127.0.0.1:25").serves("a@example.org")


@pytest.mark.parametrize(
    ("address", "route"),
    [
        ("a@other.example", "mx:other.example"),
        ("a@Bücher.example", "mx:xn--bcher-kva.example"),
        ("a@[192.0.2.1]", "mx:192.0.2.1"),
        ("a@[IPv6:2001:DB8::1]", "mx:[2001:db8::1]"),
        ("a@hosted.example", "smtps:smart.example:465"),
        ("a@deep.below.example", "smtp:below.example:25"),
        ("a@below.example", "mx:below.example"),
        ("a@elsewhere.example", "mx:real.example"),
        ("a@strict.example", "mx:strict.example"),
        ("a@example.net", "maildir"),
    ],
)
def test_other_peoples_mail_goes_by_mx_or_as_its_table_says(address: str, route: str) -> None:
    destinations = {
        "hosted.example": DestinationSettings(route="smtps:smart.example"),
        ".below.example": DestinationSettings(route="smtp:below.example"),
        "elsewhere.example": DestinationSettings(route="mx:real.example"),
        "strict.example": DestinationSettings(tls="verified"),
    }
    assert str(Routes({"example.net": "maildir"}, "mx", destinations).find(address)) == route


def test_a_destination_with_its_own_demand_for_tls_has_its_own_lane() -> None:
    destinations = {"strict.example": DestinationSettings(tls="verified")}
    routes = Routes({}, "smtp:smart.example:587", destinations)
    assert routes.find("a@strict.example") != routes.find("a@other.example")
    assert str(routes.find("a@strict.example")) == str(routes.find("a@other.example"))


def test_no_way_out_is_said_with_a_word() -> None:
    assert Routes({}, "none").find("a@example.org") is None


def test_only_this_machine_counts_as_local() -> None:
    assert parse_route("lmtp:/run/x").is_local
    assert parse_route("smtp:127.0.0.2:25").is_local
    assert not parse_route("smtp:127.example.org:25").is_local or parse_route("smtp:127.0.0.1").is_local
    assert not parse_route("smtp:192.0.2.1:25").is_local
