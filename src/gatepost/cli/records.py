"""`gatepost records`: the DNS records of a domain, the roll-over of its signing keys, and how both stand.

In: the gate's configuration, a domain. Out: records in several forms; new keys, which a running gate uses when DNS
shows them. Works beside a running gate, and without one. Exit code 1 of `status`: a record is not right.
Not here: the stages of a key (`server.signing.rotation`), comparing and publishing (`records_plan`, `records_try`).
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
from gatepost.cli.records_format import FORMATS
from gatepost.cli.records_plan import KINDS, plan, publish
from gatepost.cli.records_try import try_
from gatepost.cli.terminal import visible
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.config import Settings


@click.group()
def command() -> None:
    """Print, compare, publish and try a domain's DNS records; change its signing keys."""


@command.command("print")
@gate_option
@json_option
@click.option(
    "--format", "form", type=click.Choice(sorted(FORMATS)), default="bind", show_default=True, help="For whom."
)
@click.option("--only", multiple=True, type=click.Choice(KINDS), help="Only records of this kind.")
@click.argument("domain")
def print_(config: Path, as_json: bool, form: str, only: tuple[str, ...], domain: str) -> None:
    """Every record to publish for DOMAIN, each explained: MX, SPF, DKIM, DMARC, TLS-RPT, MTA-STS, TLSA, SRV, CAA.

    bind is a master file, plain is for a provider's form, route53 and cloudflare are what their programs take.
    """
    from gatepost.server.records.wanted import known_keys, wanted_of
    from gatepost.server.signing.next_keys import checked_domain

    settings = read_gate(config)
    name = checked_domain(settings, domain)
    keys = [key for key in known_keys(settings) if key.domain == name]
    records = [one for one in wanted_of(settings, name, keys) if not only or one.kind.value in only]
    click.echo(FORMATS["json" if as_json else form](records, name), nl=False)
    if not keys and not as_json and form == "bind":
        click.echo(f"; {name} has no signing key; `gatepost records rotate {name}` makes the first ones")


@command.command()
@gate_option
@json_option
@click.argument("domain")
def rotate(config: Path, as_json: bool, domain: str) -> None:
    """Make the next signing keys of DOMAIN and print their records; with [publish] they are published at once.

    The gate signs with them once DNS has shown the records for a while; nothing else has to be done. Said again, it
    shows the keys that still wait.
    """
    from gatepost.server.records.wanted import key_records
    from gatepost.server.signing.next_keys import make_next_keys

    settings = read_gate(config)
    _must_exist(settings)
    keys = make_next_keys(settings, domain, time.time())
    click.echo(FORMATS["json" if as_json else "bind"](key_records(keys), domain), nl=False)
    hint = f"`gatepost records status {domain}` shows when they are used"
    if settings.publish.server:
        _publish_now(settings, hint)
    elif not as_json:
        click.echo(f"; Publish these and leave the older ones; {hint}.")


def _publish_now(settings: Settings, hint: str) -> None:
    """What the running gate would do within some minutes, and does again where it fails here."""
    from gatepost.net.publish import DnsPublisher
    from gatepost.server.signing.publishing import FAILED, publish_keys

    told = asyncio.run(publish_keys(settings, DnsPublisher(settings.publish), time.time()))
    failed = [facts for event, facts in told if event == FAILED]
    for facts in failed:
        what = f"{facts['selector']} of {facts['domain']}"
        click.echo(f"not published: {what}: {visible(facts['reason'])}; a running gate tries again", err=True)
    if not failed:
        click.echo(f"Published; leave the older ones; {hint}.", err=True)


@command.command()
@gate_option
@dns_options
@json_option
@click.argument("domain", required=False)
def status(config: Path, as_json: bool, domain: str | None, **dns: Any) -> int:
    """How each signing key stands, and what DNS shows of its record now."""
    from gatepost.server.records.wanted import known_keys
    from gatepost.server.signing.keyfiles import find_keys
    from gatepost.server.signing.next_keys import checked_domain
    from gatepost.server.signing.outlook import Outlook, look_ahead
    from gatepost.server.signing.upkeep import ask

    settings = read_gate(config)
    name = checked_domain(settings, domain) if domain else None
    keys = [key for key in known_keys(settings) if name in (None, key.domain)]
    resolver = make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)
    sights = asyncio.run(ask(keys, resolver))
    held = {(file.domain, file.selector) for file in find_keys(settings) if file.path.exists()}
    found: list[Outlook] = [
        look_ahead(key, sights[key.domain, key.selector], (key.domain, key.selector) in held, settings, time.time())
        for key in keys
    ]
    _show_status(found, as_json)
    return int(any(one.trouble for one in found))


def _must_exist(settings: Settings) -> None:
    folder = Path(settings.store.folder)
    if not folder.is_dir():
        raise InputError("store.folder", folder, "is not there; has the gate been started with this file?")


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


for each in (plan, publish, try_):
    command.add_command(each)
