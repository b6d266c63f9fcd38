"""Writes small .mmdb files for tests: a map of IPv4 networks to records.

In: networks with what is known of them. Out: octets. Standard: MaxMind DB 2.0. Not here: reading (`maxminddb`).
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(networks: Mapping[str, Mapping[str, Any]]) -> bytes:
    """A database with 24-bit records."""
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    for text, record in networks.items():
        network = IPv4Network(text)
        bits = f"{int(network.network_address):032b}"[: network.prefixlen]
        at = 0
        for bit in bits[:-1]:
            onward = nodes[at][int(bit)]
            if onward is None:
                nodes.append([None, None])
                onward = len(nodes) - 1
                nodes[at][int(bit)] = onward
            at = onward
        nodes[at][int(bits[-1])] = -1 - len(data)  # data is told apart by its sign until the nodes are counted
        data += _encoded(record)
    count = len(nodes)
    tree = b"".join(_record(side, count).to_bytes(3, "big") for node in nodes for side in node)
    about = {
        "node_count": count,
        "record_size": 24,
        "ip_version": 4,
        "database_type": "Test",
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_764_000_000,
        "languages": [],
        "description": {},
    }
    return tree + bytes(16) + data + _MARKER + _encoded(about)


def _record(side: int | None, count: int) -> int:
    if side is None:
        return count
    return side if side >= 0 else count + 16 + (-1 - side)


# uint16 is 5, uint32 6, uint64 9 (extended)
_KINDS = dict.fromkeys(
    ("record_size", "ip_version", "binary_format_major_version", "binary_format_minor_version"), 5
) | {"build_epoch": 9}


def _encoded(value: Any, name: str = "") -> bytes:
    if isinstance(value, Mapping):
        return bytes([7 << 5 | len(value)]) + b"".join(_encoded(k) + _encoded(v, k) for k, v in value.items())
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_encoded, value))
    if isinstance(value, int):
        octets = value.to_bytes(8, "big").lstrip(b"\0")
        kind = _KINDS.get(name, 6)
        return (bytes([kind << 5 | len(octets)]) if kind < 8 else bytes([len(octets), kind - 7])) + octets
    octets = str(value).encode()
    size = bytes([2 << 5 | len(octets)]) if len(octets) < 29 else bytes([2 << 5 | 29, len(octets) - 29])
    return size + octets
