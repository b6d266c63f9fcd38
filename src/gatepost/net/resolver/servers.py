"""Which name servers to ask.

In: the settings' words. Out: `Server`s, or `ConfigError`.
Standard: resolv.conf(5) for "system", read by ourselves: the system's own resolver is never asked.
Not here: asking (`net.resolver.exchange`).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatepost.errors import ConfigError
from gatepost.net.resolver.settings import ResolverSettings

PORT = 53
RESOLV_CONF = Path("/etc/resolv.conf")
MAX_SYSTEM_SERVERS = 3  # MAXNS of resolv.conf(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One name server. `trusted`: its authentic-data bit is believed. `mixed_case`: see the setting."""

    host: str
    port: int
    trusted: bool
    mixed_case: bool

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_servers(settings: ResolverSettings, resolv_conf: Path = RESOLV_CONF) -> tuple[Server, ...]:
    """The servers that `settings` names, in order, each once."""
    trusted = set(_expand(settings.authentic_from, "dns.authentic_from", resolv_conf))
    named = dict.fromkeys(_expand(settings.servers, "dns.servers", resolv_conf))
    if not named:
        raise ConfigError("dns.servers", "", "name at least one server, such as 127.0.0.1")
    for host, port in trusted - set(named):
        raise ConfigError("dns.authentic_from", f"{host}:{port}", "name only servers that dns.servers names too")
    return tuple(
        Server(
            host=host,
            port=port,
            trusted=(host, port) in trusted,
            mixed_case=_mixes_case(settings, host),
        )
        for host, port in named
    )


def _mixes_case(settings: ResolverSettings, host: str) -> bool:
    if settings.mixed_case == "auto":
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    return settings.mixed_case == "always"


def _expand(words: Iterable[str], field: str, resolv_conf: Path) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for word in words:
        if word == "system":
            found += [(_address(host, "resolv.conf"), PORT) for host in _system_servers(resolv_conf)]
        else:
            found.append(parse_server(word, field))
    return found


def _system_servers(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        remedy = f'"system" needs this file ({error.strerror}); name the servers instead'
        raise ConfigError("dns.servers", path, remedy) from error
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"][:MAX_SYSTEM_SERVERS]


def parse_server(word: str, field: str = "dns.servers") -> tuple[str, int]:
    """ "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353" as host and port."""
    host, port = word, str(PORT)
    if word.startswith("[") and "]" in word:
        host, _, port = word[1:].partition("]")
        port = port.removeprefix(":") or str(PORT)
    elif word.count(":") == 1:
        host, _, port = word.partition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(field, word, "the port must be a number from 1 to 65535")
    return _address(host, field), int(port)


def _address(host: str, field: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError as error:
        raise ConfigError(field, host, "name servers are given by address, such as 127.0.0.1 or [::1]:53") from error
