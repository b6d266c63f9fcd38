"""Country and network from .mmdb files in several dialects; files that are none are told at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.errors import ConfigError
from gatepost.net.geo import GeoLocator
from gatepost.net.settings import GeoSettings
from gatepost.ports import Locator, Place
from mmdb import write_mmdb

COUNTRIES = {
    "192.0.2.0/24": {"country": {"iso_code": "de", "names": {"en": "Germany"}}},
    "198.51.100.0/25": {"country": "FR", "asn": "AS64500", "as_name": "Example SA"},
    "203.0.113.0/25": {"country_code": "ES"},
    "203.0.113.128/25": {"country": "Spain"},
    "192.0.3.0/24": {"country": 7, "autonomous_system_number": "x", "autonomous_system_organization": 9},
}
NETWORKS = {"192.0.2.0/24": {"autonomous_system_number": 64496, "autonomous_system_organization": "N" * 200}}


@pytest.fixture
def settings(tmp_path: Path) -> GeoSettings:
    (tmp_path / "country.mmdb").write_bytes(write_mmdb(COUNTRIES))
    (tmp_path / "network.mmdb").write_bytes(write_mmdb(NETWORKS))
    return GeoSettings(file=str(tmp_path / "country.mmdb"), network_file=str(tmp_path / "network.mmdb"))


def test_a_place_is_put_together_from_both_files(settings: GeoSettings) -> None:
    locator: Locator = GeoLocator(settings)
    assert locator.locate("192.0.2.9") == Place(country="DE", network=64496, organization="N" * 100)
    assert locator.locate("198.51.100.1") == Place(country="FR", network=64500, organization="Example SA")
    assert locator.locate("203.0.113.7") == Place(country="ES")


@pytest.mark.parametrize(
    "ip", ["198.51.100.200", "192.0.3.1", "203.0.113.200", "", "no address", "2001:db8::1", "1" * 5000, "\0"]
)
def test_what_is_unknown_or_odd_is_nowhere(settings: GeoSettings, ip: str) -> None:
    assert GeoLocator(settings).locate(ip) == Place()


def test_a_file_that_is_none_is_told_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(b"no database")
    with pytest.raises(ConfigError, match=r"geo\.network_file.*x\.mmdb.*\.mmdb file"):
        GeoLocator(GeoSettings(network_file=str(tmp_path / "x.mmdb")))
    with pytest.raises(ConfigError, match=r"geo\.file.*No such file"):
        GeoLocator(GeoSettings(file=str(tmp_path / "missing.mmdb")))


@pytest.mark.parametrize("cut", range(0, 600, 23))
def test_a_damaged_file_is_refused_or_answers_nothing_wrong(tmp_path: Path, cut: int) -> None:
    octets = bytearray(write_mmdb(COUNTRIES))
    octets[cut % len(octets)] ^= 0xFF
    (tmp_path / "x.mmdb").write_bytes(octets)
    try:
        locator = GeoLocator(GeoSettings(file=str(tmp_path / "x.mmdb")))
    except ConfigError:
        return
    for ip in ("192.0.2.9", "198.51.100.1", "203.0.113.7", "192.0.3.1"):
        assert isinstance(locator.locate(ip), Place)
