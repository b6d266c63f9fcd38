"""server.wellformed: names, addresses and networks that are none are refused before anything is served with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.config import parse_settings
from gatepost.errors import ConfigError
from gatepost.server.entrances import parse_listen
from gatepost.server.plan import check_settings

GOOD = """
hostname = "mx.example.org"
postmaster = "ann"
[domains."example.org"]
accounts = ["ann", "o'neill", "ünï"]
aliases = { "desk.two" = ["ann"] }
catch_all = "ann"
[domains."bücher.example"]
"""


def check(text: str, tmp_path: Path) -> None:
    check_settings(parse_settings(text, tmp_path))


def test_a_good_configuration_passes(tmp_path: Path) -> None:
    check(GOOD, tmp_path)


@pytest.mark.parametrize(
    ("good", "bad", "field"),
    [
        ("mx.example.org", "mx.example.org\\r\\nX-Forged: yes", "hostname"),
        ("mx.example.org", "", "hostname"),
        ("mx.example.org", "two words", "hostname"),
        ("mx.example.org", "a" * 300, "hostname"),
        ('postmaster = "ann"', 'postmaster = "ann\\nx"', "postmaster"),
        ('postmaster = "ann"', 'postmaster = "x@elsewhere.example"', "postmaster"),
        ('"ann", ', '"../ann", "a b", ', "accounts"),
        ('"ann", ', '"ann@example.org", ', "accounts"),
        ('["ann"] }', "[] }", "aliases"),
        ('["ann"] }', '["ann\\r\\nx"] }', "aliases"),
        ('catch_all = "ann"', 'catch_all = "x@elsewhere.example"', "catch_all"),
        ('catch_all = "ann"', 'separator = "a"', "separator"),
        ('catch_all = "ann"', 'route = "smtp:two words:25"', "route"),
        ('catch_all = "ann"', 'route = "smtp:h\\n:25"', "route"),
        ("bücher.example", "..", "domains"),
        ('[domains."bücher', '[smtp]\nproxy_networks = ["x"]\n[domains."bücher', "smtp.proxy_networks"),
        ('[domains."bücher', '[smtp]\nimplicit_tls = true\n[domains."bücher', "smtp.implicit_tls"),
        ('[domains."bücher', '[smtp]\nxclient_networks = ["::1/999"]\n[domains."bücher', "smtp.xclient_networks"),
        ('[domains."bücher', '[dns]\nservers = ["resolver.example"]\n[domains."bücher', "dns.servers"),
        ('[domains."bücher', '[delivery]\ntls = "verified"\nca_file = "none"\n[domains."bücher', "delivery.ca_file"),
    ],
)
def test_one_bad_option_is_named(good: str, bad: str, field: str, tmp_path: Path) -> None:
    assert good in GOOD
    with pytest.raises(ConfigError) as caught:
        check(GOOD.replace(good, bad), tmp_path)
    assert field in caught.value.field
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["localhost:25", "127.0.0.1:٣", "::1:25", "[127.0.0.1]:25", ":25", "1.1.1.1:123456"])
def test_sockets_are_bound_to_addresses_only(text: str) -> None:
    with pytest.raises(ConfigError, match="write it as"):
        parse_listen(text, "server.listen")
