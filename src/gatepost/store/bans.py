"""Bans: networks that are sent away at the door for a time, each with its reason.

In: networks, reasons, ends; from the door and from `gatepost ban`. Out: those in force. Every process has the file open
and sees within a moment when another changed it (`changed`). Standard: none.
Not here: who is banned and why (`server.door.bans`), whose networks never are (there, and `cli.ban`).
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from gatepost.errors import InputError
from gatepost.store.database import make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE ban (
        network TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        since REAL NOT NULL,
        until REAL,
        by_hand INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX ban_until ON ban (until);
    CREATE TABLE pardon (network TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
    """,
)
MAX_REASON = 200  # characters
WIDEST = {4: 8, 6: 16}  # a shorter prefix is a mistake: it bans a good part of the world
PARDON = 3600.0  # seconds that the door does not ban again by itself what an administrator lifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """`network` is in CIDR form. `since` and `until` are seconds since the epoch; `until` is None where it does not
    end. `by_hand`: an administrator's, else the door's own."""

    network: str
    reason: str
    since: float
    until: float | None = None
    by_hand: bool = False

    def as_json(self) -> dict[str, Any]:
        """The ban as JSON values; the schema is docs/schema/ban.json."""
        return {
            "network": self.network,
            "reason": self.reason,
            "since": self.since,
            "until": self.until,
            "by": "hand" if self.by_hand else "door",
        }


class Bans:
    """Thread-safe; one call at a time. Raises StoreError, StoreDamaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Bans:
        """Opens or creates `folder/bans.db`."""
        make_folder(folder)
        path = folder / "bans.db"
        return cls(path, open_database(path, STEPS))

    def close(self) -> None:
        """Closes the database."""
        with self._guard:
            self._connection.close()

    def add(self, ban: Ban, *, max_bans: int = 0) -> bool:
        """Keeps a ban; one that is there for the same network is replaced. An administrator's word stands: the door
        neither changes a ban of his nor bans within an hour what he lifted (False). With `max_bans` only so many of
        the door's own stay, those that end first go first."""
        reason = ban.reason[:MAX_REASON].encode("utf-8", "replace").decode("utf-8")
        with self._guard, transaction(self._connection, self.path):
            run = self._connection.execute
            run("DELETE FROM ban WHERE until <= ?", (ban.since,))
            run("DELETE FROM pardon WHERE until <= ?", (ban.since,))
            if not ban.by_hand and run("SELECT 1 FROM pardon WHERE network = ?", (ban.network,)).fetchone():
                return False
            changed = run(
                "INSERT INTO ban VALUES (?, ?, ?, ?, ?) ON CONFLICT (network) DO UPDATE SET reason = excluded.reason,"
                " since = excluded.since, until = excluded.until, by_hand = excluded.by_hand"
                " WHERE excluded.by_hand OR NOT by_hand",
                (ban.network, reason, ban.since, ban.until, ban.by_hand),
            ).rowcount
            if max_bans:
                run(
                    "DELETE FROM ban WHERE network IN (SELECT network FROM ban WHERE NOT by_hand"
                    " ORDER BY until DESC LIMIT -1 OFFSET ?)",
                    (max_bans,),
                )
        return changed > 0

    def lift(self, network: str, now: float) -> int:
        """Ends the ban of exactly this network; how many there were (0 or 1)."""
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT OR REPLACE INTO pardon SELECT network, ? FROM ban WHERE network = ?", (now + PARDON, network)
            )
            return self._connection.execute("DELETE FROM ban WHERE network = ?", (network,)).rowcount

    def lift_all(self, now: float) -> int:
        """Ends every ban; how many there were."""
        with self._guard, transaction(self._connection, self.path):
            self._connection.execute("INSERT OR REPLACE INTO pardon SELECT network, ? FROM ban", (now + PARDON,))
            return self._connection.execute("DELETE FROM ban").rowcount

    def in_force(self, now: float) -> list[Ban]:
        """All bans that have not ended, latest first."""
        with self._guard, told(self.path):
            rows = self._connection.execute(
                "SELECT network, reason, since, until, by_hand FROM ban WHERE until IS NULL OR until > ?"
                " ORDER BY since DESC, network",
                (now,),
            )
            return [
                Ban(network=network, reason=reason, since=since, until=until, by_hand=bool(by_hand))
                for network, reason, since, until, by_hand in rows
            ]

    def changed(self) -> int:
        """A number that differs when another process has changed the bans since."""
        with self._guard, told(self.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def parse_network(field: str, text: str) -> IPv4Network | IPv6Network:
    """The network that a person named: an address, or CIDR. An IPv6 address stands for its /64, as one client has
    that much. Raises InputError."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise InputError(field, text, "is no network; write it as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48") from None
    if network.version == 6 and network.prefixlen > 64:
        network = network.supernet(new_prefix=64)
    if network.prefixlen < WIDEST[network.version]:
        raise InputError(field, text, f"is too wide; /{WIDEST[network.version]} is the widest that can be banned")
    return network
