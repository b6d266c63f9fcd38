"""Writes delivery status notifications: a text for people, a part for programs, and the message it is about.

In: what became of a message's recipients, and the message. Out: the report's octets, with CRLF.
Standard: RFC 3464 (form), RFC 3461 §6 (what is returned), RFC 6533 (UTF-8), RFC 3834 §5 (Auto-Submitted), RFC 6522.
Not here: the null reverse-path it must be sent with (RFC 3461 §6.1), and whether to send it (delivery).
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Sequence

from gatepost.errors import LocalProtocolError
from gatepost.message.dates import write_date
from gatepost.message.dsn.model import Action, DsnRecipient
from gatepost.message.dsn.words import explain_status, headline, meaning
from gatepost.message.fields import write_field, write_mailbox
from gatepost.message.header import RawField, parse_header

MAX_RETURNED = 256 * 1024  # octets of a message that are sent back whole; of a larger one the header
_MAX_DIAGNOSTIC = 800  # octets, so that no line exceeds 998 even where it cannot be folded
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,250}>")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def write_dsn(
    *,
    reporting_mta: str,
    sender: str,
    recipients: Sequence[DsnRecipient],
    original: bytes,
    message_id: str,
    now: float,
    arrival: float | None = None,
    postmaster: str = "",
    envid: str | None = None,
    ret: str | None = None,
    utf8: bool = False,
) -> bytes:
    """One report to `sender` about `recipients`.

    `message_id` is the new report's, without angle brackets. `postmaster` is who writes (default: postmaster at
    `reporting_mta`). `envid` is ENVID as it came. The whole `original` goes back only for a failure, if `ret` is
    "FULL" and it is not too large (RFC 3461 §6.2), else its header. `utf8` says that the sender's side took UTF-8
    addresses (SMTPUTF8), else they are written in ASCII (RFC 6533 §3).
    Raises LocalProtocolError without recipients or with one that has no action, InputError for an address that is none.
    """
    if not recipients or any(recipient.action is None for recipient in recipients):
        raise LocalProtocolError("a delivery report needs recipients, each with an action")
    utf8 = utf8 or not sender.isascii()
    action = _gravest(recipients)
    header = parse_header(original)
    full = ret == "FULL" and action is Action.FAILED and len(original) <= MAX_RETURNED
    returned = original if full else original[: header.end]
    eight_bit = not returned.isascii() or utf8
    boundary = _boundary(message_id, returned)
    parts = (
        _part("text/plain; charset=utf-8", _text(reporting_mta, recipients, action, utf8, full), utf8),
        _part(_type("delivery-status", utf8), _status(reporting_mta, envid, arrival, recipients, utf8), utf8),
        _part(_returned_type(full, utf8), returned + b"\r\n", eight_bit),
    )
    fields = [
        *_addressed(postmaster or f"postmaster@{reporting_mta}", sender, utf8),
        write_field("Subject", headline(action)),
        write_field("Date", write_date(now)),
        write_field("Message-ID", f"<{message_id}>"),
        *_thread(header.all("message-id")[:1]),
        write_field("Auto-Submitted", "auto-replied"),
        write_field("MIME-Version", "1.0"),
        write_field("Content-Type", f'multipart/report; report-type=delivery-status; boundary="{boundary}"'),
        write_field("Content-Transfer-Encoding", "8bit" if eight_bit else "7bit"),
    ]
    delimiter = b"--" + boundary.encode("ascii")
    body = b"".join(delimiter + b"\r\n" + part for part in parts)
    return b"".join(fields) + b"\r\n" + body + delimiter + b"--\r\n"


def _addressed(postmaster: str, sender: str, utf8: bool) -> list[bytes]:
    return [
        write_field("From", write_mailbox("Mail Delivery System", postmaster), utf8=utf8),
        write_field("To", write_mailbox("", sender), utf8=True),
    ]


def _gravest(recipients: Sequence[DsnRecipient]) -> Action:
    """The action that gives the report its subject: a failure before a delay before the good news."""
    actions = {recipient.action for recipient in recipients}
    return next(action for action in Action if action in actions)


def _thread(ids: Sequence[RawField]) -> list[bytes]:
    """In-Reply-To and References to the original (RFC 3834 §3.1.6), if its Message-ID can be one."""
    found = _MESSAGE_ID.search(ids[0].value) if ids else None
    if found is None:
        return []
    text = found[0].decode("ascii")
    return [write_field("In-Reply-To", text), write_field("References", text)]


def _boundary(message_id: str, returned: bytes) -> str:
    """A boundary that does not occur in what is returned; the same input gives the same one."""
    seed = message_id.encode("utf-8", "replace")
    for attempt in range(100):
        boundary = "=_dsn_" + hashlib.sha256(seed + bytes((attempt,)) + returned[:4096]).hexdigest()[:32]
        if boundary.encode("ascii") not in returned:
            break
    return boundary


def _part(kind: str, body: bytes, eight_bit: bool) -> bytes:
    encoding = b"8bit" if eight_bit and not body.isascii() else b"7bit"
    return b"Content-Type: " + kind.encode() + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body


def _type(name: str, utf8: bool) -> str:
    """RFC 6533 §4: the global types where addresses may be UTF-8."""
    return f"message/global-{name}" if utf8 else f"message/{name}"


def _returned_type(full: bool, utf8: bool) -> str:
    if full:
        return "message/global" if utf8 else "message/rfc822"
    return "message/global-headers" if utf8 else "text/rfc822-headers"


def _text(reporting_mta: str, recipients: Sequence[DsnRecipient], action: Action, utf8: bool, full: bool) -> bytes:
    """The part for people: what happened, to whom, why in plain words, and what the other side said."""
    lines = [f"{headline(action)}.", "", f"This is the mail system of {_clean(reporting_mta, utf8)}.", ""]
    for each in dict.fromkeys(recipient.action for recipient in recipients):
        assert each is not None
        lines += [*_wrapped(meaning(each), ""), ""]
        for recipient in recipients:
            if recipient.action is each:
                lines += _about(recipient, utf8)
    lines += _wrapped(
        "Technical details for your mail administrator are attached, and "
        + ("the message itself." if full else "the header of the message."),
        "",
    )
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace")


def _about(recipient: DsnRecipient, utf8: bool) -> list[str]:
    lines = [f"  {_clean(recipient.final_recipient, utf8)}"]
    if recipient.action in (Action.FAILED, Action.DELAYED):
        lines += _wrapped(explain_status(recipient.status), "    ")
        if recipient.diagnostic:
            who = _clean(recipient.remote_mta, utf8) or "The mail system"
            lines += _wrapped(f"{who} said: {_clean(recipient.diagnostic, utf8)}", "    ")
        if recipient.will_retry_until is not None:
            lines += _wrapped(f"We try until {write_date(recipient.will_retry_until)}.", "    ")
    return [*lines, ""]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 76, initial_indent=indent, subsequent_indent=indent) if text else []


def _status(
    reporting_mta: str, envid: str | None, arrival: float | None, recipients: Sequence[DsnRecipient], utf8: bool
) -> bytes:
    """The part for programs: a group about the message, then a group for each recipient."""
    groups = [[("Reporting-MTA", f"dns; {_clean(reporting_mta, utf8)}")]]
    if envid:
        groups[0].insert(0, ("Original-Envelope-Id", _clean(envid, utf8)))
    if arrival is not None:
        groups[0].append(("Arrival-Date", write_date(arrival)))
    groups += [_recipient_fields(recipient, utf8) for recipient in recipients]
    return b"\r\n".join(b"".join(write_field(name, text, utf8=True) for name, text in group) for group in groups)


def _recipient_fields(recipient: DsnRecipient, utf8: bool) -> list[tuple[str, str]]:
    assert recipient.action is not None
    fields = [("Final-Recipient", _typed_address(recipient.final_recipient, utf8))]
    if recipient.original_recipient:
        fields.insert(0, ("Original-Recipient", _clean(recipient.original_recipient, utf8)))
    fields += [("Action", recipient.action.value), ("Status", _clean(recipient.status, False) or "5.0.0")]
    if recipient.remote_mta:
        fields.append(("Remote-MTA", f"dns; {_clean(recipient.remote_mta, utf8)}"))
    if recipient.diagnostic:
        kind = _clean(recipient.diagnostic_type, False) or "smtp"
        fields.append(("Diagnostic-Code", f"{kind}; {_clean(recipient.diagnostic, utf8)}"))
    if recipient.last_attempt is not None:
        fields.append(("Last-Attempt-Date", write_date(recipient.last_attempt)))
    if recipient.will_retry_until is not None:
        fields.append(("Will-Retry-Until", write_date(recipient.will_retry_until)))
    return fields


def _typed_address(address: str, utf8: bool) -> str:
    """RFC 6533 §3: "utf-8;" with the characters as they are, or as `\\x{HEX}` where only ASCII may go."""
    clean = _CONTROLS.sub("?", address)[:320]
    if clean.isascii():
        return f"rfc822; {clean}"
    if utf8:
        return f"utf-8; {clean}"
    return "utf-8; " + "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in clean)[:_MAX_DIAGNOSTIC]


def _clean(text: str, utf8: bool) -> str:
    """`text` on one line and of bounded length: other servers' words cannot begin a field or end a part."""
    octets = _CONTROLS.sub(" ", text).strip().encode("utf-8" if utf8 else "ascii", "replace")
    return octets[:_MAX_DIAGNOSTIC].decode("utf-8", "ignore")
