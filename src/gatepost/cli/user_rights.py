"""`gatepost user suspend | resume | delegate | undelegate | bulk | limits`: what an account may do.

In: an account, embedded or of another directory. Out: what was changed. Standard: RFC 8058 (bulk).
Not here: what follows from it when mail is handed in (`server.submission`).
"""

from __future__ import annotations

import getpass
import json
import time
from pathlib import Path

import click

from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.user_store import account_argument, known, opened, say_changed
from gatepost.errors import InputError

DEFAULT = "default"


@click.command()
@gate_option
@json_option
@click.option("--reason", default="by hand", metavar="TEXT", help="Why; shown by `user show` and in the log.")
@account_argument
def suspend(config: Path, as_json: bool, reason: str, account: str) -> int:
    """Let nobody log in or send as ACCOUNT, until `resume`. Mail to it is still taken; its own that waits is held."""
    from gatepost.server.submission.suspension import hold_mail

    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        now = time.time()
        changed = accounts.rights.suspend(address, f"{reason} ({getpass.getuser()})", now)
        held = hold_mail(settings, address, now)
    done = f"suspended; {held} of its mails that had not left are held" if held else "suspended"
    return say_changed(address, changed, as_json, done, "was suspended already")


@click.command()
@gate_option
@json_option
@account_argument
def resume(config: Path, as_json: bool, account: str) -> int:
    """Lift a suspension, by hand or by a burst of mail; its mail that was held goes on, its counts begin anew."""
    from gatepost.server.submission.suspension import resume_account

    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        changed, freed = resume_account(settings, accounts.rights, address, time.time())
    done = f"may log in and send again; {freed} of its mails go on" if freed else "may log in and send again"
    return say_changed(address, changed, as_json, done, "was not suspended")


@click.command()
@gate_option
@json_option
@account_argument
@click.argument("sender", metavar="ADDRESS|@DOMAIN")
def delegate(config: Path, as_json: bool, account: str, sender: str) -> int:
    """Let ACCOUNT write as another address, or as any of a domain."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        changed = accounts.rights.delegate(address, sender, time.time())
    return say_changed(address, changed, as_json, f"may write as {sender}", f"could write as {sender} already")


@click.command()
@gate_option
@json_option
@account_argument
@click.argument("sender", metavar="ADDRESS|@DOMAIN")
def undelegate(config: Path, as_json: bool, account: str, sender: str) -> int:
    """Take a delegation away."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        changed = accounts.rights.undelegate(address, sender)
    return say_changed(address, changed, as_json, f"may no longer write as {sender}", f"could not write as {sender}")


@click.command()
@gate_option
@json_option
@account_argument
@click.argument("wanted", type=click.Choice(["on", "off"]), metavar="on|off")
def bulk(config: Path, as_json: bool, account: str, wanted: str) -> int:
    """Mark ACCOUNT as one that writes to lists of people: its mail gets one-click unsubscribing (RFC 8058)."""
    settings = read_gate(config)
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        changed = accounts.rights.standing(address).is_bulk is not (wanted == "on")
        if changed:
            accounts.rights.set_bulk(address, wanted == "on")
    done = "sends in bulk" if wanted == "on" else "does not send in bulk"
    return say_changed(address, changed, as_json, done, f"{done}, as before")


@click.command()
@gate_option
@json_option
@account_argument
@click.argument("changes", nargs=-1, metavar="[LIMIT=NUMBER|LIMIT=default]...")
def limits(config: Path, as_json: bool, account: str, changes: tuple[str, ...]) -> None:
    """Show or set the limits of ACCOUNT that differ from the gate's: messages_per_hour, messages_per_day,
    recipients_per_hour, recipients_per_day, new_recipients_per_hour, new_recipients_per_day,
    bad_messages_per_day. 0 is no limit."""
    settings = read_gate(config)
    wanted = [_parsed(change) for change in changes]
    with opened(settings) as accounts:
        address = known(settings, accounts, account)
        for name, most in wanted:
            accounts.rights.set_limit(address, name, most)
        found = accounts.rights.standing(address)
    if as_json:
        click.echo(json.dumps({"account": address, "limits": dict(found.limits)}))
        return
    for name, number in found.limits.items():
        click.echo(f"{address}: {name} {number or 'without limit'}")
    if not found.limits:
        click.echo(f"{address}: the gate's own limits")


def _parsed(change: str) -> tuple[str, int | None]:
    name, _, number = change.partition("=")
    if number == DEFAULT:
        return name, None
    if not number.isascii() or not number.isdecimal() or len(number) > 10:
        raise InputError("LIMIT", change, "write it as messages_per_day=500, or messages_per_day=default")
    return name, int(number)
