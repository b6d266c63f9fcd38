"""The options of a backup MX.

In: values from the configuration. Out: `BackupSettings`. Standard: RFC 5321 §4.5.4.1 (giving up).
Not here: which domains are held for others (`server.settings.DomainSettings.primary`).
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """How mail is held for domains whose primary server is elsewhere; the table `[backup]`."""

    expire: float = 14 * DAY
    """Seconds after which mail that the primary has not taken is given up: longer than `delivery.expire`, since this is
    what a backup is for."""
    probe: float = 30.0
    """Seconds between two calls at a primary that is away while mail waits for it. As soon as it answers all of that
    mail is tried, oldest first."""
    connections: int = 1
    """Connections to a primary at the same time. With one, mail arrives in the order in which it came."""
    known_for: float = 60 * DAY
    """Seconds for which it is remembered that the primary knows a recipient, for while it is away."""
    ask_again: float = 1 * DAY
    """Seconds after which the primary is asked again about a recipient that it knew."""
    unknown_for: float = 1 * HOUR
    """Seconds for which it is remembered that the primary knows no such recipient."""
    max_recipients: int = 200_000
    """Recipients that are remembered; above them those confirmed longest ago are forgotten first."""
    ask_seconds: float = 10.0
    """Seconds that a primary gets to say whether it knows a recipient, while a client waits at RCPT."""
