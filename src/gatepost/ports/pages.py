"""A page of a web server, as pure rooms ask for it.

In: an https URL. Out: `Page`. Standard: RFC 9110; RFC 8461 §3.3 (no redirect is followed, the certificate counts).
Not here: who fetches (`net.pages`), with its limits; following links of messages (`fetcher`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`status` is 0 when no answer came; `reason` says why there is no whole page: no address, no connection, a
    certificate that does not do, a redirect (`location`), a body over the limit. `content_type` is without its
    parameters, lower case."""

    url: str
    status: int = 0
    content_type: str = ""
    body: bytes = b""
    location: str = ""
    reason: str = ""

    @property
    def is_there(self) -> bool:
        """Whether the whole page came."""
        return self.status == 200 and not self.reason


class Pages(Protocol):
    """Fetches pages over HTTPS. No redirect is followed."""

    async def fetch(self, url: str, *, deadline: float, max_octets: int) -> Page:
        """One page, within `deadline` seconds. Never raises."""
        ...
