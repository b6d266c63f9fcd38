"""The options of delivery: how mail leaves the spool, how long it is tried, who is told.

In: values from the configuration. Out: `DeliverySettings`. Standard: RFC 5321 §4.5.4.1 (retry and expiry),
§6.3 (loops). Not here: which domain goes where (`server.settings.DomainSettings.route`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gatepost.server.smtp.settings import ClientSettings

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How accepted mail is delivered; the table `[delivery]`."""

    retry_min: float = MINUTE
    """Seconds until the first retry of what could not be delivered. The wait then grows with the message's age."""
    retry_max: float = HOUR
    """The longest wait between two tries, in seconds."""
    jitter: float = 0.1
    """The share of a wait that is drawn by chance, so that deferred mail does not come back all at once."""
    expire: float = 5 * DAY
    """Seconds after which mail that still cannot be delivered is given up (RFC 5321 §4.5.4.1: 4 to 5 days)."""
    delay_notice: float = 4 * HOUR
    """Seconds after which a sender who asked for it (NOTIFY=DELAY) is told that mail is late."""
    relay: str = ""
    """Where mail for other people's domains goes ("smtp:HOST:PORT"): what accounts hand in, and reports to senders.
    Empty: accounts can write to each other only, and such reports are not sent; the mail is quarantined and postmaster
    told."""
    tls: Literal["opportunistic", "required", "verified", "off"] = "opportunistic"
    """TLS to next hops over SMTP and LMTP: if offered, always, always and with a certificate that names the host, or
    never. Loopback and Unix sockets never need it."""
    ca_file: str = ""
    """Certificates (PEM) that next hops are verified with. Empty: those of the system."""
    connections_per_hop: int = 10
    """Connections to one next hop at the same time."""
    messages_per_connection: int = 100
    """Messages after which a connection to a next hop is closed."""
    connection_idle: float = 5.0
    """Seconds that an idle connection to a next hop is kept for the next message."""
    waiting_per_hop: int = 1000
    """Messages that may wait in memory for one next hop; further ones stay on disk until there is room."""
    hop_pause: float = 30.0
    """Seconds for which a next hop that refused a connection is not called again; doubles up to ten minutes."""
    maildir_batch: int = 100
    """Messages that are delivered to Maildirs in one go, sharing their waits for the disk."""
    max_own_hops: int = 4
    """Times a message may have passed this very server before that counts as a loop."""
    postmaster_notices: int = 20
    """Notices to postmaster in an hour; what is beyond is only logged."""
    client: ClientSettings = field(default_factory=ClientSettings)
    """How patient the client is with next hops."""
