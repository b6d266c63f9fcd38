"""The entrances: which sockets are listened on, and how each is served.

In: the settings, the environment (systemd), the sockets of the generation before. Out: a socket for each address, by
kind; or ConfigError with what stands in the way. Standard: RFC 8314 §3.3 (465), RFC 6409 §3.1 (587).
Not here: what is said on them (`pipeline`, `submission`).
"""

from __future__ import annotations

import enum
import ipaddress
import os
import socket
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field

from gatepost.errors import ConfigError
from gatepost.server import systemd
from gatepost.server.settings import GateSettings
from gatepost.server.smtp.listener import bind


class Kind(enum.StrEnum):
    """How an entrance is served."""

    SMTP = "smtp"  # mail from everybody for our people
    SUBMISSION_TLS = "submission-tls"  # mail of our people, TLS from the first octet
    SUBMISSION_STARTTLS = "submission-starttls"  # the same, after STARTTLS
    HTTPS = "https"  # our MTA-STS policy, autoconfig
    HTTP = "http"  # challenges of ACME, the way to HTTPS


FIELDS = {
    Kind.SMTP: "server.listen",
    Kind.SUBMISSION_TLS: "submission.listen_tls",
    Kind.SUBMISSION_STARTTLS: "submission.listen_starttls",
    Kind.HTTPS: "https.listen",
    Kind.HTTP: "https.http_listen",
}
WEB = (Kind.HTTPS, Kind.HTTP)


@dataclass(frozen=True, slots=True)
class Entrances:
    """Listening sockets by what the settings call them. `handed`: systemd opened them."""

    sockets: Mapping[Kind, Mapping[str, socket.socket]] = field(default_factory=dict)
    handed: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where mail is taken."""
        return tuple(text for kind, sockets in self.sockets.items() if kind not in WEB for text in sockets)

    @property
    def has_web(self) -> bool:
        """Whether anything is served over HTTP."""
        return any(self.sockets.get(kind) for kind in WEB)

    def of(self, kind: Kind) -> list[socket.socket]:
        """The sockets of one kind."""
        return list(self.sockets.get(kind, {}).values())


def wanted(settings: GateSettings) -> dict[Kind, tuple[str, ...]]:
    """What the settings name."""
    return {
        Kind.SMTP: settings.server.listen,
        Kind.SUBMISSION_TLS: settings.submission.listen_tls,
        Kind.SUBMISSION_STARTTLS: settings.submission.listen_starttls,
        Kind.HTTPS: settings.https.listen,
        Kind.HTTP: settings.https.http_listen,
    }


def open_entrances(
    settings: GateSettings, environment: MutableMapping[str, str], previous: Entrances | None
) -> Entrances:
    """systemd's sockets if it handed any over, else our own; those that are open already are used again."""
    if previous is None:
        handed = systemd.inherited_sockets(environment, os.getpid())
        if handed:
            return Entrances(_sorted_by_port(handed, settings), handed=True)
    elif previous.handed:
        return previous
    named = wanted(settings)
    if not any(texts for kind, texts in named.items() if kind not in WEB):
        raise ConfigError("server.listen", "[]", 'name at least one address, as "0.0.0.0:25"')
    held = {(kind, text): sock for kind, socks in (previous.sockets if previous else {}).items()
            for text, sock in socks.items()}  # fmt: skip
    fresh: dict[tuple[Kind, str], socket.socket] = {}
    try:
        for kind, text in _pairs(named):
            if (kind, text) not in held:
                fresh[kind, text] = bind_address(text, FIELDS[kind])
    except ConfigError:
        for sock in fresh.values():
            sock.close()
        raise
    for pair in held.keys() - set(_pairs(named)):
        held[pair].close()
    found = held | fresh
    return Entrances({kind: {text: found[kind, text] for text in texts} for kind, texts in named.items()})


def _pairs(named: Mapping[Kind, tuple[str, ...]]) -> Iterator[tuple[Kind, str]]:
    return ((kind, text) for kind, texts in named.items() for text in texts)


def _sorted_by_port(handed: list[socket.socket], settings: GateSettings) -> dict[Kind, dict[str, socket.socket]]:
    """systemd says no kind: a port that `[submission]` or `[https]` names is for these, every other for SMTP."""
    kinds = {
        parse_listen(text, FIELDS[kind])[1]: kind for kind, text in _pairs(wanted(settings)) if kind is not Kind.SMTP
    }
    found: dict[Kind, dict[str, socket.socket]] = {kind: {} for kind in Kind}
    for sock in handed:
        name = sock.getsockname()
        kind = kinds.get(name[1], Kind.SMTP) if isinstance(name, tuple) else Kind.SMTP
        found[kind][f"systemd:{sock.fileno()}"] = sock
    return found


def parse_listen(text: str, field: str) -> tuple[str, int]:
    """Address and port of "192.0.2.1:25" or "[2001:db8::1]:25"."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    number = int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 65536
    try:  # a name would have to be asked for, and might bind something else tomorrow
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        address = None
    if address is None or (address.version == 6) is not bracketed or number > 65535:
        raise ConfigError(field, text, 'write it as "192.0.2.1:25" or "[2001:db8::1]:25"')
    return str(address), number


def bind_address(text: str, field: str) -> socket.socket:
    """A listening socket. ConfigError says what stands in the way."""
    host, port = parse_listen(text, field)
    try:
        return bind(host, port)
    except PermissionError:
        remedy = "ports below 1024 need root or systemd's socket activation (packaging/gatepost.socket)"
        raise ConfigError(field, text, remedy) from None
    except OSError as error:
        raise ConfigError(field, text, f"cannot be bound: {error.strerror}; `ss -ltnp` shows who has it") from None
