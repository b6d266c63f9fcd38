"""A reception or a delivery that works until it is killed.

In: `accept FOLDER SEED` or `deliver FOLDER SEED`. Out: the reception prints "ACCEPTED id sha256 recipients" when a
server would answer 250. Standard: none. Not here: the killing and the accounts (`test_kill`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import time
from pathlib import Path

from gatepost.names import Envelope, Recipient, Session
from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Committer, NewMessage, Outcome, Spool, SpoolShard, State

NOW = 1_790_000_000.0
SETTINGS = SpoolSettings(inline_limit=8000, reserve=0, checkpoint_pages=50)
SESSIONS = 12


async def accept(folder: Path, rng: random.Random) -> None:
    """Sessions that hand in mail of many sizes, as fast as it is taken."""
    committer = Committer(SpoolShard.open(folder / "spool", 0, SETTINGS))

    async def session() -> None:
        while True:
            recipients = [
                Recipient(address=f"user{rng.randrange(5)}@example.org") for _ in range(rng.choice((1, 1, 3)))
            ]
            new = NewMessage(
                id=committer.next_id(NOW),
                envelope=Envelope(mail_from="bob@example.net", recipients=tuple(recipients)),
                session=Session(client_ip="192.0.2.1", received_at=NOW),
                body=rng.randbytes(rng.choice((200, 3000, 7999, 8001, 20_000))),
            )
            await committer.add(new)
            os.write(1, f"ACCEPTED {new.id} {hashlib.sha256(new.body).hexdigest()} {len(recipients)}\n".encode())

    await asyncio.gather(*(session() for _ in range(SESSIONS)))


def deliver(folder: Path, rng: random.Random) -> None:
    """Delivers to Maildirs, puts some off, writes down what became of it."""
    spool, mailboxes = Spool.open(folder / "spool", SETTINGS, now=NOW, exclusive=True), Mailboxes(folder / "mail", "mx")
    while True:
        spool.refresh()
        messages = spool.due(NOW, rng.randrange(1, 40))
        outcomes, drops = [], []
        for spooled in messages:
            octets = spool.body(spooled.id)
            for recipient in spooled.pending(NOW):
                state = rng.choices((State.DELIVERED, State.QUEUED), (9, 1))[0]
                outcomes.append(Outcome(id=spooled.id, position=recipient.position, state=state, next_try=NOW))
                if state is State.DELIVERED:
                    drops.append(
                        Drop(id=spooled.id, position=recipient.position, address=recipient.address, octets=octets)
                    )
        assert not any(mailboxes.deliver(drops))
        spool.record(outcomes, NOW)
        if not messages:
            time.sleep(0.005)


if __name__ == "__main__":
    place, chance = Path(sys.argv[2]), random.Random(int(sys.argv[3]))
    if sys.argv[1] == "accept":
        asyncio.run(accept(place, chance))
    else:
        deliver(place, chance)
