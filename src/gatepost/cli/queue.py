"""`gatepost queue`: mail that waits, why, and what to do with it. Postfix's `postqueue` and `postsuper` in plain words.

In: ids, filters. Out: a table or JSON; changed states. Works beside a running gate, and without one.
Not here: held mail (`quarantine`); what happened to mail that has left (`log`).
"""

from __future__ import annotations

from pathlib import Path

import click

from gatepost.cli.gate import gate_option
from gatepost.cli.spool import change_all, open_spool, print_list, show_one
from gatepost.store.spool import State, quarantine

json_flag = click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
to_option = click.option("--to", "address", metavar="ADDRESS", help="Only this recipient's copy.")
ids_argument = click.argument("ids", nargs=-1, required=True, metavar="ID...")


@click.group()
def command() -> None:
    """List, show, retry or delete waiting mail."""


@command.command("list")
@gate_option
@json_flag
@click.option("--from", "mail_from", metavar="TEXT", help="Senders that contain TEXT.")
@click.option("--to", "rcpt_to", metavar="TEXT", help="Recipients that contain TEXT.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="Messages at most.")
def list_(config: Path, as_json: bool, mail_from: str | None, rcpt_to: str | None, limit: int) -> None:
    """What waits: since when, for whom, the last reply, and when it is tried next."""
    with open_spool(config) as spool:
        states = (State.QUEUED, State.HELD)
        found = quarantine.search(spool, states=states, mail_from=mail_from, rcpt_to=rcpt_to, limit=limit)
    print_list(found, as_json, "The queue is empty.")


@command.command()
@gate_option
@json_flag
@click.option("--raw", is_flag=True, help="The exact octets, on standard output.")
@click.argument("message_id", metavar="ID")
def show(config: Path, as_json: bool, raw: bool, message_id: str) -> None:
    """One message: envelope, states, header and the start of its text, with control characters made visible."""
    show_one(config, message_id, raw=raw, as_json=as_json)


@command.command()
@gate_option
@json_flag
@to_option
@ids_argument
def retry(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
    """Try delivery now."""
    return change_all(config, ids, address, quarantine.retry, "due now", as_json)


@command.command()
@gate_option
@json_flag
@to_option
@ids_argument
def hold(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
    """Keep waiting mail back until `gatepost queue unhold`."""
    return change_all(config, ids, address, quarantine.hold, "held", as_json)


@command.command()
@gate_option
@json_flag
@to_option
@ids_argument
def unhold(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
    """Put held mail back into the queue."""
    return change_all(config, ids, address, quarantine.unhold, "queued again", as_json)


@command.command()
@gate_option
@json_flag
@to_option
@ids_argument
def delete(config: Path, as_json: bool, address: str | None, ids: tuple[str, ...]) -> int:
    """Delete waiting mail for good; nobody is told."""
    return change_all(config, ids, address, quarantine.drop, "deleted", as_json)
