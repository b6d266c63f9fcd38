"""What `queue` and `quarantine` share: opening the spool beside a running gate, showing a message, changing its state.

In: the gate's settings, ids, addresses. Out: tables for people, JSON for programs, how many copies changed.
Not here: the commands (`queue`, `quarantine`); the spool (`store.spool`).
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from gatepost.cli.gate import read_gate
from gatepost.cli.terminal import console, safe, visible
from gatepost.errors import InputError, StoreError
from gatepost.message.message import parse_message
from gatepost.message.words import decode_words
from gatepost.store.journal import Attempt, Journal
from gatepost.store.spool import Spool, Spooled, SpooledRecipient, State, quarantine

Change = Callable[[Spool, str, float, str | None], int]
# What the journal says of a change that an administrator made, and which copies it concerns; a retry is none.
NOTED: dict[Change, tuple[str, tuple[State, ...]]] = {
    quarantine.release: ("released", (State.QUARANTINED,)),
    quarantine.delete: ("deleted", (State.QUARANTINED,)),
    quarantine.drop: ("deleted", (State.QUEUED, State.HELD)),
    quarantine.hold: ("held", (State.QUEUED,)),
    quarantine.unhold: ("unheld", (State.HELD,)),
}
SHOWN_TEXT = 4000  # characters of a held message that `show` prints


@contextmanager
def open_spool(config: Path) -> Iterator[Spool]:
    """The spool of the gate that `config` describes; a running gate goes on."""
    settings = read_gate(config)
    folder = Path(settings.store.folder) / "spool"
    if not folder.is_dir():
        raise InputError("store.folder", folder.parent, "holds no spool yet; has the gate been started with this file?")
    spool = Spool.open(folder, settings.store.spool, now=time.time())
    try:
        yield spool
    finally:
        spool.close()


def find(spool: Spool, message_id: str) -> Spooled:
    """The message, or InputError with what to do."""
    spooled = spool.get(message_id)
    if spooled is None:
        raise InputError("ID", message_id, "is not in the spool; it may be delivered already: `gatepost log ID` tells")
    return spooled


def change_all(config: Path, ids: Sequence[str], address: str | None, change: Change, done: str, as_json: bool) -> int:
    """Changes every message in `ids` and notes it in the journal; 1 when nothing was there to change."""
    changed: dict[str, int] = {}
    with open_spool(config) as spool:
        for message_id in ids:
            before, now = find(spool, message_id), time.time()
            changed[message_id] = change(spool, message_id, now, address)
            if changed[message_id] and change in NOTED:
                note_change(config, before, address, change, now)
    if as_json:
        click.echo(json.dumps({"changed": changed}))
    else:
        for message_id, count in changed.items():
            click.echo(f"{message_id}: {count} {'copy' if count == 1 else 'copies'} {done}")
    return 0 if all(changed.values()) else 1


def note_change(config: Path, before: Spooled, address: str | None, change: Change, now: float) -> None:
    """Writes into the journal who did what to which copies, so that `gatepost log` tells. A journal that cannot take it
    is told of, and changes nothing."""
    word, states = NOTED.get(change, ("", ()))
    copies = [r.address for r in before.recipients if r.state in states]
    if address is not None:
        copies = [copy for copy in copies if copy.lower() == address.lower()]
    who = administrator()
    settings = read_gate(config)
    try:
        journal = Journal.open(Path(settings.store.folder), settings.store.journal)
        try:
            journal.write([], [Attempt(id=before.id, at=now, rcpt_to=copy, status=word, text=who) for copy in copies])
        finally:
            journal.close()
    except StoreError as error:
        click.echo(f"done, but not noted in the journal: {error}", err=True)


def administrator() -> str:
    """Who sits at the terminal: behind sudo the person, not root."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def print_list(found: Sequence[Spooled], as_json: bool, nothing: str) -> None:
    """One line a recipient, or one JSON object a message a line."""
    if as_json:
        for spooled in found:
            click.echo(json.dumps(as_data(spooled)))
        return
    if not found:
        click.echo(nothing)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    shown = [(spooled, r) for spooled in found for r in spooled.recipients if not r.state.is_final]
    waits = any(recipient.state is State.QUEUED for _, recipient in shown)  # nobody tries what is held
    names = ("id", "arrived", "octets", "from", "to", "state", *(("tries", "next try") if waits else ()), "why")
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "arrived", "next try"))
    for spooled, recipient in shown:
        row = _row(spooled, recipient)
        table.add_row(*(safe(row[name]) for name in names))
    console().print(table)


def as_data(spooled: Spooled) -> dict[str, Any]:
    """A message in the spool as JSON values; the schema is docs/schema/spooled.json."""
    return {
        "id": spooled.id,
        "received_at": spooled.received_at,
        "size": spooled.size,
        "mail_from": spooled.envelope.mail_from,
        "client_ip": spooled.session.client_ip,
        "ehlo_domain": spooled.session.ehlo_domain,
        "reason": _reason(spooled),
        "recipients": [
            {
                "address": recipient.address,
                "state": recipient.state.value,
                "junk": recipient.junk,
                "attempts": recipient.attempts,
                "next_try": recipient.next_try,
                "last_reply": recipient.last_reply,
            }
            for recipient in spooled.recipients
        ],
    }


def show_one(config: Path, message_id: str, *, raw: bool, as_json: bool) -> None:
    """Prints one message: its exact octets, as data without its content, or safely for a person."""
    with open_spool(config) as spool:
        spooled = find(spool, message_id)
        if raw:
            sys.stdout.buffer.write(spool.body(message_id))
        elif as_json:
            click.echo(json.dumps(as_data(spooled)))
        else:
            click.echo(show_safely(spool, spooled))


def show_safely(spool: Spool, spooled: Spooled) -> str:
    """A held message for a person's eyes: who, what and why, the header and the start of the text, nothing acted on."""
    message = parse_message(spool.body(spooled.id))
    lines = [
        f"id       {spooled.id}",
        f"arrived  {clock(spooled.received_at)} from {visible(spooled.session.client_ip)}"
        f" ({visible(spooled.session.ehlo_domain)})",
        f"sender   <{visible(spooled.envelope.mail_from)}>{'' if spooled.proven else '   not proven'}",
        f"subject  {visible(decode_words(message.header.text('subject')))}",
    ]
    lines += [
        f"to       <{visible(r.address)}> {r.state.value} {visible(r.last_reply)}".rstrip() for r in spooled.recipients
    ]
    reason = _reason(spooled)
    if reason:
        lines.append(f"why      {reason.get('action', '')} at score {reason.get('score', 0):g}: {_codes(reason)}")
    lines += ["", *(visible(f"{field.name}: {field.text}".replace("\t", " ")) for field in message.header), ""]
    text = message.body[:SHOWN_TEXT].decode("utf-8", "replace")
    lines += [visible(line) for line in text.splitlines()]
    if len(message.body) > SHOWN_TEXT:
        lines.append(f"… {len(message.body) - SHOWN_TEXT} octets more; `--raw` writes all of them, exactly as they are")
    return "\n".join(lines)


def clock(seconds: float) -> str:
    """The time in UTC, as log lines have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds > 0 else ""


def _row(spooled: Spooled, recipient: SpooledRecipient) -> dict[str, object]:
    waits = recipient.state is State.QUEUED
    return {
        "id": spooled.id,
        "arrived": clock(spooled.received_at),
        "octets": spooled.size,
        "from": f"<{spooled.envelope.mail_from}>",
        "to": recipient.address,
        "state": recipient.state.value,
        "tries": recipient.attempts,
        "next try": (clock(recipient.next_try) or "now") if waits else "",
        "why": recipient.last_reply or _codes(_reason(spooled)),
    }


def _reason(spooled: Spooled) -> dict[str, Any]:
    """The decision that the pipeline wrote down; empty when there was nothing to say."""
    try:
        found = json.loads(spooled.reason) if spooled.reason else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _codes(reason: dict[str, Any]) -> str:
    return ", ".join(str(code) for code in reason.get("decided_by", ()))
