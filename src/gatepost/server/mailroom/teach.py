"""What a held message teaches: its sender is allowed from now on; it is ham or spam.

In: a mail room, an id. Out: what was added or learnt. An allow entry counts only for mail proven to be from that
sender (TRAPS, "Spoofers inherit trust"): whether this one was is told. Blocks on the disk and, for learning, on the
sandbox. Not here: the lists (`store.lists`, `inspector.rules.lists`), the classifier (`server.learning`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gatepost.errors import InputError, StoreError
from gatepost.inspector.content import Content
from gatepost.message.addresses import parse_addresses
from gatepost.message.message import parse_message
from gatepost.reputation.local import Verdict, parse_value
from gatepost.server.learning import learn
from gatepost.server.mailroom.operations import RELEASE
from gatepost.server.mailroom.room import Done, MailRoom
from gatepost.server.mailroom.view import open_content
from gatepost.store.journal import Entry
from gatepost.store.learned import LearnedStore
from gatepost.store.lists import ListStore, StoredEntry

PROOFS = frozenset({"auth.dmarc.pass", "auth.dmarc.aligned-without-policy"})
MAX_FIELD = 10_000  # octets of From that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """`value` is on the list now; `before` stood there for it until then ("block", "allow" or ""). `proven` is whether
    this message was from there: None where the journal no longer knows."""

    value: str
    before: str
    proven: bool | None


def allow_sender(room: MailRoom, message_id: str, now: float, *, whole_domain: bool = False) -> Allowed:
    """Puts the author's address (or domain) on the house's allow list. Raises InputError where there is no single
    author, or no such message."""
    author = _author(room.body(message_id), message_id)
    kind, value = parse_value(author.rpartition("@")[2] if whole_domain else author)
    entry = StoredEntry(
        kind=kind.value,
        value=value,
        verdict=Verdict.ALLOW.value,
        comment=f"held message {message_id}",
        added_at=now,
        added_by=room.who,
    )
    lists = ListStore.open(Path(room.settings.store.folder))
    try:
        before = lists.add(entry)
    finally:
        lists.close()
    return Allowed(value=value, before=before.verdict if before is not None else "", proven=_proven(room, message_id))


def _author(raw: bytes, message_id: str) -> str:
    fields = parse_message(raw).header.all("from")
    boxes = parse_addresses(fields[0].value[:MAX_FIELD]).mailboxes if len(fields) == 1 else ()
    if len(boxes) != 1 or "@" not in boxes[0].address:
        raise InputError(message_id, "From", "names no single author; allow one by hand with `gatepost lists add`")
    return boxes[0].address


def _proven(room: MailRoom, message_id: str) -> bool | None:
    entry: Entry | None = room.entry(message_id)
    return None if entry is None else any(finding.code in PROOFS for finding in entry.findings)


def release(room: MailRoom, message_id: str, now: float, address: str | None = None) -> Done:
    """Releases held copies; and, where the settings say so, learns that the message was ham. That it cannot be learnt
    keeps nothing back."""
    raw = room.body(message_id)
    done = room.perform(RELEASE, message_id, now, address)
    if not done.copies or not room.settings.store.learned.learn_from_releases:
        return done
    try:
        _learn(room, raw, "ham", now)
    except StoreError as error:
        return replace(done, trouble=done.trouble or f"released, but not learnt from: {error}")
    return done


def learn_held(room: MailRoom, message_id: str, label: str, now: float) -> bool:
    """Teaches the classifier that a message in the spool is "ham" or "spam"; False when it knew. Raises InputError,
    StoreError."""
    spooled = room.find(message_id)
    news = _learn(room, room.body(message_id), label, now)
    if news:
        room.note(spooled.id, [spooled.recipients[0].address], f"learnt-{label}", now)
    return news


def _learn(room: MailRoom, raw: bytes, label: str, now: float) -> bool:
    opened = open_content(raw, room.settings.content)
    store = LearnedStore(Path(room.settings.store.folder), room.settings.store.learned)
    try:
        return learn(store, raw, label, now, Content(opened) if opened is not None else None)
    finally:
        store.close()
