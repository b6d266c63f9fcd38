"""`gatepost lab`: the small internet on loopback with the gate inside, and a tour of good and bad mail.

In: options. Out: a table, exit 0 when every visit went as it should, else 1. Not here: the lab itself (`lab.run`).
"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("lab")
@click.argument("scenario", nargs=-1)
@click.option("--once", is_flag=True, help="End after the tour; else the lab stays up.")
@click.option("--list", "list_only", is_flag=True, help="List the visits of the tour; start nothing.")
@click.option("--folder", metavar="DIR", help="Keep the lab's files in this new folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
def command(scenario: tuple[str, ...], once: bool, list_only: bool, folder: str | None, as_json: bool) -> int:
    """Bring up a small internet on loopback with the gate inside, and show what the gate does to good and bad mail.

    With SCENARIO names only those visits are paid. Nothing leaves this machine.
    """
    from gatepost.lab.run import choose, run_lab

    if list_only:
        for one in choose(scenario):
            click.echo(f"{one.name:28} {one.title}")
        return 0
    return run_lab(once=once, json=as_json, folder=Path(folder) if folder else None, only=scenario)
