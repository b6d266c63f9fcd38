"""The PROXY header: whom a load balancer speaks for. Version 1 is a line of text, version 2 is binary.

In: the first octets of a connection from a listed network. Out: `ProxyHeader`; or RemoteProtocolError.
Standard: haproxy.org, "The PROXY protocol", versions 1 and 2 (2020). Not here: from whom it is believed (`protocol`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gatepost.errors import RemoteProtocolError

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_MAX_V1 = 107  # §2.1: the longest line, CRLF included
_MAX_V2 = 16 + 2048  # §2.2 allows 65,535 octets of additions; nobody sends more than a certificate's name

_V1 = re.compile(
    rb"PROXY (?:UNKNOWN[ -~]*|TCP([46]) ([0-9a-fA-F.:]++) ([0-9a-fA-F.:]++) ([0-9]{1,5}) ([0-9]{1,5}))\r\n"
)
_ADDRESS_SIZE = {0x11: 4, 0x21: 16}  # TCP over IPv4, TCP over IPv6


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeader:
    """The client behind the proxy. `client_ip` is empty when the proxy speaks for itself (a health check)."""

    client_ip: str = ""
    client_port: int = 0
    local_ip: str = ""
    local_port: int = 0


class ProxyReader:
    """Collects the header; `rest` is what came behind it."""

    __slots__ = ("_buffer", "rest")

    def __init__(self) -> None:
        self._buffer = b""
        self.rest = b""

    def feed(self, data: bytes) -> ProxyHeader | None:
        """Takes what came; returns the header once it is whole, None before."""
        self._buffer += data
        start = self._buffer[:12]
        if start == _SIGNATURE[: len(start)]:
            return self._read_v2() if len(self._buffer) >= 16 else None
        return self._read_v1()

    def _read_v1(self) -> ProxyHeader | None:
        end = self._buffer.find(b"\n", 0, _MAX_V1) + 1
        if not end:
            if len(self._buffer) >= _MAX_V1 or not b"PROXY "[: len(self._buffer)] == self._buffer[:6]:
                raise _no_header()
            return None
        found = _V1.fullmatch(self._buffer[:end])
        if found is None:
            raise _no_header()
        self.rest = self._buffer[end:]
        if found[1] is None:
            return ProxyHeader()
        texts = [found[2].decode("ascii"), found[3].decode("ascii")]
        try:
            client, local = (
                str(ipaddress.IPv4Address(text) if found[1] == b"4" else ipaddress.IPv6Address(text)) for text in texts
            )
        except ValueError:
            raise _no_header() from None
        return _header(client, int(found[4]), local, int(found[5]))

    def _read_v2(self) -> ProxyHeader | None:
        version, family = self._buffer[12], self._buffer[13]
        end = 16 + int.from_bytes(self._buffer[14:16], "big")
        if version not in (0x20, 0x21) or end > _MAX_V2:
            raise _no_header()
        if len(self._buffer) < end:
            return None
        self.rest = self._buffer[end:]
        size = _ADDRESS_SIZE.get(family)
        if version == 0x20 or size is None:  # LOCAL, or a family we have no use for: the proxy's own address counts
            return ProxyHeader()
        if end < 16 + 2 * size + 4:
            raise _no_header()
        client, local, ports = self._buffer[16 : 16 + size], self._buffer[16 + size : 16 + 2 * size], 16 + 2 * size
        return _header(
            str(ipaddress.ip_address(client)),
            int.from_bytes(self._buffer[ports : ports + 2], "big"),
            str(ipaddress.ip_address(local)),
            int.from_bytes(self._buffer[ports + 2 : ports + 4], "big"),
        )


def _header(client: str, client_port: int, local: str, local_port: int) -> ProxyHeader:
    if client_port > 65535 or local_port > 65535:
        raise _no_header()
    return ProxyHeader(client_ip=client, client_port=client_port, local_ip=local, local_port=local_port)


def _no_header() -> RemoteProtocolError:
    return RemoteProtocolError(421, "4.7.0", "A PROXY header was due")
