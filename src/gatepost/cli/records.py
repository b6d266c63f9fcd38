"""`gatepost records`: the DNS records of a domain, the roll-over of its signing keys, and how both stand.

In: the gate's configuration, a domain. Out: records in master-file form or JSON; new keys, which a running gate uses
when DNS shows them. Works beside a running gate, and without one. Exit code 1 of `status`: a record is not right.
Not here: the stages of a key (`server.signing.rotation`), publishing records.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.clock import clock
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.options import dns_options, make_resolver
from gatepost.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.config import Settings
    from gatepost.server.signing.records import DnsRecord
    from gatepost.store.keys import KeyState


@click.group()
def command() -> None:
    """Print a domain's DNS records; change its signing keys."""


@command.command("print")
@gate_option
@json_option
@click.argument("domain")
def print_(config: Path, as_json: bool, domain: str) -> None:
    """Every record to publish for DOMAIN: MX, SPF, DKIM of each key that needs one, DMARC."""
    from gatepost.server.signing.next_keys import checked_domain
    from gatepost.server.signing.records import domain_records

    settings = read_gate(config)
    name = checked_domain(settings, domain)
    keys = [key for key in _keys(settings) if key.domain == name]
    _show_records(domain_records(name, settings.hostname, f"postmaster@{name}", keys), as_json)
    if not keys and not as_json:
        click.echo(f"; {name} has no signing key; `gatepost records rotate {name}` makes the first ones")


@command.command()
@gate_option
@json_option
@click.argument("domain")
def rotate(config: Path, as_json: bool, domain: str) -> None:
    """Make the next signing keys of DOMAIN and print their records.

    The gate signs with them once DNS has shown the records for a while; nothing else has to be done. Said again, it
    shows the keys that still wait.
    """
    from gatepost.server.signing.next_keys import make_next_keys
    from gatepost.server.signing.records import key_records

    settings = read_gate(config)
    _must_exist(settings)
    keys = make_next_keys(settings, domain, time.time())
    _show_records(key_records(keys), as_json)
    if not as_json:
        hint = f"`gatepost records status {domain}` shows when they are used"
        click.echo(f"; Publish these and leave the older ones; {hint}.")


@command.command()
@gate_option
@dns_options
@json_option
@click.argument("domain", required=False)
def status(config: Path, as_json: bool, domain: str | None, **dns: Any) -> int:
    """How each signing key stands, and what DNS shows of its record now."""
    from gatepost.server.signing.keyfiles import find_keys
    from gatepost.server.signing.next_keys import checked_domain
    from gatepost.server.signing.outlook import Outlook, look_ahead
    from gatepost.server.signing.upkeep import ask

    settings = read_gate(config)
    name = checked_domain(settings, domain) if domain else None
    keys = [key for key in _keys(settings) if name in (None, key.domain)]
    resolver = make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)
    sights = asyncio.run(ask(keys, resolver))
    held = {(file.domain, file.selector) for file in find_keys(settings) if file.path.exists()}
    found: list[Outlook] = [
        look_ahead(key, sights[key.domain, key.selector], (key.domain, key.selector) in held, settings, time.time())
        for key in keys
    ]
    _show_status(found, as_json)
    return int(any(one.trouble for one in found))


def _keys(settings: Settings) -> list[KeyState]:
    """Every key, those without a state yet among them; nothing is written."""
    from gatepost.server.signing.keyfiles import find_keys
    from gatepost.server.signing.keyring import read_states
    from gatepost.server.signing.upkeep import adopt

    found = adopt(read_states(settings), find_keys(settings), 0.0)
    return sorted(found, key=lambda key: (key.domain, key.selector))


def _must_exist(settings: Settings) -> None:
    folder = Path(settings.store.folder)
    if not folder.is_dir():
        raise InputError("store.folder", folder, "is not there; has the gate been started with this file?")


def _show_records(records: Iterable[DnsRecord], as_json: bool) -> None:
    for record in records:
        if as_json:
            click.echo(json.dumps({"record": record.text, "why": record.why}))
        else:
            click.echo(f"; {record.why}\n{record.text}\n")


def _show_status(found: list[Any], as_json: bool) -> None:
    if as_json:
        for one in found:
            click.echo(json.dumps(one.as_json()))
        return
    if not found:
        click.echo("There are no signing keys; `gatepost records rotate DOMAIN` makes the first ones.")
        return
    from gatepost.cli.lists_own import print_table

    rows = [
        (
            one.key.domain,
            one.key.selector,
            one.key.stage.value,
            clock(one.key.since) or "always",
            f"{one.sight.shown.value}{f': {one.sight.reason}' if one.sight.reason else ''}",
            one.words,
        )
        for one in found
    ]
    print_table(("domain", "selector", "stage", "since", "in DNS", "what comes next"), rows)
