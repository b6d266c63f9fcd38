"""What became of one recipient in one attempt.

In: the next hop's replies, or our own reasons. Out: `Result`. Standard: RFC 5321 §4.2.1 (first digit),
RFC 3463 (enhanced codes), RFC 3464 §2.3 (action, status, diagnostic). Not here: who is told (`notices`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?= |$)")
MAX_TEXT = 500  # octets of a reply that are kept for log and report


class Status(enum.StrEnum):
    """The words that Postfix's users look for in a log."""

    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One recipient's result.

    `code` is the enhanced status code ("5.1.1"), `text` the reply or our reason on one line, `relay` where it was
    tried. `reply_code` is 0 where no SMTP reply was seen. `final` says that the message reached its mailbox and is not
    only handed on; `notifies` that the next hop promised to send the reports that were asked for (RFC 3461 §5.2.1).
    `tls` is what the connection had ("TLSv1.3", "TLSv1.3,verified", "none"; empty where there was none to secure),
    `tls_by` who demanded it.
    """

    recipient: str
    status: Status
    code: str
    text: str
    relay: str = ""
    reply_code: int = 0
    final: bool = False
    notifies: bool = False
    tls: str = ""
    tls_by: str = ""


def from_reply(
    recipient: str,
    reply_code: int,
    text: str,
    relay: str,
    *,
    code: str = "",
    final: bool = False,
    notifies: bool = False,
) -> Result:
    """Judges a reply by its first digit; `code` or an enhanced code at the start of `text` is kept where it agrees.

    A 5yz to a connection that is being shut down is still the hop's word; anything that is no reply at all (not 2yz,
    4yz or 5yz) is a temporary failure, since nobody knows what it meant.
    """
    digit = str(reply_code)[0]
    clean = one_line(text)
    match = _ENHANCED.match(clean)
    if not code and match:
        code = match.group()
    if not code or code[0] != digit:
        code = f"{digit if digit in '245' else '4'}.0.0"
    status = {"2": Status.SENT, "5": Status.BOUNCED}.get(digit, Status.DEFERRED)
    return Result(
        recipient=recipient,
        status=status,
        code=code,
        text=f"{reply_code} {clean}",
        relay=relay,
        reply_code=reply_code,
        final=final,
        notifies=notifies,
    )


def deferred(recipient: str, code: str, text: str, relay: str = "") -> Result:
    """A temporary failure of our own finding."""
    return Result(recipient=recipient, status=Status.DEFERRED, code=code, text=one_line(text), relay=relay)


def bounced(recipient: str, code: str, text: str, relay: str = "") -> Result:
    """A permanent failure of our own finding."""
    return Result(recipient=recipient, status=Status.BOUNCED, code=code, text=one_line(text), relay=relay)


def delivered(recipient: str, text: str, relay: str) -> Result:
    """In its mailbox."""
    return Result(recipient=recipient, status=Status.SENT, code="2.0.0", text=text, relay=relay, final=True)


def one_line(text: str) -> str:
    """`text` of a stranger made fit for a log and a header field: one line, printable, not long."""
    shown = "".join(c if c.isprintable() else " " for c in text[:MAX_TEXT])
    return " ".join(shown.split())
