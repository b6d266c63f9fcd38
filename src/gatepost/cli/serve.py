"""`gatepost serve`: runs everything the configuration names; `--check` only says whether it could.

In: the configuration file. Out: a running gate; with `--check` what holds and what does not, exit 0 or 2.
Not here: the processes (`server.supervisor`).
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import click

from gatepost.cli.gate import gate_option


@click.command()
@gate_option
@click.option("--check", is_flag=True, help="Check configuration, files, ports and isolation; start nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --check: the answer as JSON.")
def command(config: Path, check: bool, as_json: bool) -> int:
    """Run everything the configuration names, in the foreground.

    SIGHUP reloads the configuration (a bad one is refused and the old one stays), SIGTERM stops after the
    transactions under way. Log lines go to stderr, one a message and a connection.
    """
    from gatepost.config import load_settings
    from gatepost.server.supervisor import Supervisor

    if check:
        return _check(config, as_json)
    if as_json:
        raise click.UsageError("--json goes with --check; a running gate answers in its log")
    return Supervisor(load=lambda: load_settings(config), environment=os.environ).run()


def _check(config: Path, as_json: bool) -> int:
    from gatepost.config import load_settings
    from gatepost.server.check import check_gate

    points = check_gate(load_settings(config), time.time())
    good = all(point.good for point in points)
    if as_json:
        click.echo(json.dumps({"good": good, "points": [asdict(point) for point in points]}))
    else:
        for point in points:
            mark, colour = ("note", "yellow") if point.warning else ("ok", "green") if point.good else ("BAD", "red")
            click.echo(f"{click.style(f'{mark:4}', fg=colour)} {point.subject}: {point.words}")
        click.echo(f"{config}: {'ready to serve' if good else 'not ready; correct what is marked BAD'}")
    return 0 if good else 2
