"""The thread that writes the journal.

In: `note(…)`, which never blocks. Out: entries and attempts, soon after.
Standard: none. Not here: how notes gather and what is lost when the disk fails (`batches`), the database (`journal`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.store.batches import BatchWriter, Told
from gatepost.store.journal.entry import Attempt, Entry
from gatepost.store.journal.journal import Journal


class JournalWriter(BatchWriter[Entry | Attempt]):
    """Owns the journal: `close` writes what waits and closes it."""

    def __init__(self, journal: Journal, told: Told | None = None) -> None:
        """`told(error, lost)` as `BatchWriter` calls it."""
        super().__init__(_Keeper(journal), told)


class _Keeper:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def keep(self, notes: Sequence[Entry | Attempt]) -> None:
        self._journal.write(
            [note for note in notes if isinstance(note, Entry)], [note for note in notes if isinstance(note, Attempt)]
        )

    def close(self) -> None:
        self._journal.close()
