"""Options that several commands share, and what they mean.

In: what click read. Out: a resolver, a session, settings. Standard: DESIGN, "What others may lean on".
Not here: `--now` (`clock`), reading messages (`sources`).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gatepost.cli.gate import json_option as json_option
from gatepost.errors import InputError
from gatepost.finding import Severity
from gatepost.names import Session
from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.net.zone import ZoneResolver
from gatepost.ports import History, Locator, Memory, Resolver, Scanner

if TYPE_CHECKING:
    from gatepost.api import InspectionSettings
    from gatepost.config import Settings
    from gatepost.net.fetch import RedirectFetcher
    from gatepost.reputation import Lists

MAX_ZONE = 64 << 20  # octets; the zone of a large provider has 20 MB

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """`--config`."""
    text = "The gate's gatepost.toml: its own domains, policy and resolver."
    return click.option("--config", metavar="FILE", help=text)(command)


def dns_options(command: Command) -> Command:
    """Where DNS answers come from."""
    for option in (
        click.option("--dns-fail", multiple=True, metavar="NAME", help="With --zone: a name that answers SERVFAIL."),
        click.option("--dns-timeout", multiple=True, metavar="NAME", help="With --zone: a name that never answers."),
        click.option("--resolver", metavar="ADDR[:PORT]", help="Ask this name server, or 'system'."),
        click.option("--zone", metavar="FILE", help="Answer DNS from this master file, not from the network."),
    ):
        command = option(command)
    return command


def session_options(command: Command) -> Command:
    """Who handed the message in."""
    for option in (
        click.option("--mail-from", metavar="ADDRESS", help="Its envelope sender; '' or '<>' for the null sender."),
        click.option("--ehlo", default="", metavar="NAME", help="What the client called itself in EHLO."),
        click.option("--ip", default="", metavar="ADDRESS", help="The client's address."),
    ):
        command = option(command)
    return command


def now_option(command: Command) -> Command:
    """`--now`."""
    text = "The time to judge at: seconds since 1970, or 2026-11-24T12:00Z."
    return click.option("--now", metavar="TIME", help=text)(command)


def fail_on_option(command: Command) -> Command:
    """`--fail-on`."""
    choices = [severity.value for severity in Severity] + ["never"]
    return click.option(
        "--fail-on",
        type=click.Choice(choices),
        default=Severity.WARNING.value,
        show_default=True,
        help="Exit with 1 if a finding is at least this grave.",
    )(command)


def read_settings(config: str | None) -> Settings | None:
    """The settings of `--config`, None without it."""
    if not config:
        return None
    from gatepost.config import load_settings  # pydantic and the servers' options: 100 ms that only this needs

    return load_settings(Path(config))


def inspection_settings(settings: Settings | None) -> InspectionSettings:
    """What of the gate's settings concerns the judgement of a message."""
    from gatepost.api import InspectionSettings  # the inspector: 300 ms that only commands which judge messages need

    if settings is None:
        return InspectionSettings()
    return InspectionSettings(
        inspector=settings.inspector,
        msgauth=settings.msgauth,
        own_domains=tuple(settings.domains),
        accounts=tuple(f"{local}@{name}" for name, domain in settings.domains.items() for local in domain.accounts),
        content=settings.content,
    )


def make_resolver(
    zone: str | None,
    server: str | None,
    timeouts: tuple[str, ...] = (),
    failures: tuple[str, ...] = (),
    settings: Settings | None = None,
) -> Resolver:
    """Answers from a zone file, from the named server, or from those of the configuration."""
    if zone is not None:
        if server is not None:
            raise InputError("--resolver", server, "cannot be used together with --zone; leave one out")
        return ZoneResolver(_read_zone(zone), timeouts=timeouts, failures=failures)
    if timeouts or failures:
        raise InputError("--dns-timeout", (timeouts or failures)[0], "works only together with --zone")
    if server is not None:
        return DnsResolver(ResolverSettings(servers=(server,)))
    return DnsResolver(settings.dns if settings is not None else ResolverSettings())


def make_scanner(settings: Settings | None) -> Scanner | None:
    """The virus scanner that the gate's configuration names."""
    if settings is None or not settings.scanner.address:
        return None
    from gatepost.net.clamd import ClamdScanner

    return ClamdScanner(settings.scanner)


def make_history(settings: Settings | None) -> History | None:
    """What the gate of the configuration remembers of senders; it is only read."""
    if settings is None or not settings.store.history.enabled:
        return None
    from gatepost.store.history import SenderHistory

    return SenderHistory(Path(settings.store.folder), settings.store.history)


def make_memory(settings: Settings | None) -> Memory | None:
    """What the classifier learnt at the gate of the configuration; it is only read."""
    if settings is None or not settings.store.learned.enabled:
        return None
    from gatepost.store.learned import LearnedStore

    return LearnedStore(Path(settings.store.folder), settings.store.learned)


def make_lists(settings: Settings | None, resolver: Resolver) -> Lists | None:
    """The lists that the configuration names, and the house's own entries where they can be read."""
    if settings is None:
        return None
    from gatepost.reputation import Lists, LocalLists
    from gatepost.server.lists import read_local
    from gatepost.store.lists import ListStore

    folder, local = Path(settings.store.folder), LocalLists()
    if (folder / "lists.db").exists():
        store = ListStore.open(folder)
        try:
            local = read_local(store)
        finally:
            store.close()
    return Lists(settings.lists, resolver, local)


def make_fetcher(settings: Settings | None, resolver: Resolver) -> RedirectFetcher | None:
    """Who follows shortened links, where the configuration says so."""
    if settings is None or settings.inspector.links.follow_redirects == "never":
        return None
    from gatepost.inspector.links.seen import is_shortened
    from gatepost.net.fetch import RedirectFetcher

    return RedirectFetcher(resolver, settings.fetch, may_ask=is_shortened)


def make_locator(settings: Settings | None) -> Locator | None:
    """The files that know countries and networks, where the configuration names any."""
    if settings is None or not (settings.geo.file or settings.geo.network_file):
        return None
    from gatepost.net.geo import GeoLocator

    return GeoLocator(settings.geo)


def make_session(ip: str, ehlo: str) -> Session:
    """The session of `--ip` and `--ehlo`; the address in canonical form."""
    if not ip:
        return Session(ehlo_domain=ehlo)
    try:
        address = ip_address(ip)
    except ValueError:
        raise InputError("--ip", ip, "is no IP address; give one as 192.0.2.1 or 2001:db8::1") from None
    return Session(client_ip=str(address), ehlo_domain=ehlo, protocol="ESMTP")


def _read_zone(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            octets = file.read(MAX_ZONE + 1)
    except OSError as error:
        raise InputError("--zone", path, f"cannot be read: {error.strerror}") from None
    if len(octets) > MAX_ZONE:
        raise InputError("--zone", path, f"is over {MAX_ZONE >> 20} MB; this cannot be a zone for tests")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("--zone", path, f"is no text (octet {error.start}); give a master file") from None
