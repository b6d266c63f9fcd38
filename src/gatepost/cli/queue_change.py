"""`gatepost queue retry | hold | unhold | bounce | reroute | drop`: what is done with waiting mail, one or all of it.

In: ids, or the filters of `queue list`, or --all. Out: how many copies changed. What is done takes effect at once
beside a running gate (it looks five times a second), else when one is started. Exit 1 when nothing was there to change.
Not here: doing it (`server.mailroom`, `store.spool.waiting`), the delivery's part (`server.delivery.agent`).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.clock import read_moment
from gatepost.cli.gate import gate_option, json_option
from gatepost.cli.queue_list import Command, filter_options
from gatepost.cli.spool import open_room
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.server.mailroom.operations import BulkOperation

SHOWN = 20  # messages that are named; of more only the number is told
MAX_REASON = 200  # characters, so that it fits into a line of a report
CARRIERS = ("smtp", "smtps", "lmtp", "mx")
_ids = click.argument("ids", nargs=-1, metavar="[ID...]")
_all = click.option("--all", "everything", is_flag=True, help="All waiting mail.")
_to = click.option(
    "--to", "--recipient", "address", metavar="ADDRESS", default="", help="Only this recipient's copies."
)
_recipient = click.option("--recipient", "address", metavar="ADDRESS", default="", help="Only this recipient's copies.")


def _which(recipient_option: Command) -> Command:
    """The arguments and options that say which mail is meant."""

    def decorate(command: Command) -> Command:
        for option in (_ids, _all, recipient_option, filter_options, json_option, gate_option):
            command = option(command)
        return command

    return decorate


def _change(operation: BulkOperation, as_json: bool, config: Path, ids: tuple[str, ...], **which: Any) -> int:
    from gatepost.store.spool.waiting import Selection

    everything = which.pop("everything")
    before, since = read_moment("--older", which.pop("older")), read_moment("--since", which.pop("since"))
    if not (ids or everything or before or since or any(which.values())):
        raise InputError("ID", "(none)", "names no mail; give ids, a filter as in `queue list`, or --all")
    if ids and everything:
        raise InputError("--all", "", "and ids exclude each other")
    with open_room(config) as room:
        named = tuple(room.find(one).id for one in ids)
        selection = Selection(ids=named, before=before, since=since, **which)
        changed, trouble = room.perform_all(operation, selection, time.time())
    if trouble:
        click.echo(trouble, err=True)
    counts = dict.fromkeys(named, 0) | changed
    if as_json:
        click.echo(json.dumps({"changed": counts}))
        return 0 if counts and all(counts.values()) else 1
    if len(counts) <= SHOWN:
        for message_id, count in counts.items():
            click.echo(f"{message_id}: {_copies(count)} {operation.done}")
    else:
        click.echo(f"{len(counts)} messages: {_copies(sum(counts.values()))} {operation.done}")
    if not counts:
        click.echo("No waiting mail is like that.")
    return 0 if counts and all(counts.values()) else 1


def _copies(count: int) -> str:
    return f"{count} {'copy' if count == 1 else 'copies'}"


@click.command()
@_which(_to)
def retry(**which: Any) -> int:
    """Try delivery now, also where a next hop is spared because it was down."""
    from gatepost.server.mailroom.operations import RETRY

    return _change(RETRY, **which)


@click.command()
@_which(_to)
def hold(**which: Any) -> int:
    """Keep waiting mail back until `gatepost queue unhold`."""
    from gatepost.server.mailroom.operations import HOLD

    return _change(HOLD, **which)


@click.command()
@_which(_to)
def unhold(**which: Any) -> int:
    """Put held mail back into the queue, due at once."""
    from gatepost.server.mailroom.operations import UNHOLD

    return _change(UNHOLD, **which)


def _drop(**which: Any) -> int:
    """Delete waiting mail for good; nobody is told. (`bounce` tells the sender.)"""
    from gatepost.server.mailroom.operations import DROP

    return _change(DROP, **which)


drop = click.command("drop")(_which(_to)(_drop))
delete = click.command("delete", short_help="The same as drop.")(_which(_to)(_drop))


@click.command()
@click.option("--reason", metavar="TEXT", default="returned by the administrator", help="What the sender is told.")
@_which(_to)
def bounce(reason: str, **which: Any) -> int:
    """Give up now: the sender gets a delivery report, as after the last try. Without a proven sender the mail goes to
    the quarantine instead, as always."""
    from gatepost.server.mailroom.operations import bounce as make

    if not (reason.isascii() and reason.isprintable() and reason.strip() and len(reason) <= MAX_REASON):
        raise InputError("--reason", reason, f"is not one line of 1 to {MAX_REASON} plain ASCII characters")
    return _change(make(reason.strip()), **which)


@click.command()
@click.option("--to", "route", metavar="ROUTE", help='The new way: "smtp:HOST:PORT", "smtps:…", "lmtp:…" or "mx".')
@click.option("--back", is_flag=True, help="The usual way again, as configured.")
@_which(_recipient)
def reroute(route: str | None, back: bool, **which: Any) -> int:
    """Send waiting mail another way, at once: past a dead relay, say. It holds for this mail only; what arrives later
    goes as configured."""
    from gatepost.server.delivery.routes import parse_route
    from gatepost.server.mailroom.operations import reroute as make

    if back == (route is not None):
        raise InputError("--to", route or "", "and --back exclude each other, and one is needed")
    if route is None:
        return _change(make(""), **which)
    parsed = parse_route(route, "--to")
    if parsed.carrier.value not in CARRIERS:
        raise InputError("--to", route, "leads to no server; write smtp:HOST:PORT, smtps:…, lmtp:… or mx")
    return _change(make(str(parsed)), **which)
