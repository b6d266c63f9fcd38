"""Country and network of an address, from files in MaxMind's format that the administrator has put there.

In: paths of .mmdb files, an IP address. Out: `Place`, from memory, in microseconds. Files are opened once; a file that
is missing or damaged is told at the start, never while mail comes.
Standard: MaxMind DB 2.0 (read by `maxminddb`); the fields are those of GeoLite2, GeoIP2, DB-IP and IPinfo.
Not here: what a place weighs (`inspector.rules.origin`), getting the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.errors import ConfigError
from gatepost.net.settings import GeoSettings
from gatepost.ports import Place

if TYPE_CHECKING:
    from maxminddb import Reader

MAX_NAME = 100  # characters of an organisation's name
_NOWHERE = Place()


class GeoLocator:
    """Implements `gatepost.ports.Locator`."""

    def __init__(self, settings: GeoSettings) -> None:
        """Raises ConfigError for a file that cannot be read as one."""
        named = (("geo.file", settings.file), ("geo.network_file", settings.network_file))
        self._readers = [_opened(option, path) for option, path in named if path]

    def locate(self, ip: str) -> Place:
        """The place of `ip`; what several files know is put together."""
        country, network, organization = "", 0, ""
        for reader in self._readers:
            found = _asked(reader, ip)
            if isinstance(found, Mapping):
                country = country or _country(found)
                network = network or _network(found)
                organization = organization or _organization(found)
        return Place(country=country, network=network, organization=organization) if country or network else _NOWHERE

    def close(self) -> None:
        """Closes the files."""
        for reader in self._readers:
            reader.close()


def _opened(option: str, path: str) -> Reader:
    import maxminddb  # only where a file is named

    try:
        return maxminddb.open_database(Path(path), maxminddb.MODE_AUTO)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(option, path, f"cannot be read as an .mmdb file: {reason}") from None


def _asked(reader: Reader, ip: str) -> object:
    try:
        return reader.get(ip)
    except Exception:  # no address, or a damaged file: its decoder raises whatever it meets there
        return None


def _country(found: Mapping[str, Any]) -> str:
    """GeoLite2 has {"country": {"iso_code": "DE"}}, IPinfo {"country": "DE"} or {"country_code": "DE"}."""
    inner = found.get("country")
    code = inner.get("iso_code") if isinstance(inner, Mapping) else found.get("country_code") or inner
    return code.upper() if isinstance(code, str) and len(code) == 2 else ""


def _network(found: Mapping[str, Any]) -> int:
    number = found.get("autonomous_system_number", found.get("asn", 0))
    if isinstance(number, str):
        number = number.upper().removeprefix("AS")
        number = int(number) if number.isascii() and number.isdecimal() and len(number) < 11 else 0
    return number if isinstance(number, int) else 0


def _organization(found: Mapping[str, Any]) -> str:
    name = found.get("autonomous_system_organization") or found.get("as_name") or ""
    return name[:MAX_NAME] if isinstance(name, str) else ""
