"""The spool as its readers see it: all shards of a folder together.

In: the folder. Out: what is due, a message's octets; outcomes are recorded many at a time, and what is finished leaves.
The delivery process opens it `exclusive` (one lock, so that no message is delivered twice); the command line opens it
beside. Methods block on the disk: call them from a thread. Standard: RFC 5321 §4.5.4. Not here: `shard` (adding),
`quarantine` (listing, releasing, holding), when to try again (`server.delivery`).
"""

from __future__ import annotations

import heapq
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

from gatepost.errors import StoreDamaged, StoreError
from gatepost.store.database import make_folder, open_database, told, transaction
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool.bodies import BodyFiles
from gatepost.store.spool.ids import parse_id, shard_of, write_id
from gatepost.store.spool.rows import number_of
from gatepost.store.spool.schema import STEPS
from gatepost.store.spool.shard import bodies_of, lock_file, shard_path
from gatepost.store.spool.spooled import Outcome, Spooled, State
from gatepost.store.spool.statements import Gone, load, purge, write_outcomes

_T = TypeVar("_T")
Rest = Callable[[str, str], bool]  # address and own route of a copy: true where it may rest, due or not


def nobody(address: str, route: str) -> bool:
    """No copy may rest."""
    return False


_FOREVER = 1e12
_CLOCK_SLACK = 60.0  # seconds the clock may go back without a word; more is a jump, and waiting times are put right

_DUE = (
    "SELECT message, next_try, address, route FROM recipient WHERE state = 'queued' AND next_try <= ?"
    " ORDER BY next_try, message"
)
_BRING_FORWARD = (
    "UPDATE recipient SET next_try = ? WHERE message = ? AND position = ? AND state = 'queued' AND next_try > ?"
)
_WANTED = "SELECT position FROM recipient WHERE message = ? AND state = 'queued' AND bounce = ''"
_RECALL = "UPDATE recipient SET next_try = 0 WHERE state = 'queued' AND attempts = 0 AND next_try > 0"
_MEND = "UPDATE recipient SET next_try = ?1, last_try = ?1 WHERE state = 'queued' AND last_try > ?2"


class Spool:
    """Every shard of one folder. Thread-safe; one call at a time reaches the disk."""

    def __init__(
        self,
        folder: Path,
        settings: SpoolSettings,
        lock: int | None,
        on_damage: Callable[[StoreDamaged], None] | None = None,
    ) -> None:
        self.folder = folder
        self._on_damage = on_damage
        self._damaged: set[Path] = set()
        self.settings = settings
        self._lock = lock
        self._guard = threading.RLock()
        self._shards: dict[int, sqlite3.Connection] = {}
        self._paths: dict[int, Path] = {}
        self._versions: list[int] = []
        self._claimed: dict[int, set[int]] = {}  # message → positions given out and not yet accounted for
        self._clock = 0.0

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: SpoolSettings | None = None,
        *,
        now: float,
        exclusive: bool = False,
        on_damage: Callable[[StoreDamaged], None] | None = None,
    ) -> Spool:
        """Opens all shards; `exclusive` is for the delivery process, and refused while another one lives.

        Raises StoreError, StoreDamaged; with `on_damage` a damaged shard is told to it and left alone, and the mail in
        the others goes on.
        """
        make_folder(folder)
        lock = None
        if exclusive:
            lock = lock_file(folder / "delivery.owner", f"{folder}: another delivery process is at work")
        spool = cls(folder, settings or SpoolSettings(), lock, on_damage)
        try:
            spool.refresh()
            spool._clock = now
            if exclusive:
                spool._mend_times(now)
                spool._recall()
        except BaseException:
            spool.close()
            raise
        return spool

    def close(self) -> None:
        """Closes the databases and gives the lock free."""
        with self._guard:
            for connection in self._shards.values():
                connection.close()
            self._shards.clear()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The shards' numbers."""
        return tuple(sorted(self._shards))

    def refresh(self) -> None:
        """Opens shards that were made since; cheap enough for every idle second."""
        with self._guard:
            for path in sorted(self.folder.glob("shard-[0-9][0-9][0-9].db")):
                shard = int(path.stem[-3:])
                if shard not in self._shards and path not in self._damaged:
                    try:
                        self._open_shard(shard, path)
                    except StoreDamaged as error:
                        self._set_aside(path, error)

    def _set_aside(self, path: Path, error: StoreDamaged) -> None:
        """Leaves a damaged shard alone from here on, if that is allowed; else raises `error`."""
        if self._on_damage is None:
            raise error
        self._damaged.add(path)
        for shard in [shard for shard, known in self._paths.items() if known == path]:
            self._shards.pop(shard).close()
            del self._paths[shard]
        self._on_damage(error)

    def _open_shard(self, shard: int, path: Path) -> None:
        # The shard's owner has checked it page by page.
        connection = open_database(path, STEPS, busy_seconds=self.settings.busy_seconds, check_limit=0, create=False)
        with told(path):
            connection.execute(f"PRAGMA wal_autocheckpoint={self.settings.checkpoint_pages}")
        self._shards[shard] = connection
        self._paths[shard] = path

    def changed(self) -> bool:
        """Whether anybody else has written to a shard since the last call (some µs a shard; no message is read)."""
        with self._guard:
            before = self._versions
            self._versions = self.ask(lambda connection: connection.execute("PRAGMA data_version").fetchone()[0])
            return before != self._versions

    # What is due

    def due(self, now: float, limit: int = 100, rests: Rest = nobody) -> list[Spooled]:
        """Claims up to `limit` messages that have a recipient to be tried at `now` and not at rest, oldest try first
        over all shards; what was never tried goes by its arrival.

        A claim lasts until each such recipient has an outcome (`record`) or is given back (`give_back`); until then
        the message is not returned again. Claims die with the process.
        """
        with self._guard:
            if now < self._clock - _CLOCK_SLACK:
                self._mend_times(now)
            self._clock = now
            listed = self.ask(lambda connection: self._unclaimed(connection, now, limit, rests))
            chosen = [number for _, number in heapq.merge(*listed)][:limit]
            parts = self.ask(lambda connection: load(connection, chosen))  # each finds its own among them
            by_id = {spooled.id: spooled for spooled in chain.from_iterable(parts)}
            found = [by_id[one] for number in chosen if (one := write_id(number)) in by_id]
            for spooled in found:
                self._claimed[number_of(spooled.id)] = {r.position for r in spooled.pending(now)}
            return found

    def next_due(self, rests: Rest = nobody) -> float | None:
        """When the next recipient that is not claimed and not at rest falls due (0 for mail never tried); None when
        nobody waits."""
        times = self.ask(lambda connection: self._next_due(connection, rests))
        return min((time for time in times if time is not None), default=None)

    def give_back(self, ids: Iterable[str]) -> None:
        """Ends claims without an outcome: the messages are due again."""
        with self._guard:
            for message_id in ids:
                self._claimed.pop(number_of(message_id), None)

    def put_back(self, message_id: str, positions: Iterable[int]) -> None:
        """Ends the claims on these copies alone."""
        with self._guard:
            for position in positions:
                self._account(number_of(message_id), position)

    def _unclaimed(
        self, connection: sqlite3.Connection, now: float, limit: int, rests: Rest
    ) -> list[tuple[float, int]]:
        """When due and number of up to `limit` messages, in this order."""
        found: dict[int, float] = {}
        rows = connection.execute(_DUE, (now,))
        for number, due, address, route in rows:
            if number not in self._claimed and number not in found and not rests(address, route):
                found[number] = due
                if len(found) >= limit:
                    break
        rows.close()  # an open cursor would keep the log from being folded back
        return [(due, number) for number, due in found.items()]

    def _next_due(self, connection: sqlite3.Connection, rests: Rest) -> float | None:
        rows = connection.execute(_DUE, (_FOREVER,))
        found = next(
            (float(due) for number, due, *copy in rows if number not in self._claimed and not rests(*copy)), None
        )
        rows.close()
        return found

    def _mend_times(self, now: float) -> None:
        """After the clock was put back, whoever was tried in what is now the future is due at once."""
        for shard in list(self._shards):
            try:
                self.change(shard, _MEND, (now, now + _CLOCK_SLACK), ())
            except StoreDamaged as error:
                self._set_aside(self._paths[shard], error)

    def _recall(self) -> None:
        """Nothing is full after a start: what the process before had put off, and never tried, is due at once."""
        for shard in list(self._shards):
            try:
                self.change(shard, _RECALL, (), ())
            except StoreDamaged as error:
                self._set_aside(self._paths[shard], error)

    # Reading

    def get(self, message_id: str) -> Spooled | None:
        """The message with this id, or None."""
        number = parse_id(message_id)
        if number is None or shard_of(number) not in self._shards:
            return None
        with self._guard, told(self._paths[shard_of(number)]):
            found = load(self._shards[shard_of(number)], [number])
        return found[0] if found else None

    def body(self, message_id: str) -> bytes:
        """The message's octets, exactly as they were added. Raises StoreDamaged if they are not what they were."""
        number = number_of(message_id)
        connection = self._shards.get(shard_of(number))
        row = None
        if connection is not None:
            with self._guard, told(self._paths[shard_of(number)]):
                row = connection.execute("SELECT body, size, crc FROM message WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise StoreError(f"{message_id}: not in the spool")
        octets, size, crc = row
        if octets is None:
            octets = self._bodies(number).read(number)
        if octets is None or len(octets) != size or zlib.crc32(octets) != crc:
            raise StoreDamaged(f"{message_id}: its octets are not what was stored")
        return bytes(octets)

    def body_to_send(self, message_id: str) -> bytes:
        """The octets for the delivery that has claimed copies of the message. Raises StoreError where an administrator
        has taken one of them back meanwhile: held, returned, deleted."""
        number = number_of(message_id)
        claimed, connection = self._claimed.get(number, set()), self._shards.get(shard_of(number))
        if connection is not None:
            with self._guard, told(self._paths[shard_of(number)]):
                wanted = {position for (position,) in connection.execute(_WANTED, (number,))}
            if not claimed <= wanted:
                raise StoreError(f"{message_id}: the administrator has taken it back")
        return self.body(message_id)

    def body_path(self, message_id: str) -> Path | None:
        """The file that holds the octets of a large message, None when they are in the database."""
        number = number_of(message_id)
        path = self._bodies(number).path(number)
        return path if path.exists() else None

    def counts(self) -> dict[State, int]:
        """How many recipients stand in each state."""
        totals = dict.fromkeys(State, 0)
        sql = "SELECT state, count(*) FROM recipient GROUP BY state"
        for rows in self.ask(lambda connection: connection.execute(sql).fetchall()):
            for state, count in rows:
                totals[State(state)] += count
        return totals

    def select(self, condition: str, values: Sequence[object] = (), limit: int = 1000) -> list[Spooled]:
        """Messages one of whose recipient rows meets an SQL condition, newest first; for this room's own use."""
        sql = f"SELECT DISTINCT message FROM recipient WHERE {condition} ORDER BY message DESC LIMIT ?"  # noqa: S608
        asked = (*values, limit)
        parts = self.ask(lambda connection: load(connection, [row[0] for row in connection.execute(sql, asked)]))
        return sorted(chain.from_iterable(parts), key=lambda spooled: spooled.id, reverse=True)[:limit]

    # Writing

    def record(self, outcomes: Sequence[Outcome], now: float) -> list[str]:
        """Writes many outcomes down, one transaction a shard, and removes what is finished; returns the finished ids.

        Durable when it returns. What it says about a message that is gone is ignored.
        """
        by_shard: dict[int, list[tuple[int, Outcome]]] = {}
        for outcome in outcomes:
            number = number_of(outcome.id)
            by_shard.setdefault(shard_of(number), []).append((number, outcome))
        finished: list[str] = []
        with self._guard:
            for shard, pairs in by_shard.items():
                if shard in self._shards:
                    with self._writing(shard) as (connection, gone):
                        write_outcomes(connection, pairs, now, gone)
                    finished += map(write_id, gone.numbers)
                for number, outcome in pairs:
                    self._account(number, outcome.position)
        return finished

    def bring_forward(self, outcomes: Sequence[Outcome], now: float) -> None:
        """Queued copies that are due later than `now` become due as `outcomes` say; claims stay as they are."""
        by_shard: dict[int, list[tuple[float, int, int, float]]] = {}
        for outcome in outcomes:
            number = number_of(outcome.id)
            by_shard.setdefault(shard_of(number), []).append((outcome.next_try, number, outcome.position, now))
        with self._guard:
            for shard, rows in by_shard.items():
                if shard in self._shards:
                    with self._writing(shard) as (connection, _):
                        connection.executemany(_BRING_FORWARD, rows)

    def change(self, shard: int, sql: str, values: Sequence[object], numbers: Collection[int]) -> int:
        """Runs one UPDATE of recipients, removes those of `numbers` it finished; for this room's own use."""
        if shard not in self._shards:
            return 0
        with self._guard, self._writing(shard) as (connection, gone):
            count = connection.execute(sql, values).rowcount
            purge(connection, numbers, gone)
        return count

    def _account(self, number: int, position: int) -> None:
        open_positions = self._claimed.get(number)
        if open_positions is not None:
            open_positions.discard(position)
            if not open_positions:
                del self._claimed[number]

    @contextmanager
    def _writing(self, shard: int) -> Iterator[tuple[sqlite3.Connection, Gone]]:
        """A transaction on one shard; the block notes what it removes."""
        path, connection, gone = self._paths[shard], self._shards[shard], Gone()
        with transaction(connection, path, self.settings.busy_seconds):
            yield connection, gone
        bodies_of(path).remove(gone.in_files)  # only now: the rows' removal is durable

    def ask(self, question: Callable[[sqlite3.Connection], _T]) -> list[_T]:
        """The answer of every shard, with a shard's error told in its name; for this room's own use."""
        answers = []
        with self._guard:
            for shard, connection in list(self._shards.items()):
                path = self._paths[shard]
                try:
                    with told(path):
                        answers.append(question(connection))
                except StoreDamaged as error:
                    self._set_aside(path, error)
        return answers

    def _bodies(self, number: int) -> BodyFiles:
        return bodies_of(self._paths.get(shard_of(number)) or shard_path(self.folder, shard_of(number)))
