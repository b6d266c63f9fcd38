"""`gatepost quarantine`: mail that was held back, why, and what to do with it.

In: ids, filters. Out: a table or JSON; released or deleted copies; what is learnt from them. What is released arrives
with its exact octets.
Not here: how its commands are made (`spool`); the decision (`inspector.policy`); waiting mail (`queue`).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatepost.cli.gate import gate_option, json_option
from gatepost.cli.spool import Shelf, change_command, ids_argument, list_command, open_room, show_command
from gatepost.cli.terminal import visible
from gatepost.server.mailroom.operations import DELETE, RELEASE

if TYPE_CHECKING:
    from gatepost.server.mailroom.room import Done, MailRoom

SHELF = Shelf(
    states=("quarantined",),
    listing="What is held: since when, from whom, and what decided it.",
    empty="The quarantine is empty.",
)


def _release(room: MailRoom, message_id: str, now: float, address: str | None) -> Done:
    from gatepost.server.mailroom.teach import release

    return release(room, message_id, now, address)


@click.group()
def command() -> None:
    """List, show, release or delete held mail; allow its sender, learn from it."""


command.add_command(list_command(SHELF))
command.add_command(
    show_command("One message, safely: nothing in it is run, fetched or shown as the sender styled it.")
)
command.add_command(
    change_command(
        "release", RELEASE, "Deliver held mail to its recipients' inboxes (or, with --to, to one of them).", _release
    )
)
command.add_command(change_command("delete", DELETE, "Delete held mail for good."))


@command.command("allow-sender")
@gate_option
@json_option
@click.option("--domain", "whole_domain", is_flag=True, help="The sender's whole domain, not the address alone.")
@ids_argument
def allow_sender(config: Path, as_json: bool, whole_domain: bool, ids: tuple[str, ...]) -> None:
    """Put the senders of held mail on the allow list. It counts only for mail that SPF or DKIM prove to be theirs.

    `gatepost lists` shows and removes entries. What is held stays held: release it besides.
    """
    from gatepost.server.mailroom import teach

    with open_room(config) as room:
        for message_id in ids:
            allowed = teach.allow_sender(room, message_id, time.time(), whole_domain=whole_domain)
            if as_json:
                data = {"id": message_id, "value": allowed.value, "before": allowed.before, "proven": allowed.proven}
                click.echo(json.dumps(data))
                continue
            click.echo(f"{message_id}: {visible(allowed.value)} is allowed{_ALLOWED_BEFORE.get(allowed.before, '')}")
            if not allowed.proven:
                click.echo("  nothing proves that this message is from there: it would not have counted for it")


_ALLOWED_BEFORE = {"block": " (and no longer blocked)", "allow": " (as before)"}


@command.command()
@gate_option
@json_option
@click.argument("label", type=click.Choice(["ham", "spam", "phish"]))
@ids_argument
def learn(config: Path, as_json: bool, label: str, ids: tuple[str, ...]) -> None:
    """Teach the classifier that held mail is ham, spam or phish. What is released is learnt as ham by itself."""
    from gatepost.server.mailroom.teach import learn_held

    with open_room(config) as room:
        for message_id in ids:
            news = learn_held(room, message_id, label, time.time())
            if as_json:
                click.echo(json.dumps({"id": message_id, "label": label, "news": news}))
            else:
                click.echo(f"{message_id}: {f'learnt as {label}' if news else f'was known as {label}'}")
