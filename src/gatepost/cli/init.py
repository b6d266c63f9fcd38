"""`gatepost init DOMAIN`: from nothing to a gate that can be started, with the DNS records to publish.

In: a domain, a folder. Out: gatepost.toml with comments, keys and certificates (0600), the first account with a random
password (printed once, kept as argon2id), the records on the terminal and in dns-records.txt.
Standard: RFC 7208 §3, RFC 6376 §3.6, RFC 9989 §4 (records). Not here: publishing them, ACME, rotation.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import click

from gatepost.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the person chose, checked. `domain` and `hostname` are A-labels in lower case; `store` is taken from
    `folder` unless it is absolute."""

    domain: str
    hostname: str
    account: str
    folder: Path
    store: str = "data"


@click.command()
@click.argument("domain")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to write. Default: here."
)
@click.option("--hostname", default="", metavar="NAME", help="The mail server's name. Default: mail.DOMAIN.")
@click.option(
    "--account", default="postmaster", metavar="NAME", show_default=True, help="The first account's local part."
)
@click.option(
    "--store", default="data", metavar="DIR", help="Where mail and accounts are kept. Default: data in the folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def command(domain: str, folder: Path, hostname: str, account: str, store: str, as_json: bool) -> int:
    """Write gatepost.toml, keys and the first account for DOMAIN, and print the DNS records to publish.

    Nothing that is there is overwritten.
    """
    from gatepost.cli.first import make_gate

    made = make_gate(check_choice(domain, hostname, account, folder, store), now=time.time())
    if as_json:
        click.echo(json.dumps(made.as_json()))
        return 0
    click.echo(f"Written: {', '.join(str(path) for path in made.files)}\n")
    click.echo(f"First account: {made.account}\nIts password:  {made.password}   (shown only now)\n")
    click.echo("Publish these records (they are in dns-records.txt too):\n")
    for record in made.records:
        click.echo(f"; {record.why}\n{record.text}\n")
    click.echo(f"Then: gatepost serve --check --config {made.config}\n      gatepost serve --config {made.config}")
    return 0


def check_choice(domain: str, hostname: str, account: str, folder: Path, store: str = "data") -> Chosen:
    """The choice with names checked. Raises InputError."""
    ascii_domain = _host("DOMAIN", domain)
    local = account.rpartition("@")[0] or account
    if not local or not local.isascii() or any(c in ' "<>@\\,;:()[]' or not c.isprintable() for c in local):
        raise InputError("--account", account, "take a plain local part, as in --account ann")
    name = _host("--hostname", hostname) if hostname else f"mail.{ascii_domain}"
    if not store or not store.isprintable() or '"' in store or "\\" in store:
        raise InputError("--store", store, "name a folder, as /var/lib/gatepost")
    account = f"{local.lower()}@{ascii_domain}"
    return Chosen(domain=ascii_domain, hostname=name, account=account, folder=folder, store=store)


def _host(field: str, text: str) -> str:
    """`text` as a host name of at least two labels, in A-labels."""
    import idna

    try:
        name = idna.encode(text.strip().rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise InputError(field, text, f"is no domain name ({error}); write it as example.org") from None
    if "." not in name or name.replace(".", "").isdecimal():
        raise InputError(field, text, "is no domain name of a mail domain; write it as example.org")
    return name
