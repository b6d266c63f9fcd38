"""`gatepost user`: accounts of the embedded directory, and what holds for the accounts of any.

In: addresses; passwords from a prompt or standard input, never as an argument, where everybody on the machine reads
them. Out: a line or a table, or JSON; a running gate sees the change within a second, without a reload.
Not here: `app-password` and `certificate` (`user_credentials`); `suspend` to `limits` (`user_rights`).
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.user_credentials import app_password, certificate
from gatepost.cli.user_rights import bulk, delegate, limits, resume, suspend, undelegate
from gatepost.cli.user_store import (
    account_argument,
    address_of,
    ask_password,
    is_elsewhere,
    opened,
    prompt_option,
    say_changed,
    say_each,
    say_password,
    stdin_option,
)
from gatepost.errors import InputError

COLUMNS = {
    "account": "account",
    "state": "state",
    "scram": "scram",
    "app_passwords": "app passwords",
    "certificates": "certificates",
    "bulk": "bulk",
    "password_set_at": "password set",
}
DETAILS = {
    **COLUMNS,
    "suspended_since": "since",
    "suspended_for": "because",
    "senders": "writes as",
    "limits": "limits",
}


@click.group()
def command() -> None:
    """Add, list, change and check accounts."""


for one in (suspend, resume, delegate, undelegate, bulk, limits, app_password, certificate):
    command.add_command(one)


@command.command()
@gate_option
@json_option
@prompt_option
@stdin_option
@account_argument
def add(config: Path, as_json: bool, prompt: bool, from_stdin: bool, account: str) -> None:
    """Make an account. Its password is drawn and printed once, unless you give one."""
    from gatepost.store.accounts import random_password

    settings = read_gate(config)
    if is_elsewhere(settings):
        raise InputError("directory.kind", settings.directory.kind, "accounts are made in that directory, not here")
    address = address_of(settings, account)
    domain = address.rpartition("@")[2]
    if domain not in _domains(tuple(settings.domains)):
        raise InputError(
            "ACCOUNT", account, f"{domain} is no domain of this gate; they are {', '.join(settings.domains)}"
        )
    given = ask_password(prompt, from_stdin)
    drawn = random_password() if given is None else None
    with opened(settings) as accounts:
        accounts.add(address, given if given is not None else str(drawn), time.time())
    say_password(address, drawn, as_json, "added")


@command.command("list")
@gate_option
@json_option
def list_(config: Path, as_json: bool) -> None:
    """Every account: its state, and what it may log in with."""
    with opened(read_gate(config)) as accounts:
        found = accounts.all()
    say_each(found, as_json, COLUMNS, "There are no accounts; `gatepost user add` makes one.")


@command.command()
@gate_option
@json_option
@account_argument
def show(config: Path, as_json: bool, account: str) -> None:
    """One account: also since when and why it is suspended, whom it may write as, its limits."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        found = accounts.show(address_of(settings, account))
    if as_json:
        say_each([found], True, {}, "")
        return
    for name, value in _lines(found.as_json()):
        click.echo(f"{name:<15}{value}")


@command.command()
@gate_option
@json_option
@prompt_option
@stdin_option
@account_argument
def passwd(config: Path, as_json: bool, prompt: bool, from_stdin: bool, account: str) -> None:
    """Set a new password: drawn and printed once, unless you give one. App passwords stay."""
    from gatepost.store.accounts import random_password

    settings = read_gate(config)
    given = ask_password(prompt, from_stdin)
    drawn = random_password() if given is None else None
    with opened(settings) as accounts:
        address = address_of(settings, account)
        accounts.set_password(address, given if given is not None else str(drawn), time.time())
    say_password(address, drawn, as_json, "has a new password")


@command.command()
@gate_option
@json_option
@account_argument
def remove(config: Path, as_json: bool, account: str) -> int:
    """Delete an account with its app passwords, certificates and rights. Its mail stays on the disk."""
    settings = read_gate(config)
    address = address_of(settings, account)
    with opened(settings) as accounts:
        accounts.remove(address)
    return say_changed(address, True, as_json, "removed; its mail stays", "")


@command.command()
@gate_option
@json_option
@click.option(
    "--guesses", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Passwords to try on each."
)
@click.option(
    "--seconds",
    default=600,
    show_default=True,
    type=click.IntRange(1, 604_800),
    help="How long it may take; each guess takes some 50 ms.",
)
@click.argument("account", metavar="[ACCOUNT]", required=False, default="")
def audit(config: Path, as_json: bool, guesses: int, seconds: int, account: str) -> int:
    """Try the likeliest passwords on every account, or on one. Exit code 1 when some were guessed."""
    import json
    from datetime import UTC, datetime

    from gatepost.cli.progress import progress
    from gatepost.store.accounts.audit import audit as search

    settings = read_gate(config)
    only = address_of(settings, account) if account else ""
    with opened(settings) as accounts:
        if only:
            accounts.book.require(only)
        total, end = (1 if only else len(accounts.addresses())) * guesses, time.monotonic() + seconds
        with progress(total, "guessing", octets=False) as advance:
            found = search(
                accounts,
                only=only,
                guesses=guesses,
                year=datetime.now(UTC).year,
                is_over=lambda: time.monotonic() > end,
                progress=advance,
            )
    if as_json:
        click.echo(json.dumps(found.as_json()))
        return 1 if found.weak else 0
    for weak in found.weak:
        what = "one of the most common" if weak.kind == "common" else "made of its own name"
        click.echo(
            f"{weak.account}: its password is {what} (guess {weak.guess}); set another with `gatepost user passwd`"
        )
    cut = "" if found.guesses >= found.wanted else f" of {found.wanted}; give it more --seconds for the rest"
    click.echo(f"{found.accounts} accounts, {len(found.weak)} guessed, {found.guesses} guesses each{cut}")
    return 1 if found.weak else 0


def _domains(names: tuple[str, ...]) -> set[str]:
    from gatepost.store.accounts.names import prepare_domain

    return {prepare_domain(name) for name in names}


def _lines(found: dict[str, object]) -> list[tuple[str, str]]:
    from gatepost.cli.terminal import visible
    from gatepost.cli.user_store import shown

    lines = [(title, visible(shown(name, found[name]))) for name, title in DETAILS.items()]
    return [(title, value) for title, value in lines if value not in ("", "never")]
