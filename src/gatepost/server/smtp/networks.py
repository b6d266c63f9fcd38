"""Addresses as text in one form, and sets of networks.

In: what a socket or a header calls an address; networks from the configuration. Out: canonical text; yes or no.
Standard: RFC 4291 §2.5.5.2 (IPv4-mapped addresses are IPv4). Not here: counting them (`counters`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def canonical_ip(text: str) -> str:
    """`text` in its canonical form: no zone, no IPv4 in IPv6's clothes. ValueError when it is no address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


class Networks:
    """A set of networks; `"192.0.2.1" in networks` asks whether one of them holds the address."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(network, strict=False) for network in networks)

    def __contains__(self, ip: str) -> bool:
        if not self._networks or not ip:
            return False
        address = ipaddress.ip_address(ip)
        return any(address in network for network in self._networks)
