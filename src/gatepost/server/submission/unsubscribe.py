"""The fields by which people leave a mailing: List-Unsubscribe, with one click where a web page of yours takes it.

In: the options of `[bulk]`, an account's message and its recipients. Out: header fields, or nothing.
Standard: RFC 8058 §3.1 (one click; both fields must be signed, §4), RFC 2369 §3.2, RFC 6068 (mailto).
Not here: the page that takes the click (yours), which account is bulk (`gatepost user`), signing (`server.signing`).
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from gatepost.errors import ConfigError
from gatepost.message.header import Header
from gatepost.server.submission.bulk_settings import BulkSettings
from gatepost.wire.smtp.grammar import is_mailbox

ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
PLACES = frozenset(("recipient", "sender", "token"))
MAX_URL = 500  # characters of the template: the field must fit on a line with an address in it
SECRET = (16, 4096)  # octets


class Unsubscribe:
    """Writes the fields. Made once, before the workers fork: the secret is read then. Raises ConfigError."""

    def __init__(self, settings: BulkSettings) -> None:
        self._url = settings.unsubscribe_url
        self._mailto = settings.unsubscribe_mailto
        used = _places(self._url)
        if self._url and (not self._url.startswith("https://") or len(self._url) > MAX_URL):
            remedy = "write it as https://example.org/leave?who={recipient}&t={token}"
            raise ConfigError("bulk.unsubscribe_url", self._url, remedy)
        if self._url and not used & {"recipient", "token"}:
            remedy = "does not tell who leaves: put {recipient} or {token} into it (RFC 8058 §3.1)"
            raise ConfigError("bulk.unsubscribe_url", self._url, remedy)
        if self._mailto and not is_mailbox(self._mailto):
            raise ConfigError("bulk.unsubscribe_mailto", self._mailto, "is no address; write it as leave@example.org")
        self._secret = _secret(settings.unsubscribe_secret) if "token" in used else b""

    def fields(self, header: Header, sender: str, recipients: Sequence[str]) -> bytes:
        """The fields to add to a message with `header`. One that has List-Unsubscribe keeps it as it is: whether its
        address takes one click is known to its author only."""
        if header.first("list-unsubscribe") is not None:
            return b""
        url = self._filled(sender, recipients[0]) if self._url and len(recipients) == 1 else ""
        mailto = f"mailto:{quote(self._mailto, safe='@')}?subject=unsubscribe" if self._mailto else ""
        places = [f"<{place}>" for place in (url, mailto) if place]
        if not places:
            return b""
        field = f"List-Unsubscribe: {f',{chr(13)}{chr(10)}{chr(9)}'.join(places)}\r\n".encode("ascii")
        if not url or header.first("list-unsubscribe-post") is not None:
            return field
        return field + ONE_CLICK

    def _filled(self, sender: str, recipient: str) -> str:
        token = make_token(self._secret, sender, recipient) if self._secret else ""
        values = {"recipient": quote(recipient, safe=""), "sender": quote(sender, safe=""), "token": token}
        return self._url.format(**values)


def make_token(secret: bytes, sender: str, recipient: str) -> str:
    """What `{token}` stands for."""
    return hmac.new(secret, f"{sender}\n{recipient}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _places(url: str) -> set[str]:
    """The placeholders in a template. ConfigError for others, and for text that has no place in a header field."""
    try:
        found = [(name, form, change) for _, name, form, change in string.Formatter().parse(url) if name is not None]
    except ValueError:
        found = [("{", "", None)]
    for name, form, change in found:
        if name not in PLACES or form or change:
            known = ", ".join(f"{{{place}}}" for place in sorted(PLACES))
            raise ConfigError("bulk.unsubscribe_url", f"{{{name}}}", f"is no placeholder; known are {known}")
    if not url.isascii() or not url.isprintable() or any(c in ' <>",' for c in url):
        raise ConfigError("bulk.unsubscribe_url", url, "holds characters that no address has; write them as %XX")
    return {name for name, _, _ in found}


def _secret(path: str) -> bytes:
    if not path:
        remedy = "name a file with a secret, or take {token} out of bulk.unsubscribe_url"
        raise ConfigError("bulk.unsubscribe_secret", "nothing", remedy)
    try:
        with Path(path).open("rb") as file:
            secret = file.read(SECRET[1]).strip()
    except OSError as error:
        raise ConfigError("bulk.unsubscribe_secret", path, f"cannot be read: {error.strerror}") from None
    if len(secret) < SECRET[0]:
        raise ConfigError("bulk.unsubscribe_secret", path, f"is too short; give at least {SECRET[0]} random octets")
    return secret
