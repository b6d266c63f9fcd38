"""A small life of the store, to be traced: everything that writes, in one process, with limits so small that each kind
of write happens often.

In: a folder; perhaps how to be careless (`--careless wal`), which proves that the tests notice. Out: on standard output
"ACCEPTED id sha256 recipients" at the moment a server would answer 250, "TOGETHER" before sessions overlap.
Not here: the checks (`test_power_cut`).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
from collections.abc import Sequence
from pathlib import Path

import gatepost.store.maildir
from gatepost.names import Envelope, Recipient, Session
from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Committer, NewMessage, Outcome, Spool, SpoolShard, State, Treatment, quarantine

NOW = 1_790_000_000.0
SETTINGS = SpoolSettings(inline_limit=2000, reserve=0, checkpoint_pages=4)
RNG = random.Random(1)


def new_message(shard: SpoolShard | Committer, size: int, state: State = State.QUEUED, to: int = 1) -> NewMessage:
    recipients = tuple(Recipient(address=f"user{RNG.randrange(3)}@example.org") for _ in range(to))
    return NewMessage(
        id=shard.next_id(NOW),
        envelope=Envelope(mail_from="bob@example.net", recipients=recipients),
        session=Session(client_ip="192.0.2.1", received_at=NOW),
        body=RNG.randbytes(size),
        treatments=tuple(Treatment(state=state) for _ in recipients),
    )


def promise(new: NewMessage) -> None:
    """Says 250."""
    digest = hashlib.sha256(new.body).hexdigest()
    os.write(1, f"ACCEPTED {new.id} {digest} {len(new.envelope.recipients)}\n".encode())


def add(shard: SpoolShard, batch: Sequence[NewMessage]) -> None:
    shard.add_many(batch)
    for new in batch:
        promise(new)


def deliver(spool: Spool, mailboxes: Mailboxes, limit: int) -> None:
    """Every fourth is put off; the others go to their mailboxes, and only then leave the spool."""
    outcomes, drops = [], []
    for number, spooled in enumerate(spool.due(NOW, limit)):
        octets = spool.body(spooled.id)
        for recipient in spooled.pending(NOW):
            state = State.QUEUED if number % 4 == 3 else State.DELIVERED
            outcomes.append(Outcome(id=spooled.id, position=recipient.position, state=state, next_try=NOW + 60))
            if state is State.DELIVERED:
                drops.append(Drop(id=spooled.id, position=recipient.position, address=recipient.address, octets=octets))
    assert mailboxes.deliver(drops) == [None] * len(drops)
    spool.record(outcomes, NOW)


async def many_sessions(shard: SpoolShard) -> None:
    """Sessions that share their commits; closes the shard."""
    committer = Committer(shard)

    async def session(size: int) -> None:
        new = new_message(committer, size)
        await committer.add(new)
        promise(new)

    await asyncio.gather(*(session(size) for size in (100, 5000, 1500, 300, 4000, 800)))
    await committer.close()


def live(folder: Path) -> None:
    spool_folder, mailboxes = folder / "spool", Mailboxes(folder / "mail", "mx.example.org")
    shard = SpoolShard.open(spool_folder, 0, SETTINGS)
    add(shard, [new_message(shard, 300)])
    add(shard, [new_message(shard, size) for size in (50, 1900, 5000)])
    spool = Spool.open(spool_folder, SETTINGS, now=NOW, exclusive=True)
    kept = new_message(shard, 3000, State.QUARANTINED)
    add(shard, [kept, new_message(shard, 700, to=3)])
    deliver(spool, mailboxes, 4)
    add(shard, [new_message(shard, size) for size in (1200, 9000)])
    quarantine.release(spool, kept.id, NOW)
    deliver(spool, mailboxes, 10)
    spool.close()
    shard.close()  # the last one out folds the log back and deletes it
    shard = SpoolShard.open(spool_folder, 0, SETTINGS)
    spool = Spool.open(spool_folder, SETTINGS, now=NOW, exclusive=True)
    os.write(1, b"TOGETHER\n")
    asyncio.run(many_sessions(shard))
    deliver(spool, mailboxes, 4)
    spool.close()


def be_careless(how: str | None) -> None:
    """Takes a sync away, so that the tests can show they would notice."""
    if how == "maildir":
        gatepost.store.maildir.sync_folder = lambda folder: None  # type: ignore[attr-defined]
    elif how == "wal":
        opened = SpoolShard.open.__func__  # type: ignore[attr-defined]

        def open_lazily(cls: type[SpoolShard], *arguments: object) -> SpoolShard:
            shard: SpoolShard = opened(cls, *arguments)
            shard._connection.execute("PRAGMA synchronous=NORMAL")
            return shard

        SpoolShard.open = classmethod(open_lazily)  # type: ignore[method-assign, assignment]
    elif how == "body":
        gatepost.store.spool.bodies.sync_folder = lambda folder: None  # type: ignore[attr-defined]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--careless", choices=("wal", "maildir", "body"))
    options = parser.parse_args()
    be_careless(options.careless)
    live(options.folder)
