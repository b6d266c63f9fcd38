"""`gatepost audit DOMAIN…`: how domains stand, with what to publish or change.

In: domains, or a file of them; where DNS answers come from. Out: a report, one JSON object a line, an HTML file.
Standard: DESIGN, "What others may lean on". Exit code 1 when a finding is at or above --fail-on; with --compare only
findings that are new or graver count. Not here: the audit (`api_audit`), printing (`audit_show`), many at once
(`audit_many`), repeating it (`watch`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.api_audit import read_domain
from gatepost.audit.settings import AuditSettings
from gatepost.cli.audit_many import AT_ONCE, Auditor, audit_all, count_lines, read_lines
from gatepost.cli.audit_show import show_audit, show_line
from gatepost.cli.audit_workers import WORTH_IT, audit_over
from gatepost.cli.clock import read_now
from gatepost.cli.gate import json_option
from gatepost.cli.options import config_option, dns_options, fail_on_option, make_resolver, now_option, read_settings
from gatepost.cli.progress import progress
from gatepost.cli.terminal import console
from gatepost.errors import InputError
from gatepost.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.cli.audit_old import OldAudits
    from gatepost.config import Settings


@click.command("audit")
@click.argument("domains", nargs=-1, metavar="DOMAIN...")
@click.option("--from", "source", metavar="FILE|-", help="Audit the domains in this file, one a line.")
@dns_options
@now_option
@config_option
@click.option("--quick", is_flag=True, help="Only MX, SPF, DMARC, MTA-STS, TLS-RPT, BIMI and DNSSEC: for very many.")
@click.option("--selector", "selectors", multiple=True, metavar="NAME", help="A DKIM selector to look up as well.")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="A block list to ask: zen, dbl, spamcop ...")
@click.option("--no-ports", is_flag=True, help="Connect to no mail server; with --zone nothing is connected to anyway.")
@click.option("--ports", "use_ports", is_flag=True, help="With --zone: connect to the servers that it names.")
@click.option("--tls", type=click.Choice(["off", "versions", "suites"]), help="How much of their TLS is tried.")
@click.option("--lookalikes", type=click.IntRange(0, 2000), metavar="N", help="Look-alike names to look up.")
@click.option("--private", multiple=True, metavar="NETWORK", help="A private network that may be connected to.")
@click.option("--deadline", type=click.FloatRange(1, 3600), metavar="SECONDS", help="For one domain.  [default: 90]")
@click.option(
    "--at-once", type=click.IntRange(1, 256), default=AT_ONCE, show_default=True, help="Domains at a time (a process)."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", help="Processes.  [default: one a core, for many domains]"
)
@click.option("--html", metavar="FILE", help="Write a report that can be printed.")
@click.option("--compare", metavar="OLD.json", help="Show what changed since this output of --json.")
@click.option("--full", is_flag=True, help="With several domains: the whole report on each, not one line.")
@fail_on_option
@json_option
def command(
    domains: tuple[str, ...],
    source: str | None,
    zone: str | None,
    resolver: str | None,
    dns_timeout: tuple[str, ...],
    dns_fail: tuple[str, ...],
    config: str | None,
    now: str | None,
    html: str | None,
    compare: str | None,
    full: bool,
    fail_on: str,
    as_json: bool,
    at_once: int,
    jobs: int | None,
    **chosen: Any,
) -> int:
    """Audit domains: DNS records, mail servers and their ports, encryption, block lists, each with what to change."""
    if bool(domains) == bool(source):
        raise click.UsageError("name domains, or a file of them with --from (not both)")
    for domain in domains:
        read_domain(domain)
    settings = read_settings(config)
    asked = make_resolver(zone, resolver, dns_timeout, dns_fail, settings)
    audit = audit_settings(settings, **chosen)
    auditor = Auditor(
        resolver=asked,
        settings=audit,
        ports=audit.ports and (zone is None or chosen["use_ports"]),
        web=audit.depth == "full" and (zone is None or chosen["use_ports"]),
        lists=_lists(settings, chosen["lists"]),
        gate=settings,
        now=None if now is None else read_now(now),
    )
    names: Iterable[str] = domains if source is None else read_lines(source)
    total = len(domains) if source is None else count_lines(source)
    with ExitStack() as stack:
        old = stack.enter_context(_old(compare)) if compare is not None else None
        printer = _Printer(as_json=as_json, whole=full or len(domains) == 1, old=old)
        if html is not None:
            printer.report = stack.enter_context(_report(html))
        advance = stack.enter_context(progress(total if total != 1 else None, "auditing", octets=False))
        processes = jobs or (os.cpu_count() or 1 if total is None or total >= WORTH_IT else 1)
        _run(auditor, names, at_once, processes, printer, advance)
    printer.finish()
    return 1 if fail_on != "never" and printer.gravest >= Severity(fail_on).rank else 0


def _run(auditor: Auditor, names: Iterable[str], at_once: int, processes: int, printer: _Printer, advance: Any) -> None:
    if processes > 1:
        for done, answer in enumerate(audit_over(auditor, names, at_once, processes), 1):
            printer.show(answer)
            advance(done)
        return

    async def alone() -> None:
        done = 0
        async with auditor:
            async for answer in audit_all(auditor, names, at_once):
                printer.show(answer)
                done += 1
                advance(done)

    asyncio.run(alone())


def audit_settings(settings: Settings | None, **chosen: Any) -> AuditSettings:
    """Those of the configuration, with what the command line says instead. Raises InputError."""
    base = settings.audit if settings is not None else AuditSettings()
    for network in chosen["private"]:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise InputError("--private", network, "is no network; give one as 10.1.0.0/16") from None
    return dataclasses.replace(
        base,
        depth="quick" if chosen["quick"] else base.depth,
        selectors=(*base.selectors, *chosen["selectors"]),
        private=(*base.private, *chosen["private"]),
        ports=base.ports and not chosen["no_ports"],
        tls=chosen["tls"] or base.tls,
        lookalikes=base.lookalikes if chosen["lookalikes"] is None else chosen["lookalikes"],
        deadline=base.deadline if chosen["deadline"] is None else chosen["deadline"],
    )


def _lists(settings: Settings | None, names: tuple[str, ...]) -> Any:
    """The lists of the configuration and those named here; the settings refuse names that are unknown."""
    from gatepost.reputation.settings import ListsSettings

    base = settings.lists if settings is not None else ListsSettings()
    if names:
        from gatepost.errors import ConfigError

        try:
            base = dataclasses.replace(base, use=tuple(dict.fromkeys((*base.use, *names))))
        except ConfigError as error:
            raise InputError("--list", ", ".join(names), error.remedy) from None
    return base


def _old(path: str) -> OldAudits:
    from gatepost.cli.audit_old import OldAudits

    return OldAudits(Path(path))


def _report(path: str) -> Any:
    from gatepost.cli.audit_html import HtmlFile

    return HtmlFile(Path(path))


class _Printer:
    """Writes each audit as it comes, and keeps no more than counts."""

    def __init__(self, *, as_json: bool, whole: bool, old: OldAudits | None) -> None:
        self.as_json = as_json
        self.whole = whole
        self.old = old
        self.report: Any = None
        self.gravest = -1
        self.grades: dict[str, int] = {}
        self.console = console()

    def show(self, answer: dict[str, Any]) -> None:
        """One domain's verdict."""
        worst = max((Severity(one["severity"]).rank for one in answer["findings"]), default=-1)
        before = self.old.find(answer["domain"]) if self.old is not None else None
        if before is not None:
            from gatepost.audit.compare import compare

            changes = compare(before, answer)
            answer["changes"] = changes.as_json()
            worst = changes.gravest
        self.gravest = max(self.gravest, worst)
        letter = answer["grade"]["letter"]
        self.grades[letter] = self.grades.get(letter, 0) + 1
        if self.report is not None:
            self.report.add(answer)
        if self.as_json:
            sys.stdout.write(json.dumps(answer) + "\n")
        elif self.whole:
            show_audit(self.console, answer)
        else:
            show_line(self.console, answer)

    def finish(self) -> None:
        """How many got which grade."""
        if not self.as_json and not self.whole:
            counts = ", ".join(f"{count} {letter}" for letter, count in sorted(self.grades.items()))
            self.console.print(f"{sum(self.grades.values())} domains: {counts}")
