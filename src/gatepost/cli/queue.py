"""`gatepost queue`: mail that waits, why, and what to do with it. Postfix's `postqueue` and `postsuper` in plain words.

In: ids, filters. Out: a table or JSON; changed states. Works beside a running gate, and without one.
Not here: how its commands are made (`spool`); held mail (`quarantine`); what happened to mail that has left (`log`).
"""

from __future__ import annotations

import click

from gatepost.cli.spool import Shelf, change_command, list_command, show_command
from gatepost.server.mailroom.operations import DROP, HOLD, RETRY, UNHOLD

SHELF = Shelf(
    states=("queued", "held"),
    listing="What waits: since when, for whom, the last reply, and when it is tried next.",
    empty="The queue is empty.",
)


@click.group()
def command() -> None:
    """List, show, retry or delete waiting mail."""


command.add_command(list_command(SHELF))
command.add_command(show_command("One message: envelope, states, header and what is inside, made harmless."))
command.add_command(change_command("retry", RETRY, "Try delivery now."))
command.add_command(change_command("hold", HOLD, "Keep waiting mail back until `gatepost queue unhold`."))
command.add_command(change_command("unhold", UNHOLD, "Put held mail back into the queue."))
command.add_command(change_command("delete", DROP, "Delete waiting mail for good; nobody is told."))
