"""The spool: accepted mail, durable before the 250, until every recipient is served.

In: `NewMessage` from the reception through a `Committer`. Out: `Spooled` for the delivery through `Spool`.
Standard: RFC 5321 §4.2.5, §4.5.4. Not here: mailboxes (`store.maildir`), history (`store.journal`).

    shard = SpoolShard.open(folder, worker_number)          # one a worker
    committer = Committer(shard)                            # in its event loop
    id = committer.next_id(now); await committer.add(NewMessage(id=id, envelope=…, session=…, body=…))   # then 250

    spool = Spool.open(folder, now=now, exclusive=True)     # the delivery process; the command line without `exclusive`
    for spooled in spool.due(now): octets = spool.body(spooled.id); …
    spool.record([Outcome(id=…, position=…, state=State.DELIVERED, reply="250 …")], now)
    spool.changed()                                         # anything new since the last call?
"""

from gatepost.store.spool.committer import Committer
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.shard import SpoolShard
from gatepost.store.spool.spooled import NewMessage, Outcome, Spooled, SpooledRecipient, State, Treatment

__all__ = [
    "Committer",
    "NewMessage",
    "Outcome",
    "Spool",
    "SpoolShard",
    "Spooled",
    "SpooledRecipient",
    "State",
    "Treatment",
]
