"""`gatepost dmarc`: reports of other servers taken in, shown, and turned into advice.

In: a domain; the store of reports. Out: text, HTML or JSON. Exit code 1: there is no report, or a step is not safe yet.
Not here: taking reports in (`dmarc_import`), how they look (`dmarc_show`, `dmarc_counsel`, `dmarc_html`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gatepost.cli.clock import read_moment
from gatepost.cli.dmarc_import import import_, open_store, settings_of, store_options
from gatepost.cli.gate import json_option
from gatepost.cli.options import dns_options, make_resolver
from gatepost.cli.terminal import console
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.ports import Resolver

MAX_KNOWN = 1000
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def command() -> None:
    """Read DMARC and TLS reports of others, show them, and say what they mean."""


def known_option(command: Command) -> Command:
    """`--known`."""
    text = "A sender of yours: a domain, address or network. May be given several times."
    return click.option("--known", multiple=True, metavar="SENDER", help=text)(command)


@command.command()
@store_options
@dns_options
@known_option
@json_option
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="From that day on: 90d, 2026-11-24.")
@click.option("--names/--no-names", default=True, show_default=True, help="Ask DNS for the names of senders.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to FILE.")
@click.argument("domain", required=False)
def show(
    config: Path | None,
    folder: Path | None,
    known: tuple[str, ...],
    as_json: bool,
    since: str,
    names: bool,
    html: Path | None,
    domain: str | None,
    **dns: Any,
) -> int:
    """What reports say of DOMAIN: days, senders, alignment, TLS. Without DOMAIN: which domains there are."""
    from gatepost.server.reports.picture import draw
    from gatepost.store.reports.questions import domains

    store = open_store(config, folder)
    try:
        if domain is None:
            from gatepost.cli.dmarc_show import show_domains

            return show_domains(console(), domains(store), as_json)
        resolver = _resolver(dns, config, folder) if names else None
        name, first = _domain(domain), _first_day(since)
        picture = asyncio.run(draw(store, name, first, resolver, _known(known)))
        latest = max((one.end for one in domains(store) if one.domain == name), default=None)
    finally:
        store.close()
    if html is not None:
        from gatepost.cli.dmarc_html import write_page

        _write(html, write_page(picture, time.time()))
    if as_json:
        click.echo(json.dumps(picture.as_json()))
    elif html is not None:
        click.echo(f"written to {html}")
    else:
        from gatepost.cli.dmarc_show import show_picture

        show_picture(console(), picture, latest)
    return int(not picture.days and not picture.tls_days and not picture.failures)


@command.command()
@store_options
@dns_options
@known_option
@json_option
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="From that day on: 90d, 2026-11-24.")
@click.argument("domain")
def advise(
    config: Path | None,
    folder: Path | None,
    known: tuple[str, ...],
    as_json: bool,
    since: str,
    domain: str,
    **dns: Any,
) -> int:
    """Whether DOMAIN may go from none to quarantine to reject, for whom it would break, what to fix first."""
    from gatepost.server.reports.counsel import counsel

    store = open_store(config, folder)
    try:
        resolver = _resolver(dns, config, folder)
        name, first = _domain(domain), _first_day(since)
        found = asyncio.run(counsel(store, name, first, resolver, _known(known)))
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        from gatepost.cli.dmarc_counsel import show_counsel

        show_counsel(console(), found)
    return int(found.advice.step.value in ("fix", "ask", "wait"))


def _resolver(dns: dict[str, Any], config: Path | None, folder: Path | None) -> Resolver:
    settings = settings_of(config, folder)
    return make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)


def _first_day(since: str) -> int:
    return int((read_moment("--since", since) or 0.0) // 86400)


def _domain(text: str) -> str:
    return text.strip().lower().rstrip(".")


def _known(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > MAX_KNOWN:
        raise InputError("--known", len(values), f"is given too often; at most {MAX_KNOWN} times")
    return tuple(value.strip().lower() for value in values)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise InputError("--html", path, f"cannot be written: {error.strerror}") from None


command.add_command(import_)
