"""The spool beside a running gate, as people use it: look for mail, read it, change what becomes of it.

In: the gate's settings, who asks, the time. Out: `Spooled` values; how many copies changed. What changes is noted in
the journal with who did it; a journal that cannot take it is told of and changes nothing. Blocks on the disk.
Not here: what can be done (`operations`), a message made safe to look at (`view`), lists and learning (`teach`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gatepost.errors import ConfigError, InputError, StoreError
from gatepost.server.delivery.routes import Routes
from gatepost.server.mailroom.operations import BulkOperation, Operation
from gatepost.server.outwards import all_routes
from gatepost.server.settings import GateSettings
from gatepost.store.journal import Attempt, Entry, Journal
from gatepost.store.spool import Spool, Spooled, SpooledRecipient, State, quarantine, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an operation did to a message: `copies` changed; `trouble` says why it is not in the journal."""

    copies: int
    trouble: str = ""


class MailRoom:
    """`who` is named in the journal."""

    def __init__(self, settings: GateSettings, spool: Spool, who: str) -> None:
        self.settings = settings
        self.spool = spool
        self.who = who

    @classmethod
    @contextmanager
    def open(cls, settings: GateSettings, who: str, now: float) -> Iterator[MailRoom]:
        """Opens the spool beside the gate. Raises InputError where no gate has been, StoreError."""
        folder = Path(settings.store.folder) / "spool"
        if not folder.is_dir():
            raise InputError(
                "store.folder", folder.parent, "holds no spool yet; has the gate been started with this file?"
            )
        spool = Spool.open(folder, settings.store.spool, now=now)
        try:
            yield cls(settings, spool, who)
        finally:
            spool.close()

    def search(
        self,
        states: Collection[State],
        *,
        mail_from: str | None = None,
        rcpt_to: str | None = None,
        since: float | None = None,
        code: str | None = None,
        limit: int = 1000,
    ) -> list[Spooled]:
        """Messages with a copy in one of `states`, newest first; `code` is how the code of a finding that decided
        begins."""
        return quarantine.search(
            self.spool,
            states=states,
            mail_from=mail_from,
            rcpt_to=rcpt_to,
            since=since,
            code=code,
            limit=limit,
        )

    def find(self, message_id: str) -> Spooled:
        """The message. Raises InputError with what to do."""
        spooled = self.spool.get(message_id)
        if spooled is None:
            raise InputError(
                "ID", message_id, "is not in the spool; it may be delivered already: `gatepost log ID` tells"
            )
        return spooled

    def destination(self, recipient: SpooledRecipient) -> str:
        """Where a copy goes next, as a route."""
        try:
            return str(self._routes.of(recipient.address, recipient.route) or "no route")
        except ConfigError as error:
            return f"no route: {error}"

    @cached_property
    def _routes(self) -> Routes:
        return all_routes(self.settings)

    def body(self, message_id: str) -> bytes:
        """The exact octets."""
        return self.spool.body(self.find(message_id).id)

    def entry(self, message_id: str) -> Entry | None:
        """What the journal says of the judgement; None where it says nothing, or cannot be read now."""
        try:
            with self._journal() as journal:
                found = journal.search(message_id=message_id, limit=1)
        except StoreError:
            return None
        return found[0] if found else None

    def perform(self, operation: Operation, message_id: str, now: float, address: str | None = None) -> Done:
        """Does it to all copies that it concerns, or to that of one recipient. Raises InputError for an unknown id."""
        before = self.find(message_id)
        copies = operation.change(self.spool, message_id, now, address)
        if not copies or not operation.noted:
            return Done(copies=copies)
        concerned = [r.address for r in before.recipients if r.state in operation.concerns]
        if address is not None:
            concerned = [each for each in concerned if each.lower() == address.lower()]
        return Done(copies=copies, trouble=self.note(before.id, concerned, operation.noted, now))

    def perform_all(
        self, operation: BulkOperation, selection: waiting.Selection, now: float
    ) -> tuple[dict[str, int], str]:
        """Does it to all copies of the selection; copies changed by message, and why that is not in the journal."""
        changed = waiting.change(self.spool, selection, operation.change)
        counts: dict[str, int] = {}
        for message_id, _ in changed:
            counts[message_id] = counts.get(message_id, 0) + 1
        if not changed or not operation.noted:
            return counts, ""
        text = f"{self.who}: {operation.text}" if operation.text else self.who
        return counts, self._note_all([(one, address) for one, address in changed], operation.noted, text, now)

    def note(self, message_id: str, addresses: Sequence[str], word: str, now: float) -> str:
        """Writes into the journal who did what to which copies; why not, where that fails."""
        return self._note_all([(message_id, address) for address in addresses], word, self.who, now)

    def _note_all(self, copies: Sequence[tuple[str, str]], word: str, text: str, now: float) -> str:
        notes = [Attempt(id=one, at=now, rcpt_to=address, status=word, text=text) for one, address in copies]
        try:
            with self._journal() as journal:
                journal.write([], notes)
        except StoreError as error:
            return f"done, but not noted in the journal: {error}"
        return ""

    @contextmanager
    def _journal(self) -> Iterator[Journal]:
        journal = Journal.open(Path(self.settings.store.folder), self.settings.store.journal)
        try:
            yield journal
        finally:
            journal.close()
