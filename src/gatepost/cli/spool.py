"""What `queue` and `quarantine` share: one maker for both, since they are two views of the same spool.

In: what a view is of: states, words. Out: click commands that list, show and change, for people and as JSON.
Not here: the two commands (`queue`, `quarantine`); the doing (`server.mailroom`); a message for a person (`held`).
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.clock import clock, read_moment
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.terminal import console, safe

if TYPE_CHECKING:
    from gatepost.server.mailroom.operations import Operation
    from gatepost.server.mailroom.room import Done, MailRoom
    from gatepost.store.spool import Spooled, SpooledRecipient

to_option = click.option("--to", "address", metavar="ADDRESS", help="Only this recipient's copy.")
ids_argument = click.argument("ids", nargs=-1, required=True, metavar="ID...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One view of the spool: the copies in `states`, and how its commands speak of them."""

    states: tuple[str, ...]
    listing: str
    empty: str


def administrator() -> str:
    """Who sits at the terminal: behind sudo the person, not root."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


@contextmanager
def open_room(config: Path) -> Iterator[MailRoom]:
    """The mail room of the gate that `config` describes; a running gate goes on."""
    from gatepost.server.mailroom.room import MailRoom

    with MailRoom.open(read_gate(config), administrator(), time.time()) as room:
        yield room


def list_command(shelf: Shelf) -> click.Command:
    """`list`: what stands on the shelf."""

    @click.command("list", help=shelf.listing)
    @gate_option
    @json_option
    @click.option("--from", "mail_from", metavar="TEXT", help="Senders that contain TEXT.")
    @click.option("--to", "rcpt_to", metavar="TEXT", help="Recipients that contain TEXT.")
    @click.option("--since", metavar="TIME", help="Arrived not before: 2h, 7d, 2026-11-24T12:00Z.")
    @click.option("--code", metavar="CODE", help="Decided by a code that begins so: auth.dmarc, malware.")
    @click.option(
        "--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="Messages at most."
    )
    def command(
        config: Path,
        as_json: bool,
        mail_from: str | None,
        rcpt_to: str | None,
        since: str | None,
        code: str | None,
        limit: int,
    ) -> None:
        from gatepost.store.spool import State

        states = tuple(map(State, shelf.states))
        with open_room(config) as room:
            found = room.search(
                states,
                mail_from=mail_from,
                rcpt_to=rcpt_to,
                since=read_moment("--since", since),
                code=code,
                limit=limit,
            )
        print_list(found, as_json, shelf.empty)

    return command


def show_command(words: str) -> click.Command:
    """`show`: one message, with what is inside."""

    @click.command("show", help=words)
    @gate_option
    @json_option
    @click.option("--raw", is_flag=True, help="The exact octets, on standard output.")
    @click.argument("message_id", metavar="ID")
    def command(config: Path, as_json: bool, raw: bool, message_id: str) -> None:
        from gatepost.cli.held import as_text
        from gatepost.server.mailroom.view import open_content, view_data, view_message

        with open_room(config) as room:
            spooled, octets = room.find(message_id), room.body(message_id)
            if raw:
                sys.stdout.buffer.write(octets)
                return
            view = view_message(spooled, octets, room.entry(message_id), open_content(octets, room.settings.content))
        click.echo(json.dumps(view_data(view)) if as_json else as_text(view))

    return command


Do = Callable[["MailRoom", str, float, str | None], "Done"]


def change_command(name: str, operation: Operation, words: str, do: Do | None = None) -> click.Command:
    """A command that does `operation` to every message named (by `do`, where there is more to it); 1 when nothing was
    there to change."""

    @click.command(name, help=words)
    @gate_option
    @json_option
    @to_option
    @ids_argument
    def command(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
        changed: dict[str, int] = {}
        with open_room(config) as room:
            for message_id in ids:
                now = time.time()
                done = do(room, message_id, now, address) if do else room.perform(operation, message_id, now, address)
                changed[message_id] = done.copies
                if done.trouble:
                    click.echo(done.trouble, err=True)
        if as_json:
            click.echo(json.dumps({"changed": changed}))
        else:
            for message_id, count in changed.items():
                click.echo(f"{message_id}: {count} {'copy' if count == 1 else 'copies'} {operation.done}")
        return 0 if all(changed.values()) else 1

    return command


def print_list(found: Sequence[Spooled], as_json: bool, nothing: str) -> None:
    """One line a recipient, or one JSON object a message a line."""
    from gatepost.server.mailroom.view import spooled_data

    if as_json:
        for spooled in found:
            click.echo(json.dumps(spooled_data(spooled)))
        return
    if not found:
        click.echo(nothing)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    shown = [(spooled, r) for spooled in found for r in spooled.recipients if not r.state.is_final]
    waits = any(recipient.state.value == "queued" for _, recipient in shown)  # nobody tries what is held
    names = ("id", "arrived", "octets", "from", "to", "state", *(("tries", "next try") if waits else ()), "why")
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "arrived", "next try"))
    for spooled, recipient in shown:
        row = _row(spooled, recipient)
        table.add_row(*(safe(row[name]) for name in names))
    console().print(table)


def _row(spooled: Spooled, recipient: SpooledRecipient) -> dict[str, object]:
    from gatepost.server.mailroom.view import read_reason

    waits = recipient.state.value == "queued"
    return {
        "id": spooled.id,
        "arrived": clock(spooled.received_at),
        "octets": spooled.size,
        "from": f"<{spooled.envelope.mail_from}>",
        "to": recipient.address,
        "state": recipient.state.value,
        "tries": recipient.attempts,
        "next try": (clock(recipient.next_try) or "now") if waits else "",
        "why": recipient.last_reply or codes_of(read_reason(spooled)),
    }


def codes_of(reason: dict[str, Any]) -> str:
    """The codes that decided."""
    return ", ".join(str(code) for code in reason.get("decided_by", ()))
