"""What was changed in DNS by command, and what stood there before: kept so that it can be undone.

In: changes with what stood before. Out: the last of a domain that was not undone. Standard: none.
Not here: making and undoing changes (`server.records.publish`).
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatepost.errors import StoreDamaged
from gatepost.ports import DnsStatus
from gatepost.ports.publisher import Action, Change, Standing
from gatepost.store.database import give_to_owner, make_folder, open_database, told, transaction

STEPS = (
    """
    CREATE TABLE published (
        id INTEGER PRIMARY KEY,
        domain TEXT NOT NULL,
        at REAL NOT NULL,
        undone_at REAL,
        steps TEXT NOT NULL
    );
    """,
)
KEPT = 200  # publications; the oldest go first


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Changes that were made together, each with what stood there before."""

    id: int
    domain: str
    at: float
    steps: tuple[tuple[Change, Standing], ...]


class PublishedStore:
    """`folder/published.db`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, folder: Path) -> PublishedStore:
        """Opens or creates it. Raises StoreError, StoreDamaged."""
        make_folder(folder)
        path = folder / "published.db"
        found = cls(path, open_database(path, STEPS))
        give_to_owner(path)
        return found

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()

    def add(self, domain: str, steps: tuple[tuple[Change, Standing], ...], now: float) -> int:
        """Keeps what is about to be changed; its number."""
        text = json.dumps([[asdict(change), asdict(before)] for change, before in steps])
        with transaction(self._connection, self.path):
            key = self._connection.execute(
                "INSERT INTO published (domain, at, steps) VALUES (?, ?, ?)", (domain, now, text)
            ).lastrowid
            self._connection.execute("DELETE FROM published WHERE id <= ?", ((key or 0) - KEPT,))
        return key or 0

    def last(self, domain: str) -> Publication | None:
        """The last one of `domain` that was not undone. Raises StoreDamaged for what cannot be read."""
        with told(self.path):
            row = self._connection.execute(
                "SELECT id, at, steps FROM published WHERE domain = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1",
                (domain,),
            ).fetchone()
        if row is None:
            return None
        try:
            steps = tuple((_change(change), _standing(before)) for change, before in json.loads(row[2]))
        except (ValueError, TypeError, KeyError) as error:
            raise StoreDamaged(f"{self.path}: a row cannot be read ({error}); restore it from a backup") from None
        return Publication(id=row[0], domain=domain, at=row[1], steps=steps)

    def mark_undone(self, key: int, now: float) -> None:
        """It is not offered again."""
        with transaction(self._connection, self.path):
            self._connection.execute("UPDATE published SET undone_at = ? WHERE id = ?", (now, key))

    def forget(self, key: int) -> None:
        """Nothing of it was made."""
        with transaction(self._connection, self.path):
            self._connection.execute("DELETE FROM published WHERE id = ?", (key,))


def _change(values: dict[str, Any]) -> Change:
    expected = values["expected"]
    return Change(
        action=Action(values["action"]),
        name=values["name"],
        rtype=values["rtype"],
        records=tuple(values["records"]),
        ttl=values["ttl"],
        expected=None if expected is None else tuple(expected),
    )


def _standing(values: dict[str, Any]) -> Standing:
    return Standing(**{**values, "status": DnsStatus(values["status"]), "records": tuple(values["records"])})
