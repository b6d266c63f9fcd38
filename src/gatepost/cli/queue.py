"""`gatepost queue`: mail that waits, why, and what to do with it. Postfix's `postqueue` and `postsuper` in plain words.

In: ids, filters. Out: a list, a summary or JSON; changed states. Works beside a running gate, and without one.
Not here: listing (`queue_list`), changing (`queue_change`); held mail (`quarantine`); what has left (`log`).
"""

from __future__ import annotations

import click

from gatepost.cli.queue_change import bounce, delete, drop, hold, reroute, retry, unhold
from gatepost.cli.queue_list import list_queue
from gatepost.cli.spool import show_command


@click.group()
def command() -> None:
    """List and show waiting mail; try it now, hold, return, delete or reroute it."""


command.add_command(list_queue)
command.add_command(show_command("One message: envelope, states, header and what is inside, made harmless."))
for each in (retry, hold, unhold, bounce, reroute, drop, delete):
    command.add_command(each)
