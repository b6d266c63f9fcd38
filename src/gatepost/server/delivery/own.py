"""Which hosts are this very server, and where no mail exchanger can be.

In: names and addresses from DNS. Out: yes or no. Standard: RFC 5321 §5.1 (a server must not send to itself, nor to
those behind it in the list). Not here: loops that show only in the message (`loops`).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Collection

from gatepost.errors import ConfigError
from gatepost.server.delivery.settings import DeliverySettings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Own:
    """`listening` are the ports on which this server takes mail: an address of this machine is us only if it is one of
    them that mail exchangers are called on. Without any (systemd hands them over) it is taken for one."""

    def __init__(self, hostname: str, settings: DeliverySettings, listening: Collection[int] = ()) -> None:
        self._hostname = hostname.lower()
        self._named = frozenset(map(_address, settings.own_addresses))
        self._forbidden = tuple(map(_network, settings.forbidden_networks))
        self._listens_here = not listening or settings.mx_port in listening

    def is_name(self, host: str) -> bool:
        """Whether `host` is what we call ourselves."""
        return host.lower() == self._hostname

    def is_address(self, address: str) -> bool:
        """Whether mail sent to `address` would come back to us."""
        return address in self._named or (self._listens_here and _can_be_bound(address))

    def is_forbidden(self, address: str) -> bool:
        """Whether no mail exchanger can be there."""
        found = ipaddress.ip_address(address)
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in self._forbidden)


def _can_be_bound(address: str) -> bool:
    """Only an address of this machine can be; no list of interfaces is as fresh as the kernel's own answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError as error:
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EINVAL, errno.EAFNOSUPPORT)
    return True


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ConfigError("delivery.own_addresses", text, "is no address; write it as 192.0.2.1") from None


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        remedy = "is no network; write it as 192.0.2.0/24 or 2001:db8::/32"
        raise ConfigError("delivery.forbidden_networks", text, remedy) from None
