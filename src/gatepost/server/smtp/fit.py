"""Whether a server can take a message as it is, and the envelope as that server understands it.

In: an envelope, a message, the extensions the server announced. Out: the fitted envelope, or the reply that we give in
its place. Standard: RFC 1870 §6, RFC 6152 §3, RFC 6531 §3.6, RFC 3461 §5.2, RFC 8689 §4.
Not here: converting a message, which would break its signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gatepost.names import Body, Envelope, Recipient
from gatepost.wire.smtp.replies import Reply

NEEDS_UTF8 = Reply(550, "The next server does not take UTF-8 in addresses or header", enhanced="5.6.7")
NEEDS_8BIT = Reply(554, "The next server does not take 8-bit messages", enhanced="5.6.3")
NEEDS_TLS = Reply(550, "REQUIRETLS support required", enhanced="5.7.30")
TOO_BIG = Reply(552, "Message is too big for the next server", enhanced="5.3.4")


def fit_envelope(envelope: Envelope, raw: bytes, extensions: Mapping[str, str], *, over_tls: bool) -> Envelope | Reply:
    """The envelope with the parameters this server announced; or why it cannot have the message."""
    if envelope.requiretls and not (over_tls and "REQUIRETLS" in extensions):
        return NEEDS_TLS
    if _is_too_big(len(raw), extensions.get("SIZE", "")):
        return TOO_BIG
    utf8 = _needs_utf8(envelope, raw)
    if utf8 and "SMTPUTF8" not in extensions:
        return NEEDS_UTF8
    eight_bit = not raw.isascii()
    if eight_bit and "8BITMIME" not in extensions:
        return NEEDS_8BIT
    dsn = "DSN" in extensions
    return Envelope(
        mail_from=envelope.mail_from,
        recipients=tuple(_fit_recipient(recipient, dsn) for recipient in envelope.recipients),
        body=Body.EIGHT_BIT if eight_bit else Body.SEVEN_BIT,
        smtputf8=utf8,
        size=len(raw) if "SIZE" in extensions and raw else None,
        ret=envelope.ret if dsn else None,
        envid=envelope.envid if dsn else None,
        requiretls=envelope.requiretls,
    )


def _is_too_big(size: int, limit: str) -> bool:
    # RFC 1870 §4: no number, or 0, means that no limit is told
    return limit.isascii() and limit.isdigit() and len(limit) <= 20 and 0 < int(limit) < size


def _needs_utf8(envelope: Envelope, raw: bytes) -> bool:
    """RFC 6531 §3.6: asked for only where addresses or header need it, whatever the client said."""
    if not envelope.smtputf8:
        return False
    addresses = (envelope.mail_from, *(recipient.address for recipient in envelope.recipients))
    return not all(map(str.isascii, addresses)) or not raw.partition(b"\r\n\r\n")[0].isascii()


def _fit_recipient(recipient: Recipient, dsn: bool) -> Recipient:
    return recipient if dsn else replace(recipient, notify=(), orcpt=None)
