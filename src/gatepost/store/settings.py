"""The settings of the store: spool, journal, history, mailboxes.

In: values from the configuration. Out: frozen settings, each option explained where it stands.
Standard: none. Not here: how the TOML file is read (`config`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """How accepted mail is kept until it is delivered."""

    inline_limit: int = 256 * KIB
    """Octets: a larger message is kept in a file of its own beside the spool's database, not inside it."""

    reserve: int = 128 * MIB
    """Octets that stay free on the spool's disk: below them connections are answered 421, a message that would go
    below them 452, until there is room again. Delivering mail needs some of it: keep it well above four times
    `checkpoint_pages`, which are 4 KB each."""

    max_queued: int = 500_000
    """Recipients' copies that may wait for delivery, or be held by the administrator. Above it connections are answered
    421 until there are fewer. Counted every second, so that some more may come in. 0: no limit."""

    max_octets: int = 64 * 1024 * MIB
    """Octets that the spool may take on disk, the quarantine among them. Above it connections are answered 421, and a
    message that would not fit 452 where its client tells the size. 0: no limit but the disk's."""

    max_waiting: int = 5000
    """Messages that may wait for the disk at once, in one worker; the next one is answered 452."""

    max_waiting_octets: int = 256 * MIB
    """Octets of messages that may wait for the disk at once, in one worker."""

    max_group: int = 64
    """Messages that share one commit at most."""

    busy_seconds: float = 10.0
    """How long to wait for another process that writes to the same database before giving up with an error."""

    checkpoint_pages: int = 2000
    """Pages of the write-ahead log after which the delivery folds it back into the database (2000 pages are 8 MB).
    The reception does it itself, while sessions wait, only at four times that."""

    check_limit: int = 256 * MIB
    """Octets: a spool database up to this size is checked page by page whenever it is opened."""

    quarantine_days: float = 30.0
    """Days after which a quarantined message is deleted."""

    quarantine_octets: int = 4096 * MIB
    """Octets that held mail may take in all; above them what has been held longest is deleted first. Looked at every
    hour, like `quarantine_days`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """How long the history of messages is kept (what `gatepost log` searches)."""

    keep_days: float = 90.0
    """Days after which an entry is deleted."""

    max_octets: int = 2048 * MIB
    """Octets the journal may take on disk in all; above them the oldest entries go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How long it is kept what lists and checks at the door stopped, or would have (`gatepost lists report`)."""

    keep_days: float = 30.0
    """Days after which a hit is deleted."""

    max_rows: int = 200_000
    """Hits that are kept one by one; a flood pushes the oldest out, and only their number by day stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """What is remembered of senders, and for how long."""

    enabled: bool = True
    """Whether proven senders are remembered. Without a memory nobody is an acquaintance, and nobody a stranger."""

    days: float = 400.0
    """Days after which a sender who has not written since is forgotten; a little more than a year keeps those who
    write once a year."""

    reference_days: float = 90.0
    """Days for which the ids of messages are remembered, to tell answers from pretended ones."""

    max_rows: int = 1_000_000
    """Rows in each table (senders, domains, pairs of sender and recipient, message ids); above them the oldest go
    first. A million rows are some 100 MB in the largest table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSettings:
    """What the classifier learns here, and for how long."""

    enabled: bool = True
    """Whether what was learnt here is used. The start model that ships with Gatepost is used either way."""

    days: float = 400.0
    """Days after which a learnt message is forgotten, with all it had added."""

    max_messages: int = 10_000
    """Messages that are remembered; above them the oldest go first. Each takes about 10 KB."""

    learn_from_folders: bool = True
    """Whether mail that people move from their inbox to Junk is learnt as spam, and from Junk to the inbox as ham."""

    learn_from_releases: bool = True
    """Whether mail that is released from quarantine is learnt as ham."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """How long reports of others (DMARC, TLS) are kept."""

    keep_days: float = 730.0
    """Days after which a report is deleted, counted from when it came in. Two years compare this year with last."""

    max_rows: int = 2_000_000
    """Rows of all reports together; above them the oldest reports go first. A million rows are some 200 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where things are kept, and how."""

    folder: str = "/var/lib/gatepost"
    """The folder of everything Gatepost keeps: spool, mailboxes, journal, accounts."""

    spool: SpoolSettings = field(default_factory=SpoolSettings)
    """Accepted mail on its way, and the quarantine."""

    journal: JournalSettings = field(default_factory=JournalSettings)
    """The history of messages."""

    history: HistorySettings = field(default_factory=HistorySettings)
    """What is remembered of senders."""

    watch: WatchSettings = field(default_factory=WatchSettings)
    """What lists and checks at the door stopped, or would have."""

    learned: LearnedSettings = field(default_factory=LearnedSettings)
    """What the classifier learns here."""

    reports: ReportSettings = field(default_factory=ReportSettings)
    """What other servers reported of our mail (`gatepost dmarc`)."""
