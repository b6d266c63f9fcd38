"""`gatepost quarantine`: mail that was held back, why, and what to do with it.

In: ids, filters. Out: a table or JSON; released or deleted copies. What is released arrives with its exact octets.
Not here: how its commands are made (`spool`); the decision (`inspector.policy`); waiting mail (`queue`).
"""

from __future__ import annotations

import click

from gatepost.cli.spool import Shelf, change_command, list_command, show_command
from gatepost.server.mailroom.operations import DELETE, RELEASE

SHELF = Shelf(
    states=("quarantined",),
    listing="What is held: since when, from whom, and what decided it.",
    empty="The quarantine is empty.",
)


@click.group()
def command() -> None:
    """List, show, release or delete held mail; allow its sender, learn from it."""


command.add_command(list_command(SHELF))
command.add_command(
    show_command("One message, safely: nothing in it is run, fetched or shown as the sender styled it.")
)
command.add_command(
    change_command("release", RELEASE, "Deliver held mail to its recipients' inboxes (or, with --to, to one of them).")
)
command.add_command(change_command("delete", DELETE, "Delete held mail for good."))
