"""What may be set about sender authentication as a whole.

In: the `[msgauth]` table of the configuration. Out: `MsgauthSettings`.
Standard: none of its own; RFC 7208, 6376, 9989 and 8617 in the parts. Not here: what the results lead to (`inspector`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatepost.msgauth.dkim.settings import DkimSettings
from gatepost.msgauth.dmarc.settings import DmarcSettings
from gatepost.msgauth.spf.settings import SpfSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class MsgauthSettings:
    """The limits of each check."""

    spf: SpfSettings = field(default_factory=SpfSettings)
    """SPF: look-ups, explanations."""
    dkim: DkimSettings = field(default_factory=DkimSettings)
    """DKIM and ARC: how many signatures, which keys and algorithms."""
    dmarc: DmarcSettings = field(default_factory=DmarcSettings)
    """DMARC: the tree walk, several authors."""
    prefetch_deadline: float = 8.0
    """Seconds for which the first questions of all checks, asked at once, are waited for; the checks go on after it
    with what has come."""
