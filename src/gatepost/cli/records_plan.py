"""`gatepost records plan` and `publish`: how DNS compares with what is wanted; the difference published, and undone.

In: the gate's configuration, a domain; the zone's own server by `[publish]`. Out: tables, differences, JSON. Nothing is
changed before a person said yes (or --yes), and what stood before is kept for --undo.
Exit code 1: something is still to be done, or was not done. Not here: the records (`records`), sending (`net.publish`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.audit.records import Kind, Need
from gatepost.audit.standing import Compared
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.options import dns_options, make_resolver
from gatepost.cli.records_show import plan_json, print_done, print_plan, print_steps
from gatepost.cli.terminal import visible
from gatepost.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.audit.records import WantedRecord
    from gatepost.config import Settings
    from gatepost.net.publish import DnsPublisher
    from gatepost.server.records.publish import Step

KINDS = [kind.value for kind in Kind if kind is not Kind.ADDRESS]


@click.command()
@gate_option
@dns_options
@json_option
@click.argument("domain")
def plan(config: Path, as_json: bool, domain: str, **dns: Any) -> int:
    """What of DOMAIN's records is missing or wrong in DNS. Exit code 1: something is to be done."""
    from gatepost.server.records.plan import plan_by_resolver

    settings = read_gate(config)
    resolver = make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)
    found = asyncio.run(plan_by_resolver(_wanted(settings, domain), resolver))
    if as_json:
        for one in found:
            click.echo(json.dumps(plan_json(one)))
    else:
        print_plan(found, bool(settings.publish.server), domain)
    return int(any(one.is_trouble or one.compared is Compared.UNKNOWN for one in found))


@click.command()
@gate_option
@json_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--only", multiple=True, type=click.Choice(KINDS), help="Only records of this kind.")
@click.option("--overwrite", multiple=True, type=click.Choice(KINDS), help="Put ours in the place of yours.")
@click.option("--undo", is_flag=True, help="Bring back what stood before the last time.")
@click.argument("domain")
def publish(
    config: Path,
    as_json: bool,
    yes: bool,
    only: tuple[str, ...],
    overwrite: tuple[str, ...],
    undo: bool,
    domain: str,
) -> int:
    """Publish what is missing or wrong of DOMAIN's records, by [publish]: shows the difference, asks, and looks again.

    What you chose yourself (MX, SPF, DMARC ...) is kept unless --overwrite names its kind.
    """
    from gatepost.server.signing.next_keys import checked_domain

    settings = read_gate(config)
    if as_json and not yes:
        raise InputError("--json", domain, "asks nobody; say --yes as well")
    publisher = _publisher(settings)
    name = checked_domain(settings, domain)
    kinds = frozenset(Kind(one) for one in overwrite)
    if undo:
        if only or overwrite:
            raise InputError("--undo", domain, "takes back all of the last time; leave --only and --overwrite out")
        return _undo(settings, publisher, name, as_json, yes)
    wanted = [one for one in _wanted(settings, name) if not only or one.kind.value in only]
    return _publish(settings, publisher, name, wanted, kinds, as_json, yes)


def _publish(
    settings: Settings,
    publisher: DnsPublisher,
    domain: str,
    wanted: Sequence[WantedRecord],
    overwrite: frozenset[Kind],
    as_json: bool,
    yes: bool,
) -> int:
    from gatepost.server.records.plan import plan_by_publisher
    from gatepost.server.records.publish import changes_of

    found, stands = asyncio.run(plan_by_publisher(wanted, publisher))
    unknown = [one for one in found if one.compared is Compared.UNKNOWN]
    if len(unknown) == sum(one.compared is not Compared.BY_HAND for one in found) and unknown:
        raise InputError("publish.server", settings.publish.server, unknown[0].words or "does not answer")
    for one in unknown:  # as the server's own name, where it is in another's zone
        click.echo(f"left out: {visible(one.wanted.name)} {one.wanted.rtype}: {visible(one.words)}", err=True)
    left = int(any(one.wanted.need is Need.MUST for one in unknown))
    steps = changes_of(found, stands, settings.publish.ttl, overwrite)
    kept = [one for one in found if one.compared is Compared.YOURS and one.wanted.kind not in overwrite]
    if not as_json:
        for one in kept:
            click.echo(
                f"kept: {visible(one.wanted.name)} {one.wanted.rtype}: {visible(', '.join(one.found) or one.words)}"
            )
    if not steps:
        if not as_json:
            click.echo("Nothing is to be published.")
        return left
    if not as_json:
        print_steps(steps)
    if not yes:
        _ask(f"Publish {len(steps)} change(s) at {settings.publish.server}?")
    return _carry_out(settings, publisher, domain, steps, as_json) or left


def _carry_out(settings: Settings, publisher: DnsPublisher, domain: str, steps: Sequence[Step], as_json: bool) -> int:
    """Keeps what stands, publishes, tells. What was not made is not offered to be undone."""
    from gatepost.ports.publisher import Outcome
    from gatepost.server.records.publish import publish_steps
    from gatepost.store.published import PublishedStore

    store = PublishedStore.open(Path(settings.store.folder))
    try:
        key = store.add(domain, tuple((step.change, step.before) for step in steps), time.time())
        done = asyncio.run(publish_steps(publisher, steps))
        made = [one for one in done if one.outcome in (Outcome.DONE, Outcome.UNKNOWN)]
        if len(made) < len(done):
            store.forget(key)
            if made:
                store.add(domain, tuple((one.step.change, one.step.before) for one in made), time.time())
    finally:
        store.close()
    print_done(done, as_json)
    if not as_json and made:
        click.echo(f"`gatepost records publish {domain} --undo` brings back what stood before.")
    return int(not all(one.is_right for one in done))


def _undo(settings: Settings, publisher: DnsPublisher, domain: str, as_json: bool, yes: bool) -> int:
    from gatepost.server.records.publish import Step, publish_steps, undo_steps
    from gatepost.store.published import PublishedStore

    store = PublishedStore.open(Path(settings.store.folder))
    try:
        last = store.last(domain)
        if last is None:
            raise InputError("--undo", domain, "nothing was published for it that could be taken back")
        steps = undo_steps(
            [Step(change=change, before=before) for change, before in last.steps],
            {
                (change.name, change.rtype): asyncio.run(publisher.read(change.name, change.rtype))
                for change, _ in last.steps
            },
        )
        if not as_json:
            click.echo(f"Published {time.strftime('%Y-%m-%d %H:%M', time.gmtime(last.at))} UTC:")
            print_steps(steps)
        if not yes:
            _ask(f"Take back {len(steps)} change(s)?")
        done = asyncio.run(publish_steps(publisher, steps))
        if all(one.is_right for one in done):
            store.mark_undone(last.id, time.time())
    finally:
        store.close()
    print_done(done, as_json)
    return int(not all(one.is_right for one in done))


def _wanted(settings: Settings, domain: str) -> tuple[WantedRecord, ...]:
    from gatepost.server.records.wanted import known_keys, wanted_of
    from gatepost.server.signing.next_keys import checked_domain

    return wanted_of(settings, checked_domain(settings, domain), known_keys(settings))


def _publisher(settings: Settings) -> DnsPublisher:
    from gatepost.net.publish import DnsPublisher

    if not Path(settings.store.folder).is_dir():
        raise InputError(
            "store.folder", settings.store.folder, "is not there; has the gate been started with this file?"
        )
    return DnsPublisher(settings.publish)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise InputError("--yes", "missing", "nobody is there to be asked; look at the plan, then say --yes")
    click.confirm(question, abort=True)
