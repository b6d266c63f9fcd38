"""What may be set about watching domains.

In: the `[watch]` table of the configuration. Out: `DomainWatchSettings`. Standard: none.
Not here: how deep an audit looks (`audit.settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainWatchSettings:
    """Which domains `gatepost watch` audits again and again, and who is told when one of them has changed."""

    domains: tuple[str, ...] = ()
    """The domains to watch. Empty: those that this gate takes mail for."""
    every: float = 86_400.0
    """Seconds between two rounds over all of them."""
    confirm_after: float = 60.0
    """Seconds after which a domain that seems to have changed is audited again: only what is still so is told, since a
    name server may stumble for a moment. 0 believes the first look."""
    alert_on: Literal["info", "notice", "warning", "danger"] = "warning"
    """How grave a new finding must be for people to be told. A record that changed is always told."""
    mail_to: tuple[str, ...] = ()
    """Addresses that get a mail about each change. Empty: nobody."""
    mail_server: str = ""
    """The server that takes these mails, as "192.0.2.1:25" or "mail.example.org:25". Empty: this gate's own spool."""
    webhook: str = ""
    """An https address that gets each change as JSON (POST). It must have a certificate that is known, and may be in a
    private network only if `audit.private` names it. Empty: none."""
