"""A virus scanner, as pure rooms ask it.

In: the octets of a message. Out: `Scanned`. Not here: who scans (`net.clamd`), what follows (`inspector`).
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol


class ScanStatus(enum.StrEnum):
    """What the scanner said. ERROR (down, time-out, nonsense) is never "clean"."""

    CLEAN = "clean"
    FOUND = "found"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """`names` are the signatures that matched; `reason` says in plain words why there is no verdict, `lasting` that it
    would be the same at another time (the message is too large)."""

    status: ScanStatus
    names: tuple[str, ...] = ()
    reason: str = ""
    lasting: bool = False


class Scanner(Protocol):
    """Scans messages for malware."""

    def begin(self, raw: bytes) -> Awaitable[Scanned]:
        """Starts at once; the answer comes within the scanner's own deadline and never raises."""
        ...
