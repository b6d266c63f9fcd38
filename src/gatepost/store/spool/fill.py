"""How full a spool is: copies that wait, octets on disk.

In: an open `Spool`. Out: `Fill`. Costs some milliseconds for 100,000 copies; no message is read. Blocks on the disk.
Standard: none. Not here: the limits (`store.settings.SpoolSettings`), what follows (`server.fullness`).
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass

from gatepost.store.spool.queue import Spool

# Both are answered from the partial indexes alone.
_COPIES = (
    "SELECT (SELECT count(*) FROM recipient WHERE state = 'queued')"
    " + (SELECT count(*) FROM recipient WHERE state = 'held' AND state <> 'queued')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """`copies` wait or are held by the administrator; `octets` of messages and rows, the quarantine's among them;
    `reusable` octets of the databases are free for new mail without more disk."""

    copies: int = 0
    octets: int = 0
    reusable: int = 0


def measure(spool: Spool) -> Fill:
    """How full it is now. Raises StoreError."""
    spool.refresh()
    copies = used = reusable = 0
    for count, pages, free, size in spool.ask(_ask):
        copies += count
        used += (pages - free) * size
        reusable += free * size
    return Fill(copies=copies, octets=used + _in_files(spool), reusable=reusable)


def _ask(connection: sqlite3.Connection) -> tuple[int, int, int, int]:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int(connection.execute(_COPIES).fetchone()[0]), pages, free, size


def _in_files(spool: Spool) -> int:
    total = 0
    for folder in spool.folder.glob("shard-[0-9][0-9][0-9].bodies"):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    try:
                        total += entry.stat(follow_symlinks=False).st_size
                    except OSError:  # delivered meanwhile
                        pass
        except OSError:
            pass
    return total
