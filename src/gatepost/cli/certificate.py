"""`gatepost certificate`: how the server's certificates stand, the first key, and a new one before its time.

In: the gate's configuration and store. Out: a page or JSON; a request that the running gate takes up within seconds.
Exit code 1 of `show`: one of them ends soon, or cannot be renewed; of `renew`: there is no new one.
Not here: renewing (`server.certificates`), what the world sees (`gatepost audit`).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatepost.cli.clock import clock
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.server.certificates.outlook import Standing

LOOK = 0.5  # seconds between two looks at whether the gate has done it


@click.group()
def command() -> None:
    """Show the server's certificates; renew one before its time."""


@command.command()
@gate_option
@json_option
def show(config: Path, as_json: bool) -> int:
    """Every certificate: names, how long it is good, when it is renewed, the TLSA records of its key and the next."""
    from gatepost.server.certificates.outlook import find_standings

    settings = read_gate(config)
    if not settings.tls.certificate:
        raise InputError("tls.certificate", "", "none is named; see [acme] or [tls] in docs/certificates.md")
    if settings.acme.names and not Path(settings.tls.certificate).exists():
        raise InputError(
            "acme.names", settings.acme.names[0], "there is no certificate yet; the gate gets it when it runs"
        )
    found = find_standings(settings, time.time())
    for one in found:
        click.echo(json.dumps(one.as_json()) if as_json else _page(one, settings))
    return int(any(one.trouble for one in found))


@command.command()
@gate_option
@json_option
def prepare(config: Path, as_json: bool) -> int:
    """Make the first key before the gate's first start with [acme], so that its TLSA record can be published first.

    Where TLSA records stand already, publish those that this prints beside them, wait for their TTL, then start the
    gate. Said again, it shows the same keys.
    """
    from gatepost.server.certificates.check import prepare_certificates
    from gatepost.server.certificates.outlook import find_standings
    from gatepost.server.certificates.tlsa import record_text, tlsa_names

    settings = read_gate(config)
    if not settings.acme.names:
        raise InputError("acme.names", "[]", "name what the certificate is for; without [acme] no key is made here")
    prepare_certificates(settings, None, time.time())
    one = find_standings(settings, time.time())[0]
    if as_json:
        click.echo(json.dumps(one.as_json()))
        return 0
    for name in tlsa_names(settings):
        for data in (one.key, one.next_key):
            click.echo(f"{name}. IN TLSA {record_text(data)}")
    return 0


@command.command()
@gate_option
@json_option
@click.option("--wait", type=click.IntRange(0, 3600), default=240, show_default=True, help="Seconds to wait for it.")
def renew(config: Path, as_json: bool, wait: int) -> int:
    """Have the running gate get a new certificate now.

    It takes the next key if DNS has shown its TLSA record for long enough, or if there are no TLSA records; else the
    new certificate is for the same key.
    """
    from gatepost.server.certificates.folder import CertificateFolder
    from gatepost.server.certificates.outlook import find_standings
    from gatepost.server.check import is_running

    settings = read_gate(config)
    if not settings.acme.names:
        raise InputError("acme.names", "[]", "the gate renews nothing; renew the files of [tls] as they were made")
    if not is_running(Path(settings.store.folder)):
        raise InputError("store.folder", settings.store.folder, "no gate runs with this store; start it, it renews")
    folder = CertificateFolder(settings.store.folder)
    before = folder.current()
    folder.ask()
    end = time.monotonic() + wait
    while folder.is_asked() and time.monotonic() < end:
        time.sleep(LOOK)
    after = folder.current()
    renewed = before is None or after is None or after.chain != before.chain
    one = find_standings(settings, time.time())[0]
    if as_json:
        click.echo(json.dumps(one.as_json()))
    elif renewed:
        click.echo(f"Renewed. The gate shows it within seconds.\n{_page(one, settings)}")
    else:
        click.echo(one.error or f"Not within {wait} seconds; the gate's log says how it goes on.", err=True)
    return int(not renewed)


def _page(one: Standing, settings: Settings) -> str:
    lines = [
        click.style(one.file, bold=True),
        f"  names    {', '.join(one.names)}",
        f"  issuer   {'self-signed, until an authority has given one' if one.self_signed else one.issuer}",
        f"  good     {clock(one.starts)} to {clock(one.ends)}",
        f"  TLSA     3 1 1 {one.key}",
    ]
    if not one.managed:
        lines.append("  renewal  by whoever makes the file; [acme] would do it here (docs/certificates.md)")
        return "\n".join(lines)
    seen = "DNS shows it, or has no TLSA records" if one.next_seen_since else "not in DNS yet"
    lines.append(f"  next     3 1 1 {one.next_key}   ({seen})")
    lines += [f"  before   3 1 1 {data}   (leave it in DNS)" for data in one.old_keys]
    lines.append(f"  renewal  {clock(one.due or 0.0)}: {one.why}")
    if one.error:
        again = f"; next try {clock(one.retry_at)}" if one.retry_at else ""
        lines.append(click.style(f"  TROUBLE  {one.error} ({one.failures} failures{again})", fg="red"))
    if settings.acme.tlsa == "watch":
        lines.append("  TLSA records are yours to publish: `gatepost records print DOMAIN` has them")
    return "\n".join(lines)
