"""What can be told about links.

In: nothing. Out: `LinkSettings`, part of `InspectorSettings`. Not here: the fetcher's limits (`net.fetch.settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How links are judged."""

    follow_redirects: Literal["never", "shorteners"] = "never"
    """Whether links are followed to see where they lead: never, or those of known shorteners (bit.ly and the like).
    Following tells the sender that the message was looked at, and presses links that act on being pressed; only
    shorteners are ever asked, without cookies, and never a private address. The limits are in `[fetch]`."""
    protected_domains: tuple[str, ...] = ()
    """Domains whose imitation is to be seen, besides your own, your partners' (`inspector.partner_domains`) and a
    shipped list of names that fraudsters imitate most (banks, parcel services, mail and cloud providers)."""
    click_trackers: tuple[str, ...] = ()
    """Domains through which your newsletters or your mail filter lead all links (`["links.example.net"]`): a link that
    shows another address than theirs is no finding. Known ones of large providers are shipped."""
