"""The options of delivery: how mail leaves the spool, how long it is tried, who is told.

In: values from the configuration. Out: `DeliverySettings`. Standard: RFC 5321 §4.5.4.1 (retry and expiry),
§6.3 (loops). Not here: which domain goes where (`server.settings.DomainSettings.route`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gatepost.server.smtp.settings import ClientSettings

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NO_WAY_OUT = "none"  # of `relay`: no mail leaves for other people's domains


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """Mail for one domain of other people's; a table `[delivery.destinations."example.net"]`. A name with a dot in
    front (".example.net") stands for all names below it."""

    route: str = ""
    """Where its mail goes: "smtp:HOST:PORT", "smtps:HOST:PORT", "mx", "mx:DOMAIN" (the exchangers of another domain),
    "lmtp:…" or "discard". Empty: where all mail goes (`delivery.relay`)."""
    tls: Literal["", "none", "opportunistic", "enforced", "verified"] = ""
    """TLS to its hosts, in the words of `delivery.tls`, in place of that. What the domain itself demands with DANE or
    MTA-STS still holds where it is more, but for "none": then neither is asked for. Empty: as `delivery.tls` says."""
    dane: bool = True
    """Whether DANE is obeyed for this domain; false for one that has broken it and whose mail cannot wait."""
    mta_sts: bool = True
    """Whether MTA-STS is obeyed for this domain; the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSettings:
    """How the gate logs in to a smart host; a table `[delivery.auth."smtp.example.net"]` with the host as in the
    route. A login needs TLS with a verified certificate, whatever `delivery.tls` says."""

    user: str = ""
    """The name to log in with."""
    password_file: str = ""
    """A file that holds the password and nothing else; only its owner may read it (chmod 600)."""
    token_file: str = ""
    """A file that holds an OAuth access token, kept fresh by somebody else; it is read anew for each connection."""
    mechanism: Literal["", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"] = ""
    """The mechanism. Empty: the best that the host offers and the file is good for."""


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
    """Where mail for other people's domains goes (what accounts hand in, and reports to senders): "mx" straight to
    their mail exchangers, "smtp:HOST:PORT" or "smtps:HOST:PORT" to a smart host, "none" nowhere. Empty: "mx" where
    people hand in mail (`submission.listen_tls`, `listen_starttls`), else "none". With "none" accounts can write to
    each other only, and reports are not sent; the mail is quarantined and postmaster told."""
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    """Other people's domains whose mail goes another way than all other."""
    auth: Mapping[str, AuthSettings] = field(default_factory=dict)
    """Smart hosts to log in to."""
    mx_port: int = 25
    """The port of mail exchangers. Another one is only for trials: the Internet knows no other."""
    own_addresses: tuple[str, ...] = ()
    """Further addresses of this server, as its public one behind NAT. A mail exchanger with one of them, or with one of
    this machine's, is this very server, and mail is never sent to it or to those behind it (RFC 5321 §5.1)."""
    forbidden_networks: tuple[str, ...] = (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fe80::/10",
        "ff00::/8",
    )
    """Networks in which no mail exchanger can be. Whoever writes a DNS zone must not point this server at services of
    its own machine; add your inner networks if no mail exchanger is there."""
    tls: Literal["none", "opportunistic", "enforced", "verified"] = "opportunistic"
    """TLS to next hops over SMTP and LMTP: never; if offered; always; always and with a certificate that names the
    host. What a domain demands with DANE or MTA-STS holds where it is more. Loopback and Unix sockets never need it."""
    dane: bool = True
    """Obey DANE (RFC 7672): a mail exchanger whose zone and TLSA records are signed must show the certificate that they
    name. It needs a resolver that validates and is trusted to: see `dns.authentic_from`."""
    mta_sts: bool = True
    """Obey MTA-STS (RFC 8461): a domain's policy is fetched over HTTPS, kept, and holds for its mail exchangers."""
    ca_file: str = ""
    """Certificates (PEM) that next hops are verified with. Empty: those of the system."""
    connections: int = 200
    """Connections to all next hops together at the same time. At most half of them are spent on destinations that have
    not answered yet, so that dead ones never take them all."""
    connections_per_hop: int = 10
    """Connections to one destination at the same time. It begins with 5 and moves between 1 and this number, as they
    succeed or fail."""
    failover_timeout: float = 5.0
    """Seconds until the next address of a destination is tried, where there is one."""
    messages_per_connection: int = 100
    """Messages after which a connection to a next hop is closed."""
    connection_idle: float = 5.0
    """Seconds that an idle connection to a next hop is kept for the next message."""
    waiting_per_hop: int = 1000
    """Messages that may wait in memory for one next hop; further ones stay on disk until there is room."""
    waiting: int = 10_000
    """Messages that may be in memory for all next hops together (some 3 kB each)."""
    hop_pause: float = 30.0
    """Seconds for which a next hop, or an address of a mail exchanger, that took no connection is not called again;
    doubles up to ten minutes."""
    maildir_batch: int = 100
    """Messages that are delivered to Maildirs in one go, sharing their waits for the disk."""
    max_own_hops: int = 4
    """Times a message may have passed this very server before that counts as a loop."""
    postmaster_notices: int = 20
    """Notices to postmaster in an hour; what is beyond is only logged."""
    client: ClientSettings = field(default_factory=ClientSettings)
    """How patient the client is with next hops."""
