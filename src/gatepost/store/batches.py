"""A thread that writes notes to a database: they gather for a moment and go in together.

In: `note(…)`, which never blocks. Out: rows, soon after. When the disk fails or notes come too fast, some are lost and
counted: mail goes on, and `told` hears of it once, and once more when notes are kept again.
Standard: none. Not here: the databases (`journal`, `watch`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from gatepost.errors import StoreError

_GATHER = 0.25  # seconds that notes wait for company
_MAX_WAITING = 20_000  # notes in memory; at 2,000 messages a second that is ten seconds of a disk that stands still
_MAX_BATCH = 1000

Note = TypeVar("Note")
NoteIn = TypeVar("NoteIn", contravariant=True)
Told = Callable[[StoreError | None, int], None]


class Keeper(Protocol[NoteIn]):
    """What the thread writes to."""

    def keep(self, notes: Sequence[NoteIn]) -> None:
        """Writes all. Raises StoreError."""
        ...

    def close(self) -> None:
        """No more will come."""
        ...


class BatchWriter(Generic[Note]):
    """Owns the database: `close` writes what waits and closes it."""

    def __init__(self, keeper: Keeper[Note], told: Told | None = None) -> None:
        """`told(error, lost)` is called in the writer's thread; `error` is None when notes are kept again."""
        self._keeper = keeper
        self._told = told
        self._failing = False
        self._queue: queue.SimpleQueue[Note | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self.lost = 0
        """Notes that were not kept."""
        self._thread = threading.Thread(target=self._run, name="notes", daemon=True)
        self._thread.start()

    def note(self, what: Note) -> None:
        """Takes a note; from any thread, never blocking, never raising."""
        if self._stop.is_set() or self._queue.qsize() >= _MAX_WAITING:
            self.lost += 1
        else:
            self._queue.put(what)

    def close(self) -> None:
        """Writes what waits, then closes the database."""
        if not self._stop.is_set():
            self._stop.set()
            self._queue.put(None)
            self._thread.join()
            self._keeper.close()

    def _run(self) -> None:
        open_end = True
        while open_end:
            first = self._queue.get()
            self._stop.wait(_GATHER)
            batch: list[Note | None] = [first]
            while len(batch) < _MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            open_end = None not in batch
            self._write([note for note in batch if note is not None])

    def _write(self, batch: list[Note]) -> None:
        error: StoreError | None = None
        try:
            self._keeper.keep(batch)
        except StoreError as trouble:
            error = trouble
        except Exception as trouble:  # one odd note must not end the rest
            error = StoreError(f"notes could not be kept: {trouble!r}")
        if error is not None:
            self.lost += len(batch)
        if self._told is not None and (error is not None) is not self._failing:
            self._told(error, self.lost)
        self._failing = error is not None
