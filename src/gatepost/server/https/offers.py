"""What the gate really offers to mail programs: ports, TLS, and where mailboxes are read.

In: settings. Out: `Offer`s in the order in which programs should try them. Standard: RFC 8314 §3.3 (TLS from the first
octet before STARTTLS). Not here: how it is written down (`autoconfig`, `autodiscover`, `server.signing.records`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.errors import ConfigError
from gatepost.net.tls import ascii_name
from gatepost.server.entrances import parse_listen
from gatepost.server.settings import GateSettings
from gatepost.wire.smtp.grammar import is_domain


class Protocol(enum.StrEnum):
    """What is spoken."""

    SUBMISSION = "smtp"
    IMAP = "imap"
    POP3 = "pop3"


@dataclass(frozen=True, slots=True)
class Offer:
    """One way. `implicit_tls`: TLS from the first octet, else STARTTLS."""

    protocol: Protocol
    host: str
    port: int
    implicit_tls: bool


def find_offers(settings: GateSettings) -> tuple[Offer, ...]:
    """Every way, IMAP before POP3 and these before submission. Raises ConfigError."""
    found = []
    for protocol, text in ((Protocol.IMAP, settings.autoconfig.imap), (Protocol.POP3, settings.autoconfig.pop3)):
        if text:
            host, port = _parse_place(text, f"autoconfig.{protocol.value}")
            found.append(Offer(protocol, host, port, True))
    name, submission = ascii_name(settings.hostname), settings.submission
    for texts, implicit in ((submission.listen_tls, True), (submission.listen_starttls, False)):
        port = _first_port(texts)
        if port:
            found.append(Offer(Protocol.SUBMISSION, name, port, implicit))
    return tuple(found)


def _first_port(texts: Iterable[str]) -> int:
    return next((parse_listen(text, "submission.listen_tls")[1] for text in texts), 0)


def _parse_place(text: str, field: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    name = ascii_name(host)
    number = int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0
    if not is_domain(name) or "." not in name or not 0 < number < 65536:
        raise ConfigError(field, text, 'write it as "imap.example.org:993"')
    return name, number
