"""The memory of senders as the gate uses it: by the people who get the mail, whatever address it was written to.

In: envelopes and judgements; who writes to whom. Out: notes for the history; its answers. Mail to `sales` and to
`ann+shop` is mail to Ann: aliases and sub-addresses are followed, so that what she gets and what she sends meet.
Standard: RFC 5233 (sub-addresses). Not here: keeping it (`store.history`), what it weighs (`inspector`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gatepost.inspector.decision import Action
from gatepost.message.message import Message
from gatepost.names import Envelope
from gatepost.ports import Acquaintance, History
from gatepost.server.pipeline.examine import Examined
from gatepost.server.recipients import Recipients
from gatepost.store.history import HistoryWriter

MAX_ID = 200  # characters of a Message-ID
MAX_RECIPIENTS = 100  # of one message that are asked about


class Memory:
    """Implements `gatepost.ports.History` over another one."""

    def __init__(self, history: History, writer: HistoryWriter, recipients: Recipients) -> None:
        self._history = history
        self._writer = writer
        self._recipients = recipients

    async def lookup(self, author: str, recipients: Sequence[str], references: Sequence[str]) -> Acquaintance:
        """As the port says; the answer is about `recipients` as they were written."""
        people = {written: self._people(written) for written in recipients[:MAX_RECIPIENTS]}
        asked = tuple(dict.fromkeys(one for some in people.values() for one in some))
        found = await self._history.lookup(author, asked, references)
        if asked == tuple(people):
            return found
        counts = found.by_recipient
        return replace(
            found,
            by_recipient={written: max(counts.get(one, 0) for one in some) for written, some in people.items()},
            replied=frozenset(written for written, some in people.items() if not found.replied.isdisjoint(some)),
        )

    def remember(self, envelope: Envelope, message: Message, examined: Examined, now: float) -> None:
        """TRAPS, "Spoofers inherit trust": only a proven author is remembered, and only by whom the message reached."""
        facts = examined.judgement.facts
        if not facts.aligned_pass or not facts.authors:
            return
        reached = [r.address for r in envelope.recipients if examined.decision_for(r).action is Action.ACCEPT]
        people = dict.fromkeys(one for written in reached for one in self._people(written))
        self._writer.note_received(facts.authors[0].address, people, message.header.text("message-id")[:MAX_ID], now)

    def sent(self, account: str, envelope: Envelope, message_id: str, now: float) -> None:
        """`account` wrote to the recipients: from here on they are no strangers to it, nor their answers a surprise.
        Who wrote in the name of another mailbox gets the answers there."""
        to = [recipient.address for recipient in envelope.recipients]
        for sender in dict.fromkeys((account, *(self._people(envelope.mail_from) if envelope.mail_from else ()))):
            self._writer.note_sent(sender, to, message_id[:MAX_ID], now)

    def close(self) -> None:
        """Writes what waits."""
        self._writer.close()

    def _people(self, address: str) -> tuple[str, ...]:
        """The final addresses of `address`; itself where only the next hop knows more."""
        return self._recipients.resolve(address, stale=True).addresses or (address,)
