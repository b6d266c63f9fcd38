"""Which addresses the world can reach.

In: an address as text. Out: yes or no. Standard: RFC 6890 §2.2 (special addresses), RFC 5737 (documentation).
Not here: which addresses are ours (`trace`), countries (`ports.Locator`).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

_DOCUMENTATION = (
    "192.0.2.",
    "198.51.100.",
    "203.0.113.",
    "2001:db8:",
)  # RFC 5737, RFC 3849: the lab and tests live there


@lru_cache(maxsize=4096)
def is_public(text: str) -> bool:
    """Whether `text` is an address that the world can reach. The documentation networks count as such, so that what is
    tried with them shows what real addresses would."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if text.startswith(_DOCUMENTATION):
        return True
    special = address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved
    return not special and not address.is_private
