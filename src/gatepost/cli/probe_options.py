"""The options of `gatepost probe`, and whether they make sense together.

In: what click read. Out: `Options`; InputError for what cannot be. Not here: the command (`probe`).
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import click

from gatepost.errors import InputError

Command = TypeVar("Command", bound=Callable[..., Any])
MAX_PASSWORD = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said."""

    hosts: tuple[str, ...]
    to: str
    domain: str
    sender: str
    outside: str
    send_outside: bool
    echo: str
    user: str
    password_file: str | None
    login: bool
    imap: str
    pop3: str
    name: str
    ca_file: str | None
    ehlo: str
    source: str
    spoken: str
    implicit_tls: bool
    public: bool
    address: tuple[str, ...]
    zone: str | None
    resolver: str | None
    only: tuple[str, ...]
    skip: tuple[str, ...]
    own: tuple[str, ...]
    slow: bool
    wait: float
    crowd: int
    rate: float
    at_once: int
    patience: float
    quiet: float
    deadline: float
    mail_wait: float


def target_options(command: Command) -> Command:
    """What is tested."""
    for option in (
        click.option("--as", "spoken", type=click.Choice(["smtp", "imap", "pop3"]), help="What is spoken at the port."),
        click.option("--tls", "implicit_tls", is_flag=True, help="TLS from the first octet, as at 465, 993 and 995."),
        click.option("--name", default="", metavar="HOST", help="The name its certificate should have, if not HOST."),
        click.option("--ca-file", metavar="FILE", help="PEM file of the authority that should vouch for it."),
        click.option("--resolve", "address", multiple=True, metavar="HOST=ADDR", help="Do not ask DNS for HOST."),
        click.option("--zone", metavar="FILE", help="Answer DNS from this master file, not from the network."),
        click.option("--resolver", metavar="ADDR[:PORT]", help="Ask this name server, or 'system'."),
        click.option(
            "--i-may-test-this-host", "public", is_flag=True,
            help="You may test it: needed for every address that is neither loopback nor private.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def mail_options(command: Command) -> Command:
    """What may be used."""
    for option in (
        click.option("--to", default="", metavar="ADDRESS", help="A mailbox there; mail is sent to it."),
        click.option("--domain", default="", metavar="NAME", help="A domain it takes mail for; else that of --to."),
        click.option("--from", "sender", default="", metavar="ADDRESS", help="Whom mail is from; else nobody (<>)."),
        click.option("--outside", default="", metavar="ADDRESS", help="A foreign address to try relaying to."),
        click.option("--send-outside", is_flag=True, help="Where it relays, really send a mail to --outside."),
        click.option("--echo", default="", metavar="ADDRESS", help="An address whose mail comes back to --to."),
        click.option("--user", default="", metavar="NAME", help="The account of --to."),
        click.option("--password-file", metavar="FILE", help="Its password, on the first line; '-' for stdin."),
        click.option("--login", is_flag=True, help="Log in as --user before handing in mail (ports 465 and 587)."),
        click.option("--imap", default="", metavar="HOST[:PORT]", help="Where to look for the mail in --to (TLS)."),
        click.option("--pop3", default="", metavar="HOST[:PORT]", help="The same, over POP3."),
        click.option("--mail-wait", default=60.0, show_default=True, help="Seconds to wait for mail to arrive."),
        click.option("--source", default="", metavar="ADDR", help="Come from this address of this machine."),
        click.option("--ehlo", default="", metavar="NAME", help="What to call ourselves in EHLO."),
    ):
        command = option(command)
    return command


def choice_options(command: Command) -> Command:
    """Which scenarios."""
    for option in (
        click.option("--only", multiple=True, metavar="NAME", help="Only this scenario, or group; may be repeated."),
        click.option("--skip", multiple=True, metavar="NAME", help="Not this scenario, or group; may be repeated."),
        click.option("--scenario", "own", multiple=True, metavar="FILE", help="Also scenarios of your own (TOML)."),
        click.option("--slow", is_flag=True, help="Also what takes minutes: idle and very slow sessions."),
        click.option("--list", "list_only", is_flag=True, help="List the scenarios; connect to nobody."),
    ):
        command = option(command)
    return command


def limit_options(command: Command) -> Command:
    """How fast, how long."""
    for option in (
        click.option("--rate", default=10.0, show_default=True, help="New connections a second."),
        click.option("--at-once", default=4, show_default=True, help="Connections at the same time."),
        click.option("--crowd", default=80, show_default=True, help="Connections for the test of their limit."),
        click.option("--patience", default=30.0, show_default=True, help="Seconds to wait for one reply."),
        click.option("--quiet", default=1.0, show_default=True, help="Seconds to listen for what must not come."),
        click.option("--wait", default=660.0, show_default=True, help="With --slow: seconds an idle session is kept."),
        click.option("--deadline", default=900.0, show_default=True, help="Seconds for all of one port (not --slow)."),
    ):
        command = option(command)
    return command


def check(options: Options) -> None:
    """Raises InputError for what cannot be used."""
    for name, address in (
        ("--to", options.to),
        ("--from", options.sender),
        ("--outside", options.outside),
        ("--echo", options.echo),
    ):
        if address and not _is_address(address):
            raise InputError(name, address, "is no address; give one as postmaster@example.org")
    for name, word in (("--domain", options.domain), ("--ehlo", options.ehlo), ("--name", options.name)):
        if word and (not word.isprintable() or " " in word or "@" in word):
            raise InputError(name, word, "is no host name")
    for name, number, least, most in (
        ("--rate", options.rate, 0.1, 1000.0),
        ("--at-once", options.at_once, 1, 64),
        ("--crowd", options.crowd, 2, 500),
        ("--patience", options.patience, 0.1, 600.0),
        ("--quiet", options.quiet, 0.1, 60.0),
        ("--wait", options.wait, 1.0, 3600.0),
        ("--deadline", options.deadline, 1.0, 86400.0),
        ("--mail-wait", options.mail_wait, 0.0, 3600.0),
    ):
        if not least <= number <= most:
            raise InputError(name, number, f"must be between {least:g} and {most:g}")
    if options.send_outside and not options.outside:
        raise InputError("--send-outside", "", "needs --outside ADDRESS, a mailbox of yours elsewhere")
    if (options.imap or options.pop3 or options.login) and not (options.user and options.password_file):
        raise InputError("--imap, --pop3, --login", "", "need --user NAME and --password-file FILE")
    if options.source:
        try:
            ip_address(options.source)
        except ValueError:
            raise InputError("--source", options.source, "is no IP address") from None
    if options.ca_file:
        try:
            ssl.create_default_context(cafile=options.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise InputError("--ca-file", options.ca_file, f"no PEM file of certificates: {error}") from None
    if options.imap and options.pop3:
        raise InputError("--pop3", options.pop3, "cannot be used together with --imap; leave one out")


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and text.isprintable() and not set(text) & set(" <>")


def read_password(path: str | None) -> str:
    """The first line of the file."""
    if path is None:
        return ""
    try:
        text = sys.stdin.readline(MAX_PASSWORD) if path == "-" else _first_line(Path(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("--password-file", path, f"cannot be read: {error}") from None
    if not text.strip("\r\n"):
        raise InputError("--password-file", path, "its first line is empty")
    return text.rstrip("\r\n")


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline(MAX_PASSWORD)
