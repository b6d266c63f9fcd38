"""What was reached with our certificate: failures, waits, keys that are gone from use but not from DNS.

In: the folder of certificates. Out: `CertificateState`, the same after any restart; one process writes it.
Standard: none. Not here: keys and chains (`folder`), what follows from it (`renewal`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gatepost.net.authority import write_private

FILE = "state.json"
MAX_FILE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OldKey:
    """A key that is in use no more: its TLSA data in hexadecimal, and since when."""

    data: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateState:
    """Times are in seconds since the epoch. `next_data` is the TLSA data of the key that `right_since` speaks of: since
    when DNS has named it without a break. `ttl` is the longest that its records may be cached. `ari` is when the
    authority wants it renewed."""

    failures: int = 0
    retry_at: float = 0.0
    error: str = ""
    next_data: str = ""
    right_since: float | None = None
    ttl: int = 0
    old: tuple[OldKey, ...] = ()
    ari: float | None = None
    ari_asked: float = 0.0
    looked_at: float = 0.0
    tlsa: str = ""

    def failed(self, error: str, now: float, wait: float) -> CertificateState:
        """The same after another failure."""
        return replace(self, failures=self.failures + 1, error=error, retry_at=now + wait)


def read_state(folder: Path) -> CertificateState:
    """The state; a fresh one where there is none or it cannot be read: the worst is a wait that begins again."""
    try:
        with (folder / FILE).open("rb") as file:
            found: dict[str, Any] = json.loads(file.read(MAX_FILE))
        old = tuple(OldKey(data=str(one["data"]), since=float(one["since"])) for one in found.pop("old"))
        return CertificateState(**found, old=old)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return CertificateState()


def write_state(folder: Path, state: CertificateState) -> None:
    """Keeps the state, durable on return."""
    write_private(folder / FILE, json.dumps(asdict(state)).encode())
