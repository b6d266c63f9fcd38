"""The thread that writes the history.

In: notes of mail that came or went. Out: rows, soon after. Standard: none.
Not here: gathering and failing (`store.batches`), the database (`history`).
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.store.batches import BatchWriter, Told
from gatepost.store.history.history import SenderHistory
from gatepost.store.history.notes import MAX_RECIPIENTS, Received, Sent


class HistoryWriter(BatchWriter[Received | Sent]):
    """Owns the history: `close` writes what waits and closes it. (Whoever reads it later opens it again.)"""

    def __init__(self, history: SenderHistory, told: Told | None = None) -> None:
        super().__init__(history, told)

    def note_received(self, author: str, recipients: Iterable[str], message_id: str, at: float) -> None:
        """A message of `author` was taken. Call it only for an aligned pass, and for recipients whose copy was neither
        held back nor tagged: whoever is remembered is trusted more."""
        people = tuple(recipients)[:MAX_RECIPIENTS]
        if people:
            self.note(Received(author=author, recipients=people, message_id=message_id, at=at))

    def note_sent(self, sender: str, recipients: Iterable[str], message_id: str, at: float) -> None:
        """`sender`, one of our own people who has logged in, sent a message to `recipients`."""
        self.note(Sent(sender=sender, recipients=tuple(recipients)[:MAX_RECIPIENTS], message_id=message_id, at=at))
