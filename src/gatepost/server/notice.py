"""A notice of our own to the postmaster, as the octets of a message.

In: whom to tell, a subject, lines of plain text. Out: the message. Standard: RFC 3834 §5 (marked as automatic).
Not here: reports to senders (`message.dsn`); when somebody is told (`delivery.notices`, `submission.suspension`).
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.message.dates import write_date
from gatepost.message.fields import write_field

MAX_LINE = 900  # characters; what strangers wrote stands in these lines


def write_notice(*, hostname: str, to: str, subject: str, lines: Iterable[str], message_id: str, now: float) -> bytes:
    """Octets with CRLF. Raises InputError for what fits into no field."""
    body = "\r\n".join(line[:MAX_LINE] for line in lines) + "\r\n"
    fields = [
        write_field("From", f"Gatepost <postmaster@{hostname}>"),
        write_field("To", f"<{to}>", utf8=True),
        write_field("Subject", subject),
        write_field("Date", write_date(now)),
        write_field("Message-ID", f"<{message_id}@{hostname}>"),
        write_field("Auto-Submitted", "auto-generated"),
        write_field("MIME-Version", "1.0"),
        write_field("Content-Type", "text/plain; charset=utf-8"),
        write_field("Content-Transfer-Encoding", "7bit" if body.isascii() else "8bit"),
    ]
    return b"".join(fields) + b"\r\n" + body.encode("utf-8", "replace")
