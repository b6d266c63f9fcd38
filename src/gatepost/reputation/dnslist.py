"""One list in DNS as it is asked: settings and what is known of it by name, put together and checked.

In: made by `known`. Out: `DnsList`, `Meaning`, `CodePattern`, frozen.
Standard: RFC 5782 §2 (IP lists), §3 (name lists), §5 (test entries).
Not here: the lists themselves (`known`), asking (`questions`, `check`), reading answers (`answers`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_OCTET = re.compile(r"(\*|\d{1,3})(?:-(\d{1,3}))?")


class ListKind(enum.StrEnum):
    """What a list is asked about."""

    IP = "ip"
    DOMAIN = "domain"
    URI = "uri"
    EMAIL = "email"
    HASH = "hash"
    ALLOW = "allow"

    @property
    def takes_addresses(self) -> bool:
        """Whether it lists the addresses of sending servers."""
        return self in (ListKind.IP, ListKind.ALLOW)

    @property
    def takes_names(self) -> bool:
        """Whether it lists names."""
        return self in (ListKind.DOMAIN, ListKind.URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an answer says. `weight` adds to the score. `client_only`: it says something only of the address that
    hands the message in."""

    text: str
    weight: float
    client_only: bool = False


@dataclass(frozen=True, slots=True)
class CodePattern:
    """An answer, or a family of them: for each octet the lowest and the highest value."""

    octets: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> CodePattern | None:
        """ "127.0.0.2", "127.0.0.4-7", "127.0.*.1"; None for what is none of these, or not in 127.0.0.0/8."""
        found = []
        for part in text.split("."):
            match = _OCTET.fullmatch(part)
            if match is None or (match[1] == "*" and match[2]):
                return None
            low, high = (0, 255) if match[1] == "*" else (int(match[1]), int(match[2] or match[1]))
            if not low <= high <= 255:
                return None
            found.append((low, high))
        return cls(tuple(found)) if len(found) == 4 and found[0] == (127, 127) else None

    def holds(self, octets: bytes) -> bool:
        """Whether the address of these four octets is meant."""
        return all(low <= octet <= high for (low, high), octet in zip(self.octets, octets, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsList:
    """`zone` is asked and may hold a secret; `shown_zone` may be shown. `bits` has meanings by bit where the list is
    a bitmask, `codes` by answer otherwise; with neither every answer means `otherwise`. `refused` are answers that
    say "you may not ask". `test_listed` and `test_unlisted` are empty where the list has no such entry."""

    name: str
    kind: ListKind
    zone: str
    shown_zone: str
    mode: Literal["off", "watch", "on"]
    codes: tuple[tuple[CodePattern, Meaning], ...] = ()
    bits: Mapping[int, Meaning] = field(default_factory=dict)
    otherwise: Meaning = field(default_factory=lambda: Meaning(text="listed", weight=2.0))
    refused: tuple[CodePattern, ...] = ()
    registrable: bool = True
    hashing: str = ""
    test_listed: str = ""
    test_unlisted: str = ""

    @property
    def counts(self) -> bool:
        """Whether its answers add to the score."""
        return self.mode == "on"
