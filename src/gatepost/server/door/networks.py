"""The networks an address stands for, when it is counted or banned.

In: an address in canonical text. Out: networks as text. An IPv6 client owns a /64 and may come from any address in it;
its site has a /48 (RFC 6177). Standard: RFC 1918, RFC 4193, RFC 6598 (private addresses).
Not here: sets of networks (`smtp.networks`).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip


class Home(NamedTuple):
    """`client`: the address (IPv4), or its /64. `network`: its /24, or its /48. `private`: nobody in the internet has
    it, so it may hide many."""

    client: str
    network: str
    private: bool


@lru_cache(maxsize=4096)
def home_of(ip: str) -> Home:
    """What `ip` stands for."""
    address = ip_address(ip)
    own, site = (32, 24) if address.version == 4 else (64, 48)
    return Home(
        str(ip_network((address, own), strict=False)),
        str(ip_network((address, site), strict=False)),
        any(address in network for network in _PRIVATE),
    )
