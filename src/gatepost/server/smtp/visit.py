"""One connection's stay: who it is, what has happened, and room for what the gatekeeper wants to remember.

In: made by `protocol`. Out: handed to every method of the gatekeeper. Standard: RFC 3848 and RFC 6531 §4.3 (WITH).
Not here: the envelope, which each method gets as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gatepost.names import Envelope, Session, Tls
from gatepost.server.smtp.settings import SmtpSettings


@dataclass(slots=True, kw_only=True)
class Stats:
    """What a connection amounted to, for the log. `ended` says why it ended: quit, lost, time-out, limit …"""

    octets_in: int = 0
    octets_out: int = 0
    commands: int = 0
    errors: int = 0
    transactions: int = 0
    messages: int = 0
    recipients: int = 0
    duration: float = 0.0
    ended: str = ""


class Visit:
    """One connection.

    `session` is replaced, never changed, by EHLO, STARTTLS and XCLIENT. `notes` is the gatekeeper's own: it keeps there
    what it learns about this client. `id` is unique in this process and short enough for a log.
    `early_talker`: did not wait for the greeting; `improper_pipelining`: did not wait for a reply it must wait for.
    """

    __slots__ = (
        "closed", "early_talker", "id", "improper_pipelining", "local_ip", "local_port", "notes", "peer_ip",
        "peer_port", "session", "settings", "started", "stats",
    )  # fmt: skip

    def __init__(self, id: str, session: Session, settings: SmtpSettings) -> None:
        self.id = id
        self.session = session
        self.settings = settings
        self.stats = Stats()
        self.notes: Any = None
        self.peer_ip = session.client_ip
        self.peer_port = 0
        self.local_ip = ""
        self.local_port = 0
        self.early_talker = False
        self.improper_pipelining = False
        self.closed = False
        self.started = 0.0  # by the loop's clock

    def said_hello(self, domain: str, extended: bool) -> None:
        """EHLO (`extended`) or HELO was accepted."""
        protocol = ("ESMTPS" if self.session.tls is not None else "ESMTP") if extended else "SMTP"
        self.session = replace(self.session, ehlo_domain=domain, protocol=protocol)

    def started_tls(self, tls: Tls) -> None:
        """The handshake is done; what was said before it is forgotten (RFC 3207 §4.2)."""
        self.session = replace(self.session, tls=tls, ehlo_domain="", protocol="SMTP")

    def speaks_for(self, client_ip: str, relay_ip: str) -> None:
        """The relay told by XCLIENT or PROXY who its client is."""
        self.session = replace(self.session, client_ip=client_ip, relay_ip=relay_ip, ehlo_domain="", protocol="SMTP")

    def session_for(self, envelope: Envelope) -> Session:
        """The session with the WITH keyword that fits `envelope` (RFC 6531 §4.3: UTF8SMTP, UTF8SMTPS)."""
        if not envelope.smtputf8:
            return self.session
        return replace(self.session, protocol="UTF8SMTPS" if self.session.tls is not None else "UTF8SMTP")
