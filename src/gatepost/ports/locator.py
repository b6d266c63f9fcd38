"""Where an address is, as pure rooms ask it: country and network, from a file.

In: an IP address. Out: `Place`. A place is evidence for people; it weighs nothing by itself.
Not here: who answers (`net.geo`), what it weighs (`inspector.rules.place`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`country` is the ISO 3166 code in upper case, `network` the number of the autonomous system (0: unknown),
    `organization` who runs that; all empty where the files do not know."""

    country: str = ""
    network: int = 0
    organization: str = ""


class Locator(Protocol):
    """Answers at once, from memory."""

    def locate(self, ip: str) -> Place:
        """The place of `ip`; an empty one for an address that is unknown or none. Never raises."""
        ...
