"""`gatepost quarantine`: mail that was held back, why, and what to do with it.

In: ids, filters. Out: a table or JSON; released or deleted copies. What is released arrives with its exact octets.
Not here: the decision (`inspector.policy`); waiting mail (`queue`).
"""

from __future__ import annotations

from pathlib import Path

import click

from gatepost.cli.gate import gate_option
from gatepost.cli.queue import ids_argument, json_flag, to_option
from gatepost.cli.spool import change_all, open_spool, print_list, show_one
from gatepost.store.spool import State, quarantine


@click.group()
def command() -> None:
    """List, show, release or delete held mail."""


@command.command("list")
@gate_option
@json_flag
@click.option("--from", "mail_from", metavar="TEXT", help="Senders that contain TEXT.")
@click.option("--to", "rcpt_to", metavar="TEXT", help="Recipients that contain TEXT.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="Messages at most.")
def list_(config: Path, as_json: bool, mail_from: str | None, rcpt_to: str | None, limit: int) -> None:
    """What is held: since when, from whom, and what decided it."""
    with open_spool(config) as spool:
        states = (State.QUARANTINED,)
        found = quarantine.search(spool, states=states, mail_from=mail_from, rcpt_to=rcpt_to, limit=limit)
    print_list(found, as_json, "The quarantine is empty.")


@command.command()
@gate_option
@json_flag
@click.option("--raw", is_flag=True, help="The exact octets, on standard output.")
@click.argument("message_id", metavar="ID")
def show(config: Path, as_json: bool, raw: bool, message_id: str) -> None:
    """One message, safely: nothing in it is run, fetched or shown as the sender styled it."""
    show_one(config, message_id, raw=raw, as_json=as_json)


@command.command()
@gate_option
@json_flag
@to_option
@ids_argument
def release(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
    """Deliver held mail to its recipients' inboxes (or, with --to, to one of them)."""
    return change_all(config, ids, address, quarantine.release, "released", as_json)


@command.command()
@gate_option
@json_flag
@to_option
@ids_argument
def delete(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
    """Delete held mail for good."""
    return change_all(config, ids, address, quarantine.delete, "deleted", as_json)
