"""What a delivery status notification says, read or to be written.

Standard: RFC 3464 §2.2 (per-message fields), §2.3 (per-recipient fields), RFC 3463 (status codes).
Not here: how it is read (`read`) and written (`write`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gatepost.message.part import Part


class Action(enum.StrEnum):
    """What happened to the message (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnRecipient:
    """One recipient's fields.

    `final_recipient` is the address without its type. `original_recipient` is the address the sender wrote, without
    type and decoded when read; to be written, it is ORCPT as it came ("rfc822;a+2Bb@c.example"). `action` is None for
    a word that is none. `status` is "5.1.1"; `diagnostic` the other server's words, with `diagnostic_type` "smtp"
    for a reply. Times are seconds since the epoch. `defects`: "no-recipient", "bad-action", "bad-status".
    """

    final_recipient: str
    action: Action | None
    status: str
    original_recipient: str = ""
    remote_mta: str = ""
    diagnostic: str = ""
    diagnostic_type: str = "smtp"
    last_attempt: float | None = None
    will_retry_until: float | None = None
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsn:
    """A report that was read. `text` is what it says to people, `returned` the message it is about (perhaps only its
    header), None when there is none. `defects`: "not-a-report" (found in another kind of multipart), "no-recipients",
    "too-many-recipients"."""

    reporting_mta: str
    recipients: tuple[DsnRecipient, ...]
    envid: str = ""
    arrival: float | None = None
    text: str = ""
    returned: Part | None = None
    defects: tuple[str, ...] = ()
