"""The argument of HELO and EHLO: a host name, an address literal, or neither.

In: the argument as text. Out: yes or no; the address. Standard: RFC 5321 §4.1.1.1, §4.1.3.
Not here: what follows from it (`inspector.rules.client`, `server.door`).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

MAX_NAME = 253  # characters (RFC 1035 §2.3.4, without the root)


def is_host_name(ehlo: str) -> bool:
    """A full host name: labels of letters, digits and hyphens (underscores are seen and let be), not an address."""
    name = ehlo.rstrip(".")
    return len(name) <= MAX_NAME and _has_labels(name)


@lru_cache(maxsize=1024)
def _has_labels(name: str) -> bool:
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return False
    return all(
        0 < len(label) < 64 and label.replace("-", "").replace("_", "").isalnum() and label[0] != "-"
        for label in labels
    )


def literal_address(ehlo: str) -> str:
    """The address in [192.0.2.1] or [IPv6:2001:db8::1], in canonical text; empty when it is none."""
    inner = ehlo[1:].removesuffix("]")
    if inner[:5].lower() == "ipv6:":
        inner = inner[5:]
    try:
        return str(ip_address(inner))
    except ValueError:
        return ""
