"""The options of the SMTP server.

In: nothing. Out: `SmtpSettings`. Standard: RFC 5321 §4.5.3 (limits and time-outs), RFC 9422 (LIMITS).
Not here: names, domains and relaying (`server.settings`); certificates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatepost.wire.smtp.settings import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """How the server treats connections."""

    limits: Limits = field(default_factory=Limits)
    """What one connection may send at once: line, message and reply sizes, and what becomes of bare CR and LF."""

    max_connections: int = 1000
    """Connections in all worker processes together; above it the answer is 421."""

    max_connections_per_address: int = 20
    """Connections from one IPv4 address or one IPv6 /64 network, in all worker processes together."""

    unlimited_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks whose connections are not counted by address: this machine, own relays."""

    max_recipients: int = 1000
    """Recipients in one transaction (RFC 5321 §4.5.3.1.8 asks for at least 100); above it the answer is 452."""

    max_transactions: int = 1000
    """Messages in one connection; after them the answer to MAIL is 421."""

    max_commands: int = 100
    """Commands that bring no message forward (NOOP, RSET, VRFY, EHLO …) in one connection, before 421."""

    max_errors: int = 20
    """Refused commands in one connection, before 421."""

    max_octets_in_flight: int = 536_870_912
    """Octets of messages that are held in memory at one time, in all worker processes together; above it the answer
    is 452."""

    command_timeout: float = 300.0
    """Seconds for the client to send its next command in whole (RFC 5321 §4.5.3.2.7 asks for at least 300)."""

    data_timeout: float = 300.0
    """Seconds without any content, while a message is sent, before the connection is closed."""

    min_data_rate: int = 100
    """Octets a second that a message must bring on average once `data_timeout` seconds have passed."""

    tls_timeout: float = 60.0
    """Seconds for the handshake of TLS."""

    close_timeout: float = 10.0
    """Seconds for the client to take our last reply, before the connection is cut."""

    implicit_tls: bool = False
    """Whether TLS starts before the greeting (port 465) rather than by STARTTLS. A proxy in front must send its PROXY
    header by itself: a handshake that comes in one piece with the header is refused."""

    proxy_networks: tuple[str, ...] = ()
    """Networks of load balancers that send a PROXY header (version 1 or 2) first. From them it must come; from
    others it is taken for the nonsense it is."""

    xclient_networks: tuple[str, ...] = ()
    """Networks of relays in front of us that may tell their client's address by XCLIENT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How patient the client is with servers."""

    limits: Limits = field(default_factory=Limits)
    """How long a reply may be."""

    connect_timeout: float = 30.0
    """Seconds for a connection to be made."""

    greeting_timeout: float = 300.0
    """Seconds for the server's greeting (RFC 5321 §4.5.3.2.1)."""

    command_timeout: float = 300.0
    """Seconds for the reply to MAIL, RCPT and other commands (RFC 5321 §4.5.3.2.2, §4.5.3.2.3)."""

    data_timeout: float = 120.0
    """Seconds for the reply to DATA (RFC 5321 §4.5.3.2.4)."""

    block_timeout: float = 180.0
    """Seconds for the server to take one block of a message (RFC 5321 §4.5.3.2.5)."""

    end_timeout: float = 600.0
    """Seconds for the reply to a whole message (RFC 5321 §4.5.3.2.6). Hanging up sooner makes duplicates."""

    tls_timeout: float = 60.0
    """Seconds for the handshake of TLS."""

    quit_timeout: float = 5.0
    """Seconds for the reply to QUIT, which nobody needs."""
