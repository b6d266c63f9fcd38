"""`gatepost watch`: audits domains again and again, and tells people when one of them has changed.

In: the gate's configuration, tables [watch] and [audit]. Out: a line a domain, mail, webhook. It runs until it is
stopped; `--once` makes one round, for cron. Exit code 1 of `--once`: a change at or above --fail-on.
Not here: one round (`server.auditing`), the audit (`api_audit`), what can be set (`server.auditing.settings`).
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatepost.api_audit import read_domain
from gatepost.cli.clock import clock
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.options import dns_options, fail_on_option, make_resolver
from gatepost.cli.terminal import visible
from gatepost.errors import InputError
from gatepost.finding import Severity

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.ports import Resolver
    from gatepost.server.auditing.watcher import Round


@click.command("watch")
@click.argument("domains", nargs=-1, metavar="[DOMAIN...]")
@gate_option
@dns_options
@click.option("--once", is_flag=True, help="One round, then end.")
@click.option("--no-ports", is_flag=True, help="Connect to no mail server; with --zone nothing is connected to anyway.")
@fail_on_option
@json_option
def command(
    domains: tuple[str, ...],
    config: Path,
    zone: str | None,
    resolver: str | None,
    dns_timeout: tuple[str, ...],
    dns_fail: tuple[str, ...],
    once: bool,
    no_ports: bool,
    fail_on: str,
    as_json: bool,
) -> int:
    """Audit the watched domains on a schedule; tell by mail and webhook what has changed."""
    settings = read_gate(config)
    names = tuple(read_domain(name) for name in domains or settings.watch.domains or tuple(settings.domains))
    if not names:
        raise InputError("watch.domains", "", "names no domain; write them there, or name them on the command line")
    if not Path(settings.store.folder).is_dir():
        raise InputError(
            "store.folder", settings.store.folder, "is not there; has the gate been started with this file?"
        )
    asked = make_resolver(zone, resolver, dns_timeout, dns_fail, settings)
    reach = (settings.audit.ports and not no_ports and zone is None, zone is None)
    worst = asyncio.run(_run(settings, names, asked, once=once, reach=reach, as_json=as_json))
    return 1 if fail_on != "never" and worst >= Severity(fail_on).rank else 0


async def _run(
    settings: Settings,
    names: tuple[str, ...],
    resolver: Resolver,
    *,
    once: bool,
    reach: tuple[bool, bool],
    as_json: bool,
) -> int:
    """Rounds until the end; the rank of the gravest change. `reach`: whether ports and pages are asked."""
    from gatepost.cli.audit_many import Auditor
    from gatepost.net.pages import PageFetcher
    from gatepost.net.probe import read_networks
    from gatepost.server.auditing.alerts import Alerts
    from gatepost.server.auditing.watcher import Watcher
    from gatepost.store.audits import Audits

    audits = Audits.open(Path(settings.store.folder))
    worst = -1
    try:
        chosen, (ports, web) = settings.audit, reach
        auditor = Auditor(resolver=resolver, settings=chosen, ports=ports, web=web, lists=settings.lists, gate=settings)
        pages = PageFetcher(resolver, allowed=read_networks(settings.audit.private), own=True)
        async with auditor:
            watcher = Watcher(settings.watch, auditor.audit, audits, Alerts(settings, resolver, pages))
            while True:
                begun = time.monotonic()
                async for one in watcher.round(names):
                    worst = max(worst, one.gravest)
                    _say(one, as_json)
                if once:
                    return worst
                await asyncio.sleep(max(1.0, settings.watch.every - (time.monotonic() - begun)))
    finally:
        audits.close()


def _say(one: Round, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(one.as_json()))
        return
    from gatepost.server.auditing.alerts import summary

    if one.changes is None:
        what = "seen for the first time; what changes from now on is told"
    elif one.changes.is_empty:
        what = "as before"
    else:
        what = summary(one.changes.as_json())
    told = f"; {', '.join(one.told)}" if one.told else ""
    click.echo(visible(f"{clock(time.time())}  {one.grade}  {one.domain}: {what}{told}"))
