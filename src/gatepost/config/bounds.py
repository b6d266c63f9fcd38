"""Which numbers make sense: the smallest and largest value of every option that is a number.

In: settings that have the right types. Out: nothing, or ConfigError that names the option, the value and the range.
A value outside would break the gate rather than tune it: a time-out of 0 refuses everybody, a limit of -1 everything,
NaN compares with nothing. Not here: what an option means (where it is declared), whether several fit together.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from gatepost.audit.settings import AuditSettings
from gatepost.errors import ConfigError
from gatepost.inspector.settings import InspectorSettings
from gatepost.msgauth.dkim.settings import DkimSettings
from gatepost.msgauth.dmarc.settings import DmarcSettings
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.msgauth.spf.settings import SpfSettings
from gatepost.net.directory.settings import DirectorySettings
from gatepost.net.publish.settings import PublishSettings
from gatepost.net.resolver.settings import ResolverSettings
from gatepost.net.settings import FetchSettings, ScannerSettings
from gatepost.reputation.settings import CodeSettings, DnsListSettings, ListsSettings
from gatepost.sandbox.settings import ContentSettings
from gatepost.server.auditing.settings import DomainWatchSettings
from gatepost.server.backup.settings import BackupSettings
from gatepost.server.certificates.settings import AcmeSettings
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.door.settings import (
    BanSettings,
    DoorSettings,
    GreylistSettings,
    RateSettings,
    TarpitSettings,
)
from gatepost.server.forward.settings import ForwardSettings
from gatepost.server.https.settings import HttpsSettings, MtaStsSettings
from gatepost.server.settings import RelaySettings, ServerSettings
from gatepost.server.signing.settings import SigningSettings
from gatepost.server.smtp.settings import ClientSettings, SmtpSettings
from gatepost.server.submission.login_settings import GuessingSettings, LoginSettings
from gatepost.server.submission.settings import OutboundSettings, SendLimits
from gatepost.server.tlsrpt.settings import TlsRptSettings
from gatepost.store.settings import (
    HistorySettings,
    JournalSettings,
    LearnedSettings,
    ReportSettings,
    SpoolSettings,
    WatchSettings,
)
from gatepost.wire.smtp.settings import Limits

Range = tuple[float, float]

WAIT: Range = (0.05, 86_400)  # seconds a peer is waited for: less is nobody, more than a day is for ever
PAUSE: Range = (0, 86_400)
AGE: Range = (0, 10 * 365 * 86_400)  # seconds something is kept or believed; 0 switches it off
DAYS: Range = (0, 36_500)
COUNT: Range = (1, 1_000_000)
COUNT_OR_NONE: Range = (0, 1_000_000)
OCTETS: Range = (0, 1 << 50)
SCORE: Range = (-1e6, math.inf)  # inf is a threshold that is never reached
UNNAMED: Range = (0, 1 << 50)  # a test sees to it that every option is named below

BOUNDS: Mapping[type, Mapping[str, Range]] = {
    DomainWatchSettings: {"every": (60, 366 * 86_400), "confirm_after": PAUSE},
    AuditSettings: {
        "deadline": (1, 3600),
        "dns_wait": WAIT,
        "lookalikes": (0, 2000),
        "pause": (0, 60),
        "expiry_days": (0, 365),
    },
    ServerSettings: {"workers": (0, 64), "stop_timeout": PAUSE},
    RelaySettings: {
        "max_received": (1, 10_000),
        "call_forward_positive": AGE,
        "call_forward_negative": AGE,
        "deadline": WAIT,
    },
    DoorSettings: {"greet_delay": (0, 300), "lookup_timeout": (0.05, 300), "shared_peers": (2, 1000)},
    TarpitSettings: {"after": COUNT_OR_NONE, "step": (0, 300), "max_delay": (0, 300), "max_held": COUNT_OR_NONE},
    GreylistSettings: {"delay": PAUSE, "retry_window": AGE, "keep": AGE, "max_rows": (1000, 1 << 30)},
    RateSettings: {
        "connections": COUNT_OR_NONE,
        "network_connections": COUNT_OR_NONE,
        "messages": COUNT_OR_NONE,
        "network_messages": COUNT_OR_NONE,
        "sender_domain_messages": COUNT_OR_NONE,
        "recipient_messages": COUNT_OR_NONE,
    },
    BanSettings: {"after": COUNT, "duration": (1, 10 * 365 * 86_400), "max_bans": COUNT},
    ResolverSettings: {
        "timeout": WAIT,
        "attempts": (1, 100),
        "deadline": WAIT,
        "max_ttl": AGE,
        "max_negative_ttl": AGE,
        "failure_ttl": AGE,
        "stale_for": AGE,
        "cache_size": (1, 1 << 30),
        "in_flight": (1, 30_000),  # each holds a port, and there are not many more
        "lookups_per_message": COUNT,
    },
    DirectorySettings: {
        "timeout": WAIT,
        "connections": (1, 1000),
        "cache_positive": AGE,
        "cache_negative": AGE,
    },
    AcmeSettings: {
        "dns_delay": (0, 3600),
        "settle": AGE,
        "check_every": (1, 86_400),
        "timeout": (10, 3600),
    },
    HttpsSettings: {
        "timeout": (0.5, 300),
        "max_connections": (1, 10_000),
        "max_connections_per_address": (1, 10_000),
    },
    MtaStsSettings: {"max_age": (86_400, 31_557_600)},  # RFC 8461 §3.2: a year at most; less than a day protects nobody
    PublishSettings: {"ttl": (0, 604_800), "timeout": WAIT},
    FetchSettings: {"max_hops": (1, 20), "timeout": WAIT, "in_flight": (1, 1000), "keep": AGE},
    ScannerSettings: {"timeout": WAIT, "max_size": (1024, 1 << 32), "at_once": (1, 1000)},
    ContentSettings: {
        "children": (1, 64),
        "deadline": WAIT,
        "cpu_seconds": (1, 3600),
        "memory": (64 << 20, 1 << 40),
        "messages_per_child": COUNT,
        "waiting": COUNT,
        "max_items": (1, 100_000),
        "max_depth": (1, 50),
        "max_file": (1 << 16, 1 << 32),
        "max_unpacked": (1 << 16, 1 << 34),
        "max_ratio": (2, 100_000),
    },
    MsgauthSettings: {"prefetch_deadline": WAIT},
    SpfSettings: {
        "max_lookups": COUNT,
        "max_void_lookups": COUNT_OR_NONE,
        "max_mx_names": COUNT,
        "max_ptr_names": COUNT_OR_NONE,
        "deadline": WAIT,
        "max_explanation": (0, 10_000),
    },
    DkimSettings: {
        "max_signatures": (1, 1000),
        "min_rsa_bits": (512, 16_384),
        "max_rsa_bits": (1024, 16_384),  # what OpenSSL still verifies
        "clock_skew": (0, 604_800),
        "max_arc_keys": (1, 1000),
        "lookup_timeout": WAIT,
    },
    DmarcSettings: {"deadline": WAIT, "max_authors": (1, 1000), "max_identifiers": (1, 1000)},
    ListsSettings: {
        "deadline": WAIT,
        "max_domains": COUNT_OR_NONE,
        "max_addresses": COUNT_OR_NONE,
        "max_hashes": COUNT_OR_NONE,
        "probe_every": (10, 86_400),
    },
    DnsListSettings: {"weight": (-100, 100)},
    CodeSettings: {"weight": (-100, 100)},
    InspectorSettings: {
        "tag_at": SCORE,
        "quarantine_at": SCORE,
        "reject_at": SCORE,
        "group_caps": (0, 1e6),
        "default_group_cap": (0, 1e6),
        "weights": (-1e6, 1e6),
        "memory_days": DAYS,
        "date_past_days": DAYS,
        "date_future_hours": (0, 876_000),
    },
    Limits: {
        "command_line": (512, 1 << 20),  # RFC 5321 §4.5.3.1.4
        "message": (1024, 1 << 32),
        "discard": OCTETS,
        "reply_line": (512, 1 << 20),
        "reply_lines": (1, 10_000),
    },
    SmtpSettings: {
        "max_connections": COUNT,
        "max_connections_per_address": COUNT,
        "max_recipients": COUNT,
        "max_transactions": COUNT,
        "max_commands": COUNT,
        "max_errors": COUNT_OR_NONE,
        "max_octets_in_flight": (1024, 1 << 50),
        "command_timeout": WAIT,
        "data_timeout": WAIT,
        "min_data_rate": (0, 1 << 40),
        "tls_timeout": WAIT,
        "close_timeout": WAIT,
    },
    ClientSettings: {
        "connect_timeout": WAIT,
        "greeting_timeout": WAIT,
        "command_timeout": WAIT,
        "data_timeout": WAIT,
        "block_timeout": WAIT,
        "end_timeout": WAIT,
        "tls_timeout": WAIT,
        "quit_timeout": WAIT,
    },
    LoginSettings: {"checks_at_once": (1, 64), "checks_waiting": COUNT_OR_NONE, "remember": (0, 86400)},
    GuessingSettings: {
        "address_failures": COUNT_OR_NONE,
        "network_failures": COUNT_OR_NONE,
        "account_failures": COUNT_OR_NONE,
        "password_accounts": COUNT_OR_NONE,
        "delay": (0, 300),
        "max_delay": (0, 300),
        "max_held": COUNT_OR_NONE,
        "ban_seconds": (1, 10 * 365 * 86_400),
        "remember_days": (1, 36_500),
    },
    SendLimits: {
        "messages_per_hour": COUNT_OR_NONE,
        "messages_per_day": COUNT_OR_NONE,
        "recipients_per_hour": COUNT_OR_NONE,
        "recipients_per_day": COUNT_OR_NONE,
        "new_recipients_per_hour": COUNT_OR_NONE,
        "new_recipients_per_day": COUNT_OR_NONE,
        "bad_messages_per_day": COUNT_OR_NONE,
    },
    OutboundSettings: {"hold_at": SCORE, "reject_at": SCORE},
    BackupSettings: {
        "expire": AGE,
        "probe": WAIT,
        "connections": (1, 1000),
        "known_for": AGE,
        "ask_again": AGE,
        "unknown_for": AGE,
        "max_recipients": (1000, 100_000_000),
        "ask_seconds": WAIT,
    },
    SpoolSettings: {
        "inline_limit": (0, 900 << 20),  # SQLite takes a value of a thousand million octets
        "reserve": OCTETS,
        "max_queued": (0, 1 << 40),
        "max_octets": OCTETS,
        "max_waiting": COUNT,
        "max_waiting_octets": (1024, 1 << 50),
        "max_group": (1, 10_000),
        "busy_seconds": (0.05, 3600),
        "checkpoint_pages": (1, 1 << 30),
        "check_limit": OCTETS,
        "quarantine_days": DAYS,
        "quarantine_octets": OCTETS,
    },
    JournalSettings: {"keep_days": DAYS, "max_octets": (1 << 20, 1 << 50)},
    LearnedSettings: {"days": DAYS, "max_messages": (1, 1_000_000)},
    ReportSettings: {"keep_days": DAYS, "max_rows": (0, 100_000_000)},
    HistorySettings: {"days": DAYS, "reference_days": DAYS, "max_rows": (0, 100_000_000)},
    WatchSettings: {"keep_days": DAYS, "max_rows": (0, 100_000_000)},
    SigningSettings: {
        "expire": AGE,
        "settle": AGE,
        "keep_old": AGE,
        "check_every": (10, 86_400),
    },
    ForwardSettings: {"srs_days": (1, 365)},
    TlsRptSettings: {"spread": (0, 72_000)},
    DeliverySettings: {
        "retry_min": (0.05, 30 * 86_400),
        "retry_max": (0.05, 30 * 86_400),
        "jitter": (0, 1),
        "expire": AGE,
        "delay_notice": AGE,
        "mx_port": (1, 65_535),
        "connections": (2, 20_000),
        "connections_per_hop": (1, 10_000),
        "failover_timeout": WAIT,
        "messages_per_connection": COUNT,
        "connection_idle": PAUSE,
        "waiting_per_hop": COUNT,
        "waiting": (100, 1_000_000),
        "hop_pause": PAUSE,
        "maildir_batch": (1, 100_000),
        "max_own_hops": (1, 10_000),
        "postmaster_notices": COUNT_OR_NONE,
    },
}


def check_bounds(settings: Any, where: str = "") -> None:
    """Raises ConfigError for the first number in `settings` (and the settings inside them) that is out of bounds."""
    for path, kind, name, value in numbers(settings, where):
        low, high = BOUNDS.get(kind, {}).get(name, UNNAMED)
        if not low <= value <= high:
            raise ConfigError(
                path, value, f"give a number from {low:.15g} to {high:.15g}; docs/configuration.md describes it"
            )


def numbers(settings: Any, where: str = "") -> Iterator[tuple[str, type, str, float]]:
    """Every number in `settings`: its path, the type and the field that declare it, its value."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        yield from _numbers_in(value, f"{where}.{field.name}" if where else field.name, type(settings), field.name)


def _numbers_in(value: Any, path: str, kind: type, name: str) -> Iterator[tuple[str, type, str, float]]:
    if dataclasses.is_dataclass(value):
        yield from numbers(value, path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers_in(inner, f'{path}."{key}"', kind, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, kind, name, value
