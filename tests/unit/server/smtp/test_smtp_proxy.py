"""The PROXY header, text and binary, whole and cut up."""

from __future__ import annotations

import ipaddress

import pytest

from gatepost.errors import RemoteProtocolError
from gatepost.server.smtp.networks import Networks, canonical_ip
from gatepost.server.smtp.proxy import ProxyHeader, ProxyReader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command: int, family: int, body: bytes) -> bytes:
    return SIGNATURE + bytes([0x20 | command, family]) + len(body).to_bytes(2, "big") + body


def packed(client: str, local: str) -> bytes:
    addresses = b"".join(ipaddress.ip_address(ip).packed for ip in (client, local))
    return addresses + (5555).to_bytes(2, "big") + (25).to_bytes(2, "big")


V4 = ProxyHeader(client_ip="192.0.2.7", client_port=5555, local_ip="192.0.2.1", local_port=25)
V6 = ProxyHeader(client_ip="2001:db8::7", client_port=5555, local_ip="2001:db8::1", local_port=25)


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\r\n", V4),
        (b"PROXY TCP6 2001:DB8:0:0::7 2001:db8::1 5555 25\r\n", V6),
        (b"PROXY UNKNOWN\r\n", ProxyHeader()),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ProxyHeader()),
        (v2(1, 0x11, packed("192.0.2.7", "192.0.2.1")), V4),
        (v2(1, 0x21, packed("2001:db8::7", "2001:db8::1")), V6),
        (v2(1, 0x11, packed("192.0.2.7", "192.0.2.1") + b"\x04\0\x01x"), V4),
        (v2(0, 0x00, b""), ProxyHeader()),
        (v2(0, 0x11, packed("192.0.2.7", "192.0.2.1")), ProxyHeader()),
        (v2(1, 0x31, b"x" * 216), ProxyHeader()),
    ],
)
def test_headers(octets: bytes, header: ProxyHeader, step: int) -> None:
    reader, found = ProxyReader(), None
    octets += b"EHLO x\r\n"
    fed = 0
    while found is None:
        found = reader.feed(octets[fed : fed + step])
        fed += step
    assert found == header
    assert (reader.rest + octets[fed:]).endswith(b"EHLO x\r\n")
    assert len(reader.rest + octets[fed:]) == len(b"EHLO x\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO x\r\n", b"PROXY TCP4 192.0.2.7 192.0.2.1 5555\r\n", b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 99999\r\n",
        b"PROXY TCP4 2001:db8::1 192.0.2.1 1 2\r\n", b"PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n", b"PROXY " + b"x" * 200,
        b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\n", b"PROXY TCP4 01.2.3.4 192.0.2.1 5555 25\r\n",
        b"PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY\r\n", v2(2, 0x11, b""), SIGNATURE + b"\x11\x11\0\0", v2(1, 0x11, b"short"),
        SIGNATURE + b"\x21\x11\xff\xff",
        SIGNATURE[:11] + b"x",
    ],
    ids=repr,
)  # fmt: skip
def test_no_headers(octets: bytes) -> None:
    for step in (1, len(octets)):
        with pytest.raises(RemoteProtocolError):
            feed(octets, step)


def feed(octets: bytes, step: int) -> None:
    reader = ProxyReader()
    for start in range(0, len(octets), step):
        assert reader.feed(octets[start : start + step]) is None


def test_addresses_and_networks() -> None:
    assert canonical_ip("::ffff:192.0.2.1") == "192.0.2.1"
    assert canonical_ip("FE80::1%eth0") == "fe80::1"
    networks = Networks(["192.0.2.0/24", "2001:db8::1"])
    assert "192.0.2.7" in networks
    assert "2001:db8::1" in networks
    assert "2001:db8::2" not in networks
    assert "" not in networks
    assert "192.0.2.7" not in Networks([])
