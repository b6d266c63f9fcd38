"""The history: who wrote to whom, how often and since when. What makes a sender an acquaintance.

In: `Received` a message that was taken from a proven sender, `Sent` a message of our own people, through a
`HistoryWriter`. Out: `Acquaintance`, for the port `gatepost.ports.History`. It is written in batches after the answer
was given and synced at leisure: a crash may lose the last batch. Only mail with an aligned pass gets in (TRAPS,
"Spoofers inherit trust"): who calls `note_received` sees to it.
Standard: none. Not here: what acquaintance weighs (`inspector.rules.acquaintance`).

    writer = HistoryWriter(history); writer.note_received(…); writer.note_sent(…); writer.close()
    known = await history.lookup("bob@example.net", ["anna@example.org"], ["<1@example.net>"])
"""

from gatepost.store.history.history import SenderHistory
from gatepost.store.history.notes import Received, Sent
from gatepost.store.history.writer import HistoryWriter

__all__ = ["HistoryWriter", "Received", "SenderHistory", "Sent"]
