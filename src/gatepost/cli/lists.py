"""`gatepost lists`: how the lists in use are, what they say, the house's own entries, and what all that stops.

In: the gate's configuration, values, entries. Out: tables or JSON. Works beside a running gate, and without one.
Not here: own entries (`lists_own`), lists and their answers (`reputation`), what a running gate does (`server.lists`).
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import click

from gatepost.cli.clock import read_moment
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.lists_check import checked, subjects_of
from gatepost.cli.lists_own import add, database, opened, print_table, remove, show
from gatepost.cli.options import dns_options, make_resolver
from gatepost.cli.terminal import visible
from gatepost.errors import InputError


@click.group()
def command() -> None:
    """Show and test block lists; block or allow senders here; see what lists stop."""


@command.command("list")
@gate_option
@dns_options
@json_option
def list_(config: Path, as_json: bool, **dns: Any) -> int:
    """The lists in use: each is tested now. Exit code 1: one is sick, or we are listed ourselves."""
    from gatepost.reputation import Lists

    settings = read_gate(config)
    resolver = make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)
    lists = Lists(settings.lists, resolver)
    asyncio.run(lists.probe(time.time()))
    own: dict[str, list[str]] = {}
    if database(settings).exists():
        with opened(settings) as store:
            for listing in store.own():
                own.setdefault(listing.name, []).append(listing.subject)
    found = []
    for one in lists.asked:
        health = lists.health.of(one.name)
        found.append(
            {
                "name": one.name,
                "kind": one.kind.value,
                "zone": one.shown_zone,
                "mode": one.mode,
                "condition": health.condition.value,
                "reason": health.reason,
                "own": own.get(one.name, []),
            }
        )
    _print_lists(found, as_json)
    return int(any(one["condition"] != "well" or one["own"] for one in found))


def _print_lists(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for one in found:
            click.echo(json.dumps(one))
        return
    if not found:
        click.echo('No list is asked; name some in gatepost.toml: [lists] use = ["zen"]. docs/lists.md tells more.')
        return
    rows = [(one["name"], one["kind"], one["mode"], one["condition"], one["reason"] or one["zone"]) for one in found]
    print_table(("list", "lists", "mode", "condition", "zone, or what is wrong"), rows)
    for one in found:
        for subject in one["own"]:
            click.echo(f"WE ARE LISTED: {visible(subject)} is on {one['name']}; ask its operator what has to be done")


@command.command()
@gate_option
@dns_options
@json_option
@click.argument("value", metavar="IP|DOMAIN|ADDRESS|URL")
def check(config: Path, value: str, as_json: bool, **dns: Any) -> int:
    """What the lists in use, and our own, say of one address, domain, sender or URL. Exit code 1: it is on one."""
    from gatepost.reputation import Lists, LocalLists
    from gatepost.server.lists import read_local

    settings = read_gate(config)
    subjects = subjects_of(value)
    resolver = make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)
    local = LocalLists()
    if database(settings).exists():
        with opened(settings) as store:
            local = read_local(store)
    answer = asyncio.run(checked(value, subjects, Lists(settings.lists, resolver, local), time.time()))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _print_answer(answer)
    entry = answer["entry"]
    blocked = entry is not None and entry["verdict"] == "block"
    return int(blocked or any(listing["kind"] != "allow" for listing in answer["listings"]))


def _print_answer(answer: dict[str, Any]) -> None:
    for listing in answer["listings"]:
        watched = " (only watched)" if listing["mode"] == "watch" else ""
        click.echo(f"{visible(listing['subject'])} is on {listing['list']}{watched}: {visible(listing['says'])}")
    entry = answer["entry"]
    if entry is not None:
        click.echo(f"{visible(entry['value'])}: {entry['verdict']} here ({visible(entry['comment']) or 'no comment'})")
    for name, reason in answer["trouble"].items():
        click.echo(f"{name} was not asked or not believed: {visible(reason)}")
    if not answer["listings"] and entry is None:
        nobody = "none could be asked" if answer["trouble"] else "no list takes this, or none is in use"
        click.echo(f"{visible(answer['value'])} is on no list ({', '.join(answer['asked']) or nobody}).")


@command.command()
@gate_option
@json_option
@click.option("--since", default="7d", show_default=True, metavar="TIME", help="From that day on: 7d, 2026-11-24.")
def report(config: Path, since: str, as_json: bool) -> None:
    """What lists and checks at the door stopped, or (in mode watch) would have, and which of that was wrong."""
    from gatepost.server.lists_report import report as make_report
    from gatepost.store.journal import Journal
    from gatepost.store.watch import Watch

    settings = read_gate(config)
    folder = Path(settings.store.folder)
    if not (folder / "watch.db").exists():
        raise InputError("store.folder", folder, "holds no report yet; has the gate been started with this file?")
    watch = Watch.open(folder, settings.store.watch)
    journal = Journal.open(folder, settings.store.journal) if (folder / "journal.db").exists() else None
    try:
        lines = make_report(watch, journal, read_moment("--since", since) or 0.0)
    finally:
        watch.close()
        if journal is not None:
            journal.close()
    if as_json:
        for line in lines:
            click.echo(json.dumps(line.as_json()))
    elif lines:
        names = ("check", "mode", "hits", "stopped, or would have", "false alarms", "for example")
        print_table(names, [(o.check, o.mode, o.hits, o.stops, o.false_alarms, _example(o.examples)) for o in lines])
    else:
        click.echo("No list and no check at the door has hit anything.")


def _example(examples: list[dict[str, str]]) -> str:
    return ", ".join(dict.fromkeys(example["subject"] or example["client_ip"] for example in examples[:3]))


for each in (add, remove, show):
    command.add_command(each)
