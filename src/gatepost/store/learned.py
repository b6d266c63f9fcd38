"""What was learnt here: which features stood in messages that people called ham, spam or phish.

In: the features of a message and its label. Out: counts by feature, `Learned`. Each message counts once: learning it
again changes nothing, under another label it moves, and the counts are at every moment the sum over the messages that
are remembered. So ageing is exact: what is older than `days`, or one too many, is forgotten with all it had added.
Features are kept as hashes only: nobody reads mail out of this file. A look-up is a read of its own connection, which
never waits for a writer; so workers know at once what was learnt a moment ago.
Standard: none. Not here: what a feature is and weighs (`inspector.classifier`), who teaches (`server.learning`).

    learned = LearnedStore(folder, settings.store.learned)
    learned.learn(fingerprint, "spam", features, now)   # True, or False when that was known
"""

from __future__ import annotations

import sqlite3
import struct
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from gatepost.errors import InputError, StoreError
from gatepost.ports.memory import NOTHING, Counts, Learned
from gatepost.store.database import make_folder, open_database, told, transaction
from gatepost.store.settings import LearnedSettings

LABELS = ("ham", "spam", "phish")
DAY = 86400.0
MAX_FEATURES = 1500  # of one message
_BUSY_SECONDS = 30.0
_AT_ONCE = 500  # features in one question

STEPS = (
    """
    CREATE TABLE learnt (
        fingerprint BLOB PRIMARY KEY,
        label INTEGER NOT NULL,
        learnt_at REAL NOT NULL,
        features BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX learnt_by_age ON learnt (learnt_at);
    CREATE TABLE feature (
        hash INTEGER PRIMARY KEY,
        ham INTEGER NOT NULL DEFAULT 0,
        spam INTEGER NOT NULL DEFAULT 0,
        phish INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE total (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        ham INTEGER NOT NULL,
        spam INTEGER NOT NULL,
        phish INTEGER NOT NULL
    );
    INSERT INTO total VALUES (1, 0, 0, 0);
    """,
)
# The label's own column, by number: never text from outside.
_ADD = tuple(
    f"INSERT INTO feature (hash, {label}) VALUES (?1, 1) ON CONFLICT DO UPDATE SET {label} = {label} + 1"  # noqa: S608
    for label in LABELS
)
_TAKE = tuple(f"UPDATE feature SET {label} = max(0, {label} - 1) WHERE hash = ?1" for label in LABELS)  # noqa: S608
_TOTAL = tuple(f"UPDATE total SET {label} = max(0, {label} + ?1)" for label in LABELS)  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedStatus:
    """How much is remembered. `oldest` and `newest` are seconds since the epoch, None when nothing is."""

    messages: Counts
    features: int
    oldest: float | None
    newest: float | None
    octets: int


class LearnedStore:
    """Implements `gatepost.ports.Memory`. Thread-safe; several processes may have one each."""

    def __init__(self, folder: Path, settings: LearnedSettings | None = None) -> None:
        """What is in `folder/learned.db`; nothing is opened before it is used."""
        self.path = folder / "learned.db"
        self.settings = settings or LearnedSettings()
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None
        self._guard = threading.Lock()
        self._reading_guard = threading.Lock()

    def close(self) -> None:
        """Closes the database; it opens again when used."""
        with self._guard:
            if self._writing is not None:
                self._writing.close()
            self._writing = None
        self._forget_reading()

    # --- reading

    async def recall(self, features: Sequence[str]) -> Learned:
        """What is known of `features`; a store that is away, damaged or empty knows nothing."""
        try:
            with self._reading_guard, told(self.path):
                if self._reading is None:
                    if not self.path.exists():
                        return Learned()
                    self._reading = self._open_reading()
                return _recall(self._reading, features[:MAX_FEATURES])
        except StoreError:
            self._forget_reading()
            return Learned()

    def _open_reading(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        reading = sqlite3.connect(address, uri=True, timeout=0.05, isolation_level=None, check_same_thread=False)
        version = reading.execute("PRAGMA user_version").fetchone()[0]
        if version != len(STEPS):
            reading.close()
            raise StoreError(f"{self.path}: schema {version}, this version knows {len(STEPS)}")
        return reading

    def _forget_reading(self) -> None:
        with self._reading_guard, suppress(sqlite3.Error):
            reading, self._reading = self._reading, None
            if reading is not None:
                reading.close()

    def status(self) -> LearnedStatus:
        """How much is remembered. Raises StoreError."""
        if not self.path.exists():
            return LearnedStatus(messages=NOTHING, features=0, oldest=None, newest=None, octets=0)
        with self._guard, told(self.path):
            connection = self._opened()
            messages = connection.execute("SELECT ham, spam, phish FROM total").fetchone()
            features = connection.execute("SELECT count(*) FROM feature").fetchone()[0]
            oldest, newest = connection.execute("SELECT min(learnt_at), max(learnt_at) FROM learnt").fetchone()
            octets = self.path.stat().st_size
        return LearnedStatus(messages=messages, features=features, oldest=oldest, newest=newest, octets=octets)

    def label_of(self, fingerprint: bytes) -> str | None:
        """What the message was learnt as, None when it is not remembered. Raises StoreError."""
        if not self.path.exists():
            return None
        with self._guard, told(self.path):
            row = self._opened().execute("SELECT label FROM learnt WHERE fingerprint = ?", (fingerprint,)).fetchone()
        return LABELS[row[0]] if row else None

    # --- writing

    def learn(self, fingerprint: bytes, label: str, features: Iterable[str], now: float) -> bool:
        """Remembers a message; False when it was known under the same label. Raises StoreError, InputError."""
        if label not in LABELS:
            raise InputError("label", label, f"is none of {', '.join(LABELS)}")
        number = LABELS.index(label)
        hashes = sorted({_hash(feature) for feature in features})[:MAX_FEATURES]
        with self._guard:
            connection = self._opened()
            with transaction(connection, self.path, _BUSY_SECONDS):
                known = connection.execute("SELECT label FROM learnt WHERE fingerprint = ?", (fingerprint,)).fetchone()
                if known is not None and known[0] == number:
                    return False
                if known is not None:
                    _forget(connection, [fingerprint])
                packed = struct.pack(f"<{len(hashes)}q", *hashes)
                connection.execute("INSERT INTO learnt VALUES (?, ?, ?, ?)", (fingerprint, number, now, packed))
                connection.executemany(_ADD[number], [(value,) for value in hashes])
                connection.execute(_TOTAL[number], (1,))
                _forget(connection, self._surplus(connection, now))
        return True

    def forget(self, fingerprint: bytes) -> bool:
        """Forgets one message and all it had added; False when it was not remembered. Raises StoreError."""
        if not self.path.exists():
            return False
        with self._guard:
            connection = self._opened()
            with transaction(connection, self.path, _BUSY_SECONDS):
                return _forget(connection, [fingerprint]) > 0

    def forget_all(self) -> int:
        """Forgets everything; how many messages that were. Raises StoreError."""
        if not self.path.exists():
            return 0
        with self._guard:
            connection = self._opened()
            with transaction(connection, self.path, _BUSY_SECONDS):
                count = int(connection.execute("SELECT count(*) FROM learnt").fetchone()[0])
                connection.execute("DELETE FROM learnt")
                connection.execute("DELETE FROM feature")
                connection.execute("UPDATE total SET ham = 0, spam = 0, phish = 0")
            return count

    def prune(self, now: float) -> int:
        """Forgets what is too old; how many messages that were. Raises StoreError."""
        if not self.path.exists():
            return 0
        with self._guard:
            connection = self._opened()
            with transaction(connection, self.path, _BUSY_SECONDS):
                return _forget(connection, self._surplus(connection, now))

    def _surplus(self, connection: sqlite3.Connection, now: float) -> list[bytes]:
        """The messages that are too old, and the oldest of those that are too many."""
        old = connection.execute(
            "SELECT fingerprint FROM learnt WHERE learnt_at < ?", (now - DAY * self.settings.days,)
        )
        found = [row[0] for row in old]
        count = int(connection.execute("SELECT count(*) FROM learnt").fetchone()[0])
        if count > self.settings.max_messages:
            many = connection.execute(
                "SELECT fingerprint FROM learnt ORDER BY learnt_at LIMIT ?", (count - self.settings.max_messages,)
            )
            found += [row[0] for row in many]
        return list(dict.fromkeys(found))

    def _opened(self) -> sqlite3.Connection:
        if self._writing is None:
            make_folder(self.path.parent)
            self._writing = open_database(self.path, STEPS, busy_seconds=_BUSY_SECONDS, check_limit=0)
        return self._writing


def _forget(connection: sqlite3.Connection, fingerprints: Sequence[bytes]) -> int:
    """Takes messages out of the counts. In the caller's transaction."""
    gone = 0
    for fingerprint in fingerprints:
        row = connection.execute("SELECT label, features FROM learnt WHERE fingerprint = ?", (fingerprint,)).fetchone()
        if row is None:
            continue
        hashes = [(value,) for (value,) in struct.iter_unpack("<q", row[1])]
        connection.executemany(_TAKE[row[0]], hashes)
        connection.executemany("DELETE FROM feature WHERE hash = ? AND ham + spam + phish = 0", hashes)
        connection.execute(_TOTAL[row[0]], (-1,))
        connection.execute("DELETE FROM learnt WHERE fingerprint = ?", (fingerprint,))
        gone += 1
    return gone


def _recall(connection: sqlite3.Connection, features: Sequence[str]) -> Learned:
    messages = connection.execute("SELECT ham, spam, phish FROM total").fetchone()
    if messages is None or messages == NOTHING:
        return Learned()
    by_hash = {_hash(feature): feature for feature in features}
    hashes = list(by_hash)
    counts: dict[str, Counts] = {}
    for start in range(0, len(hashes), _AT_ONCE):
        some = hashes[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = connection.execute(f"SELECT hash, ham, spam, phish FROM feature WHERE hash IN ({marks})", some)  # noqa: S608
        counts.update((by_hash[row[0]], (row[1], row[2], row[3])) for row in rows)
    return Learned(messages=messages, counts=counts)


def _hash(feature: str) -> int:
    """64 bits, signed, as SQLite's integers are."""
    return int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "little", signed=True)
