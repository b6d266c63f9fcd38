"""What is known of an account, as values.

In: rows. Out: `Account`, `Standing`, `Suspension`. Times are seconds since the epoch. Secrets are in none of them.
Not here: app passwords and certificates (`credentials`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

SCOPES = ("submit", "imap", "pop3")  # what a proof may be good for; `ports.Identity` has the same words
LIMITS = (
    "messages_per_hour",
    "messages_per_day",
    "recipients_per_hour",
    "recipients_per_day",
    "new_recipients_per_hour",
    "new_recipients_per_day",
    "bad_messages_per_day",
)


@dataclass(frozen=True, slots=True)
class Suspension:
    """Since when, and why, an account may neither log in nor send. Mail to it is still taken."""

    since: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an account may do. `limits` holds only what differs from the gate's settings (names in `LIMITS`; 0: no
    limit). `senders` are addresses, or domains as "@example.org", that it may write as besides its own. `is_bulk`: it
    sends to lists of people, and its mail carries the one-click fields of RFC 8058."""

    account: str
    suspension: Suspension | None = None
    is_bulk: bool = False
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    senders: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As JSON values; part of docs/schema/account.json."""
        return {
            "state": "suspended" if self.suspension else "active",
            "suspended_since": self.suspension.since if self.suspension else None,
            "suspended_for": self.suspension.reason if self.suspension else "",
            "bulk": self.is_bulk,
            "limits": dict(self.limits),
            "senders": list(self.senders),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account. `has_scram`: a client may log in by SCRAM-SHA-256; not until the password was set or used once since
    verifiers are kept."""

    address: str
    created_at: float
    password_set_at: float
    has_scram: bool
    app_passwords: int
    certificates: int
    standing: Standing

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/account.json."""
        return {
            "account": self.address,
            "created_at": self.created_at,
            "password_set_at": self.password_set_at,
            "scram": self.has_scram,
            "app_passwords": self.app_passwords,
            "certificates": self.certificates,
            **self.standing.as_json(),
        }
