"""Where a recipient's mail goes next: `maildir`, `lmtp:…`, `smtp:…`, `smtps:…`, `mx`, `mx:…` or `discard`.

In: the route texts of the configuration, a recipient's domain. Out: `Route`, or None when nobody here carries it.
Standard: RFC 2033 (LMTP), RFC 5321 §5, §4.1.3 (address literals), RFC 8314 §3.3 (smtps). Not here: the connection
(`connect`); which hosts take a domain's mail (`mx`).
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.errors import ConfigError
from gatepost.names import domain_of
from gatepost.server.delivery.settings import NO_WAY_OUT, DestinationSettings
from gatepost.server.spelling import ascii_domain
from gatepost.wire.smtp.grammar import is_address_literal, is_domain

# RFC 5321 §4.5.4.2 says 25, RFC 8314 §3.3 465; 24 is what Dovecot and Cyrus document for LMTP
DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "lmtp": 24}
SHAPES = (
    'write "maildir", "lmtp:HOST:PORT", "lmtp:/path/of/socket", "smtp:HOST:PORT", "smtps:HOST:PORT", "mx", "mx:DOMAIN" '
    'or "discard"'
)


class Carrier(enum.StrEnum):
    """How mail travels to its next place."""

    MAILDIR = "maildir"
    LMTP = "lmtp"
    SMTP = "smtp"
    SMTPS = "smtps"  # TLS from the first octet
    MX = "mx"  # to the hosts that DNS names
    DISCARD = "discard"


@dataclass(frozen=True, slots=True)
class Route:
    """A next place. `host` and `port` for SMTP and LMTP over TCP, `path` for LMTP over a Unix socket. With MX `host` is
    the domain whose exchangers are asked for in DNS, an address (nothing is asked then), or empty for the recipient's
    own domain; the port is that of all mail exchangers. `tls` is what `[delivery.destinations]` says about a host that
    mail for that domain goes by (with MX it is asked for by the domain's name)."""

    carrier: Carrier
    host: str = ""
    port: int = 0
    path: str = ""
    tls: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.carrier.value}:{self.path}"
        if not self.host:
            return self.carrier.value
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.carrier.value}:{host}:{self.port}" if self.port else f"{self.carrier.value}:{host}"

    @property
    def is_local(self) -> bool:
        """True where nobody can listen between us and the next place."""
        if self.carrier is Carrier.MX:
            return False
        return not self.host or self.host.startswith("127.") or self.host in ("::1", "localhost")

    def towards(self, domain: str) -> Route:
        """This route for a recipient in `domain` (A-labels, or an address literal): "mx" takes its name from there."""
        if self.carrier is not Carrier.MX or self.host:
            return self
        return dataclasses.replace(self, host=_literal(domain) or domain)


def _literal(domain: str) -> str:
    """The address in "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3), empty for a name."""
    if not domain.startswith("["):
        return ""
    try:
        return str(ipaddress.ip_address(domain.strip("[]").lower().removeprefix("ipv6:")))
    except ValueError:
        return ""


def parse_route(text: str, field: str = "route") -> Route:
    """Reads a route. Raises ConfigError that names `field` and shows a right one."""
    carrier, _, place = text.strip().partition(":")
    name = carrier.lower()
    if name in ("maildir", "discard", "mx") and not place:
        return Route(Carrier(name))
    if name == "mx" and is_domain(place):
        return Route(Carrier.MX, host=place.lower())
    if name == "lmtp" and place.startswith("/"):
        return Route(Carrier.LMTP, path=place)
    if name in DEFAULT_PORTS and place:
        host, port = _split_host(place, DEFAULT_PORTS[name], field, text)
        return Route(Carrier(name), host=host, port=port)
    raise ConfigError(field, text, SHAPES)


def _split_host(place: str, default: int, field: str, text: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port`, `[host]:port` or `[v6]:port`."""
    if place.startswith("["):
        host, closed, rest = place[1:].partition("]")
        number = rest[1:] if rest.startswith(":") else ""
        if not closed or (rest and not number):
            raise ConfigError(field, text, "an address in brackets looks like [2001:db8::1]:25")
    else:
        host, _, number = place.partition(":")
    if ":" in number:
        raise ConfigError(field, text, "put an IPv6 address in brackets: [2001:db8::1]:25")
    if not host or (number and not (number.isascii() and number.isdigit() and 0 < int(number) < 65536)):
        raise ConfigError(field, text, "a host and a port from 1 to 65535 are needed, as in smtp:mail.example.org:25")
    if not is_domain(host) and not is_address_literal(f"[IPv6:{host}]" if ":" in host else f"[{host}]"):
        raise ConfigError(field, text, f"{host!r} is neither a host name nor an address")
    return host.lower(), int(number) if number else default


class Routes:
    """Answers "where does mail for this address go?". `domains` are served here; `destinations` are other people's with
    a route of their own (".example.net" stands for all names below); `relay` carries the rest; without it, None."""

    def __init__(
        self,
        domains: Mapping[str, str],
        relay: str = "",
        destinations: Mapping[str, DestinationSettings] | None = None,
    ) -> None:
        self._domains = {
            ascii_domain(name): parse_route(text, f'domains."{name}".route') for name, text in domains.items()
        }
        out = relay and relay != NO_WAY_OUT
        self._relay = parse_route(relay, "delivery.relay") if out else None
        self._destinations = {
            ascii_domain(name): route
            for name, one in (destinations or {}).items()
            if (route := self._own_route(name, one)) is not None
        }

    def _own_route(self, name: str, one: DestinationSettings) -> Route | None:
        route = parse_route(one.route, f'delivery.destinations."{name}".route') if one.route else self._relay
        if route is None or not one.tls or route.carrier is Carrier.MX:
            return route
        return dataclasses.replace(route, tls=one.tls)

    def find(self, address: str) -> Route | None:
        """The route of `address`."""
        domain = ascii_domain(domain_of(address))
        route = self._domains.get(domain) or self._to_others(domain)
        return route.towards(domain) if route is not None else None

    def of(self, address: str, chosen: str) -> Route | None:
        """The route `chosen` for this one copy by an administrator; else, or where it is none, that of `address`."""
        try:
            return parse_route(chosen).towards(ascii_domain(domain_of(address))) if chosen else self.find(address)
        except ConfigError:  # written by another version
            return self.find(address)

    def _to_others(self, domain: str) -> Route | None:
        name = domain
        while name:
            found = self._destinations.get(name)
            if found is not None:
                return found
            name = name[name.find(".", 1) :] if "." in name[1:] else ""
        return self._relay

    def serves(self, address: str) -> bool:
        """True for an address in a domain of ours."""
        return ascii_domain(domain_of(address)) in self._domains
