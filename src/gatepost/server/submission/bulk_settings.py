"""The options of `[bulk]`: what mail to lists of people gets.

In: nothing. Out: `BulkSettings`. Standard: RFC 8058 (one click). Not here: writing the fields (`unsubscribe`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSettings:
    """What mail of accounts that are marked as bulk gets, where it does not have it."""

    unsubscribe_url: str = ""
    """The https address that takes a person off the list by a POST without any question (RFC 8058), as
    "https://example.org/leave?who={recipient}&of={sender}&t={token}". `{token}` is the HMAC-SHA-256, in hex, of sender,
    a line feed and recipient, so that nobody can take others off. A message to several people at once gets none."""
    unsubscribe_mailto: str = ""
    """The address to which people may write to be taken off, beside the web address or instead of it."""
    unsubscribe_secret: str = ""
    """The file with the secret of `{token}`, readable by the gate's user: at least 16 octets, the same that your web
    page checks with."""
