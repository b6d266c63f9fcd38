"""The options of submission: `[submission]` and the tables below it.

In: nothing. Out: `SubmissionSettings`. Standard: RFC 6409 (submission), RFC 8314 §3 (TLS for people's mail).
Not here: the limits of one connection (`smtp`), keys that sign (`signing`), accounts (`gatepost user`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """How much an account may send; 0: no limit. `gatepost user limit` sets others for one account. Counted over all
    processes, and kept over a restart."""

    messages_per_hour: int = 200
    """Messages in an hour."""
    messages_per_day: int = 1000
    """Messages in a day."""
    recipients_per_hour: int = 400
    """Recipients of all messages in an hour."""
    recipients_per_day: int = 2000
    """Recipients of all messages in a day."""
    new_recipients_per_hour: int = 100
    """People in an hour who are written to for the first time, and never wrote themselves; needs `store.history`. A
    stolen account is seen by these first."""
    new_recipients_per_day: int = 300
    """People in a day who are written to for the first time."""
    bad_messages_per_day: int = 3
    """Messages in a day that were refused or held for what is inside (malware, phishing)."""
    over: Literal["suspend", "refuse"] = "suspend"
    """What follows when an account goes over a limit. "suspend": it may no longer log in, its mail that has not left is
    held and the postmaster is told; `gatepost user resume` frees both. "refuse": the message is answered 450, and
    may come again when there is room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """What the inside of mail that accounts hand in leads to. The rules are those of `[inspector]`, but for those about
    where a message came from: the account is proven."""

    enabled: bool = True
    """Whether mail of accounts is inspected at all."""
    hold_at: float = 10.0
    """Score from which a message is held for a person to look at (`gatepost quarantine`)."""
    reject_at: float = 15.0
    """Score from which a message is refused: its author reads why in his mail program."""
    hold_codes: tuple[str, ...] = ()
    """Codes whose finding alone holds a message."""
    reject_codes: tuple[str, ...] = (
        "attachment.program",
        "attachment.program-in-document",
        "attachment.direction-override",
        "attachment.double-extension",
        "content.bomb",
        "content.gtube",
        "malware.found",
    )
    """Codes whose finding alone refuses a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSettings:
    """How people hand in mail."""

    listen_tls: tuple[str, ...] = ()
    """Addresses and ports where TLS is there from the first octet, as "0.0.0.0:465" (RFC 8314 §3.3). Empty: none."""
    listen_starttls: tuple[str, ...] = ()
    """Addresses and ports where STARTTLS must come before AUTH and before mail, as "0.0.0.0:587" and, for networks that
    close that port, "0.0.0.0:2525". Empty: none."""
    client_ca: str = ""
    """File (PEM) with the authorities of clients' certificates, or with the certificates themselves. Clients are asked
    for one only where this is set, and may then log in with EXTERNAL."""
    hide_client_address: bool = True
    """Whether Received says nothing of where an account wrote from: neither address nor the name its computer calls
    itself. The log and `gatepost log` have both."""
    alias_senders: bool = True
    """Whether an account may write as the aliases whose mail it gets."""
    null_sender: Literal["never", "receipts", "always"] = "receipts"
    """Who may use the null sender `<>`: nobody, receipts that a message was displayed (RFC 8098 §3 demands it of
    them), or any message."""
    relay_networks: tuple[str, ...] = ()
    """Networks whose clients hand in mail without logging in, as any sender of the served domains: printers and
    programs that cannot log in. A container's bridge or a proxy hides strangers behind one private address: name single
    addresses. Empty: nobody."""
    limits: SendLimits = field(default_factory=SendLimits)
    """How much an account may send."""
    inspector: OutboundSettings = field(default_factory=OutboundSettings)
    """What the inside of mail that accounts hand in leads to."""
