"""`gatepost ban`: who is sent away at the door, why and how long; adding and lifting by hand.

In: networks, reasons, times. Out: a table or JSON; changed bans, in force in every worker within a second, and after a
restart. Own networks are never banned. Not here: the door's own bans (`server.door.bans`).
"""

from __future__ import annotations

import getpass
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.store.bans import Ban, Bans

LASTS = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
FOREVER = "ever"

json_flag = click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
networks_argument = click.argument("networks", nargs=-1, metavar="NETWORK...")


@click.group()
def command() -> None:
    """List, add or lift bans."""


@command.command("list")
@gate_option
@json_option
def list_(config: Path, as_json: bool) -> None:
    """Every ban in force: since when, how long, why."""
    with _open(read_gate(config)) as bans:
        found = bans.in_force(time.time())
    if as_json:
        for ban in found:
            click.echo(json.dumps(ban.as_json()))
    elif found:
        _show(found)
    else:
        click.echo("Nobody is banned.")


@command.command()
@gate_option
@json_option
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown in the list, not to the client.")
@click.option("--for", "lasts", default="1d", show_default=True, metavar="TIME", help="How long: 30m, 2h, 7d, ever.")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK...")
def add(config: Path, as_json: bool, reason: str, lasts: str, networks: tuple[str, ...]) -> None:
    """Ban addresses or networks; a ban that is there is replaced."""
    from gatepost.store.bans import Ban

    settings, now = read_gate(config), time.time()
    until, names = _end(lasts, now), [_checked(text, settings) for text in networks]
    with _open(settings) as bans:
        for name in names:
            why = f"{reason} ({getpass.getuser()})"
            bans.add(Ban(network=name, reason=why, since=now, until=until, by_hand=True))
    _say(dict.fromkeys(names, 1), as_json, "banned")


@command.command()
@gate_option
@json_option
@click.option("--all", "everybody", is_flag=True, help="All bans.")
@networks_argument
def lift(config: Path, as_json: bool, everybody: bool, networks: tuple[str, ...]) -> int:
    """End bans. For an hour the door does not ban the same by itself; `door.exempt` names who never is."""
    from gatepost.store.bans import parse_network

    if everybody is bool(networks):
        raise InputError("NETWORK", " ".join(networks) or "none", "name networks, or say --all")
    now = time.time()
    names = [str(parse_network("NETWORK", text)) for text in networks]
    with _open(read_gate(config)) as bans:
        changed = {name: bans.lift(name, now) for name in names} if names else {"all": bans.lift_all(now)}
    _say(changed, as_json, "lifted")
    return 0 if all(changed.values()) else 1


@contextmanager
def _open(settings: Settings) -> Iterator[Bans]:
    from gatepost.store.bans import Bans

    folder = Path(settings.store.folder)
    if not folder.is_dir():
        raise InputError("store.folder", folder, "is not there; has the gate been started with this file?")
    fresh = not (folder / "bans.db").exists()
    bans = Bans.open(folder)
    try:
        if fresh and os.geteuid() == 0:  # the gate itself is not root, and must read it
            owner = folder.stat()
            os.chown(bans.path, owner.st_uid, owner.st_gid)
        yield bans
    finally:
        bans.close()


def _checked(text: str, settings: Settings) -> str:
    """The network as text; InputError when it is none, too wide, or touches our own."""
    from gatepost.server.door.parts import own_networks
    from gatepost.store.bans import parse_network

    network = parse_network("NETWORK", text)
    for own in own_networks(settings):
        known = ip_network(own, strict=False)
        if known.version == network.version and known.overlaps(network):
            raise InputError("NETWORK", text, f"holds our own {own}, which is never banned; see door.exempt")
    return str(network)


def _end(lasts: str, now: float) -> float | None:
    if lasts == FOREVER:
        return None
    found = LASTS.fullmatch(lasts)
    if found is None or int(found[1]) == 0:
        raise InputError("--for", lasts, "write it as 30m, 2h, 7d or ever")
    return now + int(found[1]) * UNITS[found[2]]


def _say(changed: dict[str, int], as_json: bool, done: str) -> None:
    if as_json:
        click.echo(json.dumps({"changed": changed}))
        return
    for name, count in changed.items():
        click.echo(f"{name}: {done if count else 'was not banned'}{f' ({count})' if count > 1 else ''}")


def _show(bans: list[Ban]) -> None:
    from rich.table import Table

    from gatepost.cli.clock import clock
    from gatepost.cli.terminal import console, safe

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("network", "since", "until", "by", "reason"):
        table.add_column(title, overflow="fold")
    for ban in bans:
        until = clock(ban.until) if ban.until is not None else "it is lifted"
        table.add_row(*map(safe, (ban.network, clock(ban.since), until, "hand" if ban.by_hand else "door", ban.reason)))
    console().print(table)
