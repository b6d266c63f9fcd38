"""The options of the running server: what it is called, which domains it serves, how its processes run.

Standard: DESIGN, "How it runs". Not here: the options of a room (`smtp`, `delivery`, `net`, `store`, `inspector`).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gatepost.audit.settings import AuditSettings
from gatepost.inspector.settings import InspectorSettings
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.net.directory.settings import DirectorySettings
from gatepost.net.publish.settings import PublishSettings
from gatepost.net.resolver.settings import ResolverSettings
from gatepost.net.settings import FetchSettings, GeoSettings, ScannerSettings, TlsSettings
from gatepost.reputation.settings import ListsSettings
from gatepost.sandbox.settings import ContentSettings
from gatepost.server.auditing.settings import DomainWatchSettings
from gatepost.server.backup.settings import BackupSettings
from gatepost.server.certificates.settings import AcmeSettings
from gatepost.server.delivery.settings import NO_WAY_OUT, DeliverySettings
from gatepost.server.door.settings import DoorSettings
from gatepost.server.forward.settings import ForwardSettings
from gatepost.server.https.settings import AutoconfigSettings, HttpsSettings, MtaStsSettings
from gatepost.server.records.settings import RecordsSettings
from gatepost.server.signing.settings import SigningSettings
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.submission.bulk_settings import BulkSettings
from gatepost.server.submission.login_settings import LoginSettings
from gatepost.server.submission.settings import SubmissionSettings
from gatepost.server.tlsrpt.settings import TlsRptSettings
from gatepost.store.settings import StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSettings:
    """One domain that this gate takes mail for; a table `[domains."example.org"]`."""

    accounts: tuple[str, ...] = ()
    """Local parts that exist here, besides the account that `gatepost init` made."""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other local parts, each with the addresses its mail goes to. A name without @ is of the same domain; addresses
    elsewhere are forwarded to (`forward`), and one that names itself keeps a copy in the mailbox of that name. Where
    there is an alias `owner-NAME`, what the alias NAME sends on comes back to that one."""
    catch_all: str = ""
    """The address that gets mail for local parts that do not exist; "@example.net" is the same local part there. Empty:
    they are refused at RCPT."""
    recipients: Literal["list", "call-forward", "any"] = "list"
    """How recipients are checked: against the accounts and aliases, by asking the next hop (answers are cached), or
    not at all. "any" makes this server a source of backscatter unless the next hop accepts everything too."""
    separator: str = "+"
    """The character that starts a sub-address: mail for ann+lists goes to ann (RFC 5233). Empty: no sub-addresses."""
    route: str = "maildir"
    """Where accepted mail goes: "maildir", "lmtp:HOST:PORT", "lmtp:/path/of/socket", "smtp:HOST:PORT" or "discard"."""
    postmaster: str = ""
    """Who reads mail for postmaster, which is always accepted (RFC 5321 §4.5.1). Empty: `postmaster` of the server."""
    require_tls: bool = False
    """Refuse mail for this domain that does not come over TLS (530 5.7.0)."""
    primary: str = ""
    """Where the domain's own server is, if this gate is only its backup: "smtp:HOST:PORT", or "mx" for the mail
    exchangers that DNS names before this gate's own. It takes the place of `route` and `recipients`: the primary is
    asked whom it knows, and gets the mail as soon as it is there (`backup`)."""
    primary_unknown: Literal["defer", "accept"] = "defer"
    """What becomes of recipients of whom nothing is known while the primary is away: the client is asked to try later
    (450), or the mail is taken at the risk that it bounces."""

    def __post_init__(self) -> None:
        """A backup's way is the primary, whoever asks."""
        if self.primary:
            object.__setattr__(self, "route", self.primary)
            object.__setattr__(self, "recipients", "call-forward")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """What is true of mail from everybody."""

    require_tls_from: tuple[str, ...] = ()
    """Sender domains whose mail must come over TLS (530 5.7.0 otherwise)."""
    max_received: int = 50
    """Received fields that count as a loop (RFC 5321 §6.3 asks for at least 100 hops; Postfix stops at 50)."""
    refuse_null_mx_senders: bool = True
    """Refuse mail from domains that say they send and receive none (RFC 7505 §4.2)."""
    refuse_unknown_senders: bool = False
    """Refuse mail whose envelope sender's domain has neither a mail exchanger nor an address: no answer could ever
    reach it. Postfix calls it reject_unknown_sender_domain."""
    call_forward_positive: int = 86400
    """Seconds that "this recipient exists", learnt from the next hop, is believed."""
    call_forward_negative: int = 3600
    """Seconds that "there is no such recipient" is believed."""
    deadline: float = 20.0
    """Seconds the sender checks of one message may take together; past them the client is asked to try later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The processes."""

    listen: tuple[str, ...] = ("0.0.0.0:25", "[::]:25")
    """Addresses and ports to take mail on, as "192.0.2.1:25" or "[2001:db8::1]:25". What systemd hands over is used
    instead, if it does; with its socket unit leave the list empty."""
    workers: int = 0
    """Reception processes. 0: one per core."""
    pin_workers: bool = True
    """Each reception process stays on a core of its own, where there are as many of them as cores: it finds its data in
    the core's cache."""
    user: str = ""
    """The user to become after binding the ports, when started as root. Empty: stay (systemd has set it)."""
    monitor: str = "127.0.0.1:8025"
    """Where health (/healthz, /readyz) and Prometheus metrics (/metrics) are served; loopback unless you say
    otherwise. Empty: not at all."""
    stop_timeout: float = 30.0
    """Seconds that transactions under way get to finish on SIGTERM and after a reload."""
    log_level: Literal["debug", "info", "warning"] = "info"
    """How much is logged on stderr. One line a message and a connection are "info"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The gate as a whole: its own options and those of the rooms it runs."""

    hostname: str = field(default_factory=socket.getfqdn)
    """The name of this server in greetings, Received and Authentication-Results (its authserv-id, RFC 8601 §2.5).
    It should have an address record, and that address should point back to it."""
    postmaster: str = ""
    """The address that gets mail for postmaster of every domain and the gate's own notices."""
    domains: Mapping[str, DomainSettings] = field(default_factory=dict)
    """The domains this gate takes mail for; it relays for no other."""
    server: ServerSettings = field(default_factory=ServerSettings)
    """The processes."""
    relay: RelaySettings = field(default_factory=RelaySettings)
    """What is true of mail from everybody."""
    door: DoorSettings = field(default_factory=DoorSettings)
    """What stops a client before its message is read."""
    dns: ResolverSettings = field(default_factory=ResolverSettings)
    """Which name servers are asked, and how answers are kept."""
    msgauth: MsgauthSettings = field(default_factory=MsgauthSettings)
    """SPF, DKIM, ARC and DMARC: limits and strictness."""
    directory: DirectorySettings = field(default_factory=DirectorySettings)
    """Where accounts and their passwords are kept: here, in PostgreSQL or in LDAP."""
    geo: GeoSettings = field(default_factory=GeoSettings)
    """Files that know country and network of an address."""
    scanner: ScannerSettings = field(default_factory=ScannerSettings)
    """A virus scanner beside the gate."""
    fetch: FetchSettings = field(default_factory=FetchSettings)
    """Following shortened links, where `inspector.links.follow_redirects` says so."""
    content: ContentSettings = field(default_factory=ContentSettings)
    """How the inside of messages is opened: HTML, archives, documents, pictures."""
    lists: ListsSettings = field(default_factory=ListsSettings)
    """Lists of addresses, domains and more; none is asked unless it is named."""
    inspector: InspectorSettings = field(default_factory=InspectorSettings)
    """How findings become a decision."""
    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    """How connections are treated: limits, time-outs, PROXY, XCLIENT."""
    tls: TlsSettings = field(default_factory=TlsSettings)
    """The certificates."""
    store: StoreSettings = field(default_factory=StoreSettings)
    """Where spool, Maildirs, accounts and journal live."""
    signing: SigningSettings = field(default_factory=SigningSettings)
    """DKIM signatures on what accounts hand in."""
    acme: AcmeSettings = field(default_factory=AcmeSettings)
    """Certificates that the gate gets and renews itself; off unless names are given."""
    https: HttpsSettings = field(default_factory=HttpsSettings)
    """The built-in HTTPS listener; off unless addresses are named."""
    mta_sts: MtaStsSettings = field(default_factory=MtaStsSettings)
    """What senders are told about TLS to us, where the HTTPS listener is on."""
    autoconfig: AutoconfigSettings = field(default_factory=AutoconfigSettings)
    """What mail programs are told, where the HTTPS listener is on."""
    records: RecordsSettings = field(default_factory=RecordsSettings)
    """What `gatepost records` puts into the domain's records."""
    publish: PublishSettings = field(default_factory=PublishSettings)
    """Which name server takes our changes to DNS."""
    login: LoginSettings = field(default_factory=LoginSettings)
    """How clients prove who they are, and what guessing leads to."""
    submission: SubmissionSettings = field(default_factory=SubmissionSettings)
    """How people hand in mail; off unless ports are named."""
    bulk: BulkSettings = field(default_factory=BulkSettings)
    """What mail of accounts that are marked as bulk gets."""
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    """How accepted mail reaches mailboxes and next hops."""
    backup: BackupSettings = field(default_factory=BackupSettings)
    """How mail is held for domains whose primary server is elsewhere."""
    forward: ForwardSettings = field(default_factory=ForwardSettings)
    """How mail leaves that an address of ours sends on to people elsewhere."""
    tlsrpt: TlsRptSettings = field(default_factory=TlsRptSettings)
    """TLS reports that are sent to other domains; off unless you say so."""
    audit: AuditSettings = field(default_factory=AuditSettings)
    """How domains are audited (`gatepost audit`)."""
    watch: DomainWatchSettings = field(default_factory=DomainWatchSettings)
    """Which domains are audited on a schedule, and who is told of changes (`gatepost watch`)."""

    @property
    def way_out(self) -> str:
        """Where mail for other people's domains goes, as a route; empty where none leaves."""
        if self.delivery.relay:
            return "" if self.delivery.relay == NO_WAY_OUT else self.delivery.relay
        # Mail of strangers is never relayed, so a way out opens nothing; who hands in mail expects that it leaves.
        return "mx" if self.submission.listen_tls or self.submission.listen_starttls else ""
