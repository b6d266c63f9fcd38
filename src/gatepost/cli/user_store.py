"""What all `gatepost user` commands share: the open accounts, addresses as people write them, how answers are printed.

In: the gate's settings, arguments. Out: `Accounts`, prepared addresses, passwords from a prompt or standard input.
Not here: the commands (`user`, `user_credentials`, `user_rights`).
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.store.accounts import Accounts

MAX_LINE = 4096  # characters of a password on standard input; more is no password

account_argument = click.argument("account", metavar="ACCOUNT")
prompt_option = click.option("--prompt", is_flag=True, help="Ask for the password, twice.")
stdin_option = click.option(
    "--stdin", "from_stdin", is_flag=True, help="Read the password, the first line, from standard input."
)


@contextmanager
def opened(settings: Settings) -> Iterator[Accounts]:
    """The accounts, closed afterwards."""
    from gatepost.store.accounts import Accounts

    folder = Path(settings.store.folder)
    if not folder.is_dir():
        raise InputError("store.folder", folder, "is not there; `gatepost init DOMAIN` makes one")
    accounts = Accounts.open(folder)
    try:
        yield accounts
    finally:
        accounts.close()


def address_of(settings: Settings, account: str) -> str:
    """`account` as an address; a local part alone is of the gate's only domain. Raises InputError."""
    from gatepost.store.accounts import prepare_address

    if "@" in account:
        return prepare_address(account, "ACCOUNT")
    if len(settings.domains) != 1:
        raise InputError("ACCOUNT", account, "write the whole address, as ann@example.org")
    return prepare_address(f"{account}@{next(iter(settings.domains))}", "ACCOUNT")


def known(settings: Settings, accounts: Accounts, account: str) -> str:
    """The address of an account that exists, as far as we can see: another directory's accounts are taken on trust."""
    address = address_of(settings, account)
    if not is_elsewhere(settings):
        accounts.book.require(address)
    return address


def is_elsewhere(settings: Settings) -> bool:
    """Whether accounts are kept in another directory."""
    return settings.directory.kind != "embedded"


def ask_password(prompt: bool, from_stdin: bool) -> str | None:
    """The password that a person gives, None where one is to be drawn. Raises InputError."""
    if prompt and from_stdin:
        raise InputError("--stdin", "with --prompt", "choose one of the two")
    if from_stdin:
        line = sys.stdin.readline(MAX_LINE)
        return line.rstrip("\r\n")
    if not prompt:
        return None
    if not sys.stdin.isatty():
        raise InputError("--prompt", "no terminal", "use --stdin, and pipe the password in")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise InputError("password", "(not shown)", "was not the same twice")
    return first


def say_changed(account: str, changed: bool, as_json: bool, done: str, already: str) -> int:
    """Prints what became of one account; the exit code is 1 when there was nothing to do."""
    if as_json:
        click.echo(json.dumps({"changed": {account: int(changed)}}))
    else:
        click.echo(f"{account}: {done if changed else already}")
    return 0 if changed else 1


def say_password(account: str, password: str | None, as_json: bool, done: str) -> None:
    """Prints a password that was drawn, now and never again; None: the person knows it."""
    if as_json:
        click.echo(json.dumps({"account": account, "password": password}))
    elif password is None:
        click.echo(f"{account}: {done}")
    else:
        click.echo(f"{account}: {done}\nIts password: {password}   (shown only now)")


def say_each(found: list[Any], as_json: bool, columns: dict[str, str], nothing: str) -> None:
    """Prints values that know `as_json`, one object a line, or the named columns of them as a table."""
    rows = [one.as_json() for one in found]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    if not rows:
        click.echo(nothing)
        return
    from rich.table import Table

    from gatepost.cli.terminal import console, safe

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in columns.values():
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(safe(shown(name, row[name])) for name in columns))
    console().print(table)


def shown(name: str, value: Any) -> str:
    """A value of a JSON object for people."""
    from gatepost.cli.clock import clock

    if name.endswith(("_at", "_since", "last_used")):
        return clock(value) if value is not None else "never"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{key}={number}" for key, number in value.items())
    return str(value)
