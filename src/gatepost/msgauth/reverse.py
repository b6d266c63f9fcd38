"""The name under which an address is found in reverse DNS.

In: an IP address. Out: "1.2.0.192.in-addr.arpa" or the ip6.arpa name of 32 nibbles.
Standard: RFC 1035 §3.5 (in-addr.arpa), RFC 3596 §2.5 (ip6.arpa). Not here: asking for it (`iprev`, `spf.lookup`).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address


def reverse_name(ip: IPv4Address | IPv6Address) -> str:
    """The name that a PTR question for `ip` asks."""
    if ip.version == 4:
        first, second, third, fourth = ip.packed
        return f"{fourth}.{third}.{second}.{first}.in-addr.arpa"
    return ".".join(ip.packed.hex()[::-1]) + ".ip6.arpa"
