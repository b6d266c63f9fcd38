"""What people move between their inbox and Junk teaches the classifier: into Junk is spam, out of it is ham.

In: the mailboxes, the journal (where each copy was delivered), what was seen before. Out: what was learnt, each move
once. Only mail that this gate delivered counts, known by the id in our own Received field; a mailbox whose Junk folder
has not changed costs two looks at a time. Work is bounded in each round and goes on in the next. Blocks on the disk.
Standard: Maildir++ (`.Junk`). Not here: other folders (a message in the trash is no ham), learning itself (`learning`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gatepost.errors import StoreError
from gatepost.inspector.content import Content
from gatepost.message.header import Header, parse_header
from gatepost.message.received import parse_received
from gatepost.sandbox.pool import Sandbox
from gatepost.sandbox.settings import ContentSettings
from gatepost.server.learning import learn
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.store.journal import Attempt, Journal
from gatepost.store.learned import LearnedStore
from gatepost.store.maildir import JUNK
from gatepost.store.mailfiles import Arrived, arrived, mailboxes, read_file, stamp
from gatepost.store.moves import Looked, Moves
from gatepost.store.spool.ids import parse_id

INBOX_PLACE, JUNK_PLACE = "inbox", "Junk"  # as the journal says of a delivery: "delivered to Junk"
LABELS = {INBOX_PLACE: "ham", JUNK_PLACE: "spam"}
EVERY = 600.0  # seconds between two rounds
SETTLED = 60.0  # seconds: what came later may be in the middle of a move, which is a copy and a removal
MAX_FILES = 2000  # files looked at in one round
MAX_LEARNT = 200  # messages learnt in one round
MAX_HEADER = 64 << 10  # octets read of a file to find its id
MAX_OCTETS = 4 << 20  # octets of a message that is learnt; what is longer is learnt by its start
_DELIVERED = "delivered to "


@dataclass(slots=True, kw_only=True)
class Round:
    """What one round did. `next` is the mailbox at which the next one begins, empty when there is no more to do."""

    ham: int = 0
    spam: int = 0
    files: int = 0
    next: str = ""

    @property
    def is_full(self) -> bool:
        """No more in this round."""
        return self.files >= MAX_FILES or self.ham + self.spam >= MAX_LEARNT


Teach = Callable[[bytes, str, float], bool]
"""Learns octets as "ham" or "spam"; False when that was known."""


@dataclass(slots=True, kw_only=True)
class FolderWatch:
    """`root` holds the mailboxes; `host` is what our Received fields say after "by"; `teach` learns."""

    root: Path
    host: str
    journal: Journal
    moves: Moves
    teach: Teach

    def look(self, now: float, begin: str = "") -> Round:
        """One round, which begins at the mailbox `begin`, so that none starves another. Raises StoreError."""
        done = Round()
        boxes = sorted(mailboxes(self.root))
        first = next((n for n, (address, _) in enumerate(boxes) if address >= begin), 0)
        for address, inbox in boxes[first:] + boxes[:first]:
            if done.is_full:
                done.next = address
                break
            _Mailbox(self, address, inbox, now, done).look()
        return done


class _Opening:
    """One sandbox for a round, in the round's own thread: what is learnt is read as what is judged."""

    def __init__(self, settings: ContentSettings) -> None:
        self._loop = asyncio.Runner()
        self._sandbox = Sandbox(settings, preload=False) if settings.enabled else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._loop as loop:
            if self._sandbox is not None:
                loop.run(self._sandbox.close())

    def content(self, raw: bytes) -> Content | None:
        """What is inside; None where nothing is opened."""
        return self._loop.run(self._opened(self._sandbox, raw)) if self._sandbox is not None else None

    async def _opened(self, sandbox: Sandbox, raw: bytes) -> Content:
        return Content(await sandbox.begin(raw))


async def watch_folders(settings: GateSettings, journal: Journal, log: Log) -> None:
    """Rounds, until it is cancelled; in the delivery process."""
    if not settings.store.learned.learn_from_folders:
        return
    folder = Path(settings.store.folder)
    learned = LearnedStore(folder, settings.store.learned)

    def look(now: float, begin: str) -> Round:
        moves = Moves.open(folder)
        try:
            with _Opening(settings.content) as opening:
                watch = FolderWatch(
                    root=folder / "mail",
                    host=settings.hostname,
                    journal=journal,
                    moves=moves,
                    teach=lambda raw, label, at: learn(learned, raw, label, at, opening.content(raw)),
                )
                moves.prune(now)
                learned.prune(now)
                return watch.look(now, begin)
        finally:
            moves.close()

    begin = ""
    while True:
        try:
            done = await asyncio.to_thread(look, time.time(), begin)
        except StoreError as error:
            log.error("learning-failed", error=error)
        else:
            begin = done.next
            if done.ham or done.spam:
                log.info("learnt", spam=done.spam, ham=done.ham)
        await asyncio.sleep(EVERY)


class _Mailbox:
    """One mailbox in one round."""

    def __init__(self, watch: FolderWatch, address: str, inbox: Path, now: float, done: Round) -> None:
        self.watch = watch
        self.address = address
        self.inbox = inbox
        self.junk = inbox / JUNK
        self.now = now
        self.done = done
        self._settled = int((now - SETTLED) * 1e9)
        self._in_junk: set[str] | None = None

    def look(self) -> None:
        moves, stands = self.watch.moves, stamp(self.junk)
        if stands == (0, 0) or stands == moves.looked(self.junk).stamp:
            return
        seen = [self._look_through(self.junk, JUNK_PLACE), self._look_through(self.inbox, INBOX_PLACE)]
        # A stamp counts once it is old: a file system's clock stands still for milliseconds, and two changes share one.
        whole = all(complete for complete, _ in seen) and max(stands) <= self._settled
        cursors = [cursor for _, cursor in seen]
        moves.keep(
            [
                (self.junk, Looked(stamp=stands if whole else (0, 0), cursor=cursors[0])),
                (self.inbox, Looked(cursor=cursors[1])),
            ],
            self.now,
        )

    def _look_through(self, folder: Path, place: str) -> tuple[bool, int]:
        """Whether it was looked through to the end, and the time of the last file."""
        keep = self.watch.journal.settings.keep_days * 86400  # what is older the journal does not know
        cursor = max(self.watch.moves.looked(folder).cursor, int((self.now - keep) * 1e9))
        left = MAX_FILES - self.done.files
        found = arrived(folder, cursor, max(left, 1))
        for one in found:
            if one.at > self._settled or self.done.is_full:
                return False, cursor
            self.done.files += 1
            self._consider(one, place)
            cursor = one.at
        return len(found) < left, cursor

    def _consider(self, one: Arrived, place: str) -> None:
        """Learns, if the message lies elsewhere than where it was last."""
        watch, message_id = self.watch, self._id_of(one.path)
        if not message_id:
            return
        last = watch.moves.place(self.address, message_id) or self._delivered_to(message_id)
        if not last or last == place or (place == INBOX_PLACE and message_id in self._ids_in_junk()):
            return
        raw = read_file(one.path, MAX_OCTETS)
        if raw is None:
            return
        label = LABELS[place]
        if watch.teach(raw, label, self.now):
            self._note(message_id, label, place)
        watch.moves.put(self.address, message_id, place, self.now)

    def _note(self, message_id: str, label: str, place: str) -> None:
        self.done.spam += label == "spam"
        self.done.ham += label == "ham"
        text = f"{self.address}, who moved it to {place}"
        note = Attempt(id=message_id, at=self.now, rcpt_to=self.address, status=f"learnt-{label}", text=text)
        self.watch.journal.write([], [note])

    def _id_of(self, path: Path) -> str:
        head = read_file(path, MAX_HEADER)
        return id_of(parse_header(head), self.watch.host) if head else ""

    def _delivered_to(self, message_id: str) -> str:
        """Where this mailbox's copy was put, as the journal says; empty when it says nothing."""
        for attempt in reversed(self.watch.journal.attempts(message_id)):
            mine = attempt.relay == "maildir" and attempt.rcpt_to.lower() == self.address.lower()
            if mine and attempt.text.startswith(_DELIVERED):
                return attempt.text.removeprefix(_DELIVERED)
        return ""

    def _ids_in_junk(self) -> set[str]:
        """What lies in Junk now: a copy in the inbox beside it was not moved out. Asked for seldom."""
        if self._in_junk is None:
            self._in_junk = {self._id_of(one.path) for one in arrived(self.junk, 0, MAX_FILES)}
        return self._in_junk


def id_of(header: Header, host: str) -> str:
    """The spool id in the topmost Received field, if that is ours; empty otherwise."""
    fields = header.all("received")
    if not fields:
        return ""
    hop = parse_received(fields[0].value)
    return hop.id.lower() if hop.by.lower() == host.lower() and parse_id(hop.id) is not None else ""
