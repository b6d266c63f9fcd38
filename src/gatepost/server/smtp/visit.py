"""One connection's stay: who it is, what has happened, and room for what the gatekeeper wants to remember.

In: made by `protocol`. Out: handed to every method of the gatekeeper. Standard: RFC 3848 and RFC 6531 §4.3 (WITH).
Not here: the envelope, which each method gets as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gatepost.names import Envelope, Session, Tls
from gatepost.ports import Identity
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
    `identity` is what the client proved by AUTH, None before that. `end_point` is what SCRAM can bind this connection
    to (RFC 5929 §4), `certificate` the client's own in DER form; both empty where there is none. `login` is the
    gatekeeper's own, too: what it keeps of an exchange of AUTH that is under way.
    """

    __slots__ = (
        "certificate", "closed", "early_talker", "end_point", "id", "identity", "improper_pipelining", "local_ip",
        "local_port", "login", "notes", "peer_ip", "peer_port", "session", "settings", "started", "stats",
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
        self.identity: Identity | None = None
        self.login: Any = None
        self.end_point = b""
        self.certificate = b""
        self.started = 0.0  # by the loop's clock

    def said_hello(self, domain: str, extended: bool) -> None:
        """EHLO (`extended`) or HELO was accepted."""
        session = self.session
        self.session = replace(session, ehlo_domain=domain, protocol=_with("ESMTP", session) if extended else "SMTP")

    def started_tls(self, tls: Tls, end_point: bytes = b"", certificate: bytes = b"") -> None:
        """The handshake is done; what was said before it is forgotten (RFC 3207 §4.2)."""
        self.session = replace(self.session, tls=tls, ehlo_domain="", protocol="SMTP", account="")
        self.end_point, self.certificate = end_point, certificate

    def logged_in(self, identity: Identity) -> None:
        """AUTH succeeded. It holds until the connection ends (RFC 4954 §4)."""
        self.identity = identity
        self.speaks_as(identity.account)
        self.session = replace(self.session, protocol=_with("ESMTP", self.session))

    def speaks_as(self, account: str) -> None:
        """Who logged in, by AUTH or by what a trusted relay says; empty: nobody."""
        self.session = replace(self.session, account=account)

    def speaks_for(self, client_ip: str, relay_ip: str) -> None:
        """The relay told by XCLIENT or PROXY who its client is."""
        self.session = replace(
            self.session, client_ip=client_ip, relay_ip=relay_ip, ehlo_domain="", protocol="SMTP", account=""
        )
        self.identity = None

    def session_for(self, envelope: Envelope) -> Session:
        """The session with the WITH keyword that fits `envelope` (RFC 6531 §4.3: UTF8SMTP, UTF8SMTPS, UTF8SMTPSA)."""
        if not envelope.smtputf8:
            return self.session
        return replace(self.session, protocol=_with("UTF8SMTP", self.session))


def _with(protocol: str, session: Session) -> str:
    """RFC 3848: S for TLS, A for AUTH."""
    return protocol + ("S" if session.tls is not None else "") + ("A" if session.account else "")
