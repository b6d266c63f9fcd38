"""Where a recipient's mail goes next: `maildir`, `lmtp:…`, `smtp:…` or `discard`.

In: the route texts of the configuration, a recipient's domain. Out: `Route`, or None when nobody here carries it.
Standard: RFC 2033 (LMTP), RFC 5321 §5. Not here: the connection (`connect`); MX look-ups, which a gate that relays
inwards does not need.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.errors import ConfigError
from gatepost.names import domain_of
from gatepost.server.recipients import ascii_domain
from gatepost.wire.smtp.grammar import is_address_literal, is_domain

DEFAULT_PORTS = {"smtp": 25, "lmtp": 24}  # RFC 5321 §4.5.4.2 says 25; 24 is what Dovecot and Cyrus document for LMTP


class Carrier(enum.StrEnum):
    """How mail travels to its next place."""

    MAILDIR = "maildir"
    LMTP = "lmtp"
    SMTP = "smtp"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True)
class Route:
    """A next place. `host` and `port` for SMTP and LMTP over TCP, `path` for LMTP over a Unix socket."""

    carrier: Carrier
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.carrier.value}:{self.path}"
        if not self.host:
            return self.carrier.value
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.carrier.value}:{host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """True where nobody can listen between us and the next place."""
        return not self.host or self.host.startswith("127.") or self.host in ("::1", "localhost")


def parse_route(text: str, field: str = "route") -> Route:
    """Reads a route. Raises ConfigError that names `field` and shows a right one."""
    carrier, _, place = text.strip().partition(":")
    name = carrier.lower()
    if name in ("maildir", "discard") and not place:
        return Route(Carrier(name))
    if name == "lmtp" and place.startswith("/"):
        return Route(Carrier.LMTP, path=place)
    if name in ("smtp", "lmtp") and place:
        host, port = _split_host(place, DEFAULT_PORTS[name], field, text)
        return Route(Carrier(name), host=host, port=port)
    raise ConfigError(
        field, text, 'write "maildir", "lmtp:HOST:PORT", "lmtp:/path/of/socket", "smtp:HOST:PORT" or "discard"'
    )


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
    """Answers "where does mail for this address go?". `relay` carries what is for nobody here; without it, None."""

    def __init__(self, domains: Mapping[str, str], relay: str = "") -> None:
        self._domains = {
            ascii_domain(name): parse_route(text, f'domains."{name}".route') for name, text in domains.items()
        }
        self._relay = parse_route(relay, "delivery.relay") if relay else None

    def find(self, address: str) -> Route | None:
        """The route of `address`."""
        return self._domains.get(ascii_domain(domain_of(address)), self._relay)

    def serves(self, address: str) -> bool:
        """True for an address in a domain of ours."""
        return ascii_domain(domain_of(address)) in self._domains
