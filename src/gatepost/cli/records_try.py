"""`gatepost records try`: what would change if a record stood in DNS, before it does.

In: a domain, records as texts or master-file lines, where DNS answers come from. Out: the findings of the audit that
would come, go, become worse or better. Nothing is published, no mail server is connected to.
Exit code 1: a finding at or above --fail-on would be new or worse. Not here: the audit (`api_audit`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.audit.records import quote_text
from gatepost.cli.gate import json_option
from gatepost.cli.options import config_option, dns_options, fail_on_option, make_resolver, now_option, read_settings
from gatepost.cli.terminal import visible
from gatepost.errors import InputError
from gatepost.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatepost.audit.compare import Changes
    from gatepost.ports import Resolver

MAX_RECORDS = 100
_PLACES = {"v=spf1": "", "v=dmarc1": "_dmarc.", "v=stsv1": "_mta-sts.", "v=tlsrptv1": "_smtp._tls."}
_LINE = re.compile(r"\S+\s+(?:\d+\s+)?(?:IN\s+)?[A-Z][A-Z0-9]{0,9}\s+\S", re.IGNORECASE)


@click.command("try")
@config_option
@dns_options
@now_option
@fail_on_option
@json_option
@click.option("--file", "source", metavar="FILE", help="Records to try, as a master file.")
@click.argument("domain")
@click.argument("records", nargs=-1, metavar="[RECORD...]")
def try_(
    config: str | None,
    now: str | None,
    fail_on: str,
    as_json: bool,
    source: str | None,
    domain: str,
    records: tuple[str, ...],
    **dns: Any,
) -> int:
    """What would change for DOMAIN if RECORD stood in DNS: "v=spf1 ...", "v=DMARC1; ...", or "NAME TYPE DATA".

    A record hides what stands at its name and type now; everything else is asked of DNS, or of --zone.
    """
    from gatepost.api_audit import read_domain
    from gatepost.cli.clock import read_now

    if not records and source is None:
        raise InputError("RECORD", "none", 'give one, as "v=spf1 mx -all", or a master file with --file')
    name = read_domain(domain)
    settings = read_settings(config)
    resolver = make_resolver(dns["zone"], dns["resolver"], dns["dns_timeout"], dns["dns_fail"], settings)
    text = "".join(f"{line}\n" for line in [line_of(record, name) for record in records])
    if source is not None:
        text += _read(source)
    changes, after = asyncio.run(_compare(name, text, resolver, read_now(now)))
    if as_json:
        click.echo(json.dumps({"domain": name, "tried": text.splitlines(), **changes.as_json()}))
    else:
        _print(changes, after)
    return int(fail_on != "never" and changes.gravest >= Severity(fail_on).rank)


def line_of(record: str, domain: str) -> str:
    """The master-file line of a record: where a text belongs is known by how it begins. Raises InputError."""
    begin = record.strip().split(maxsplit=1)[0].lower().rstrip(";") if record.strip() else ""
    if begin in _PLACES:
        return f"{_PLACES[begin]}{domain}. TXT {quote_text(record.strip())}"
    if not _LINE.match(record) or "\n" in record or "\r" in record or record[0].isspace():
        raise InputError("RECORD", record, 'write it as "v=spf1 ...", "v=DMARC1; ..." or "name.example.org. TXT data"')
    name, rest = record.split(maxsplit=1)
    return f"{name if name.endswith('.') else f'{name}.'} {rest}"


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            octets = file.read((1 << 20) + 1)
    except OSError as error:
        raise InputError("--file", path, f"cannot be read: {error.strerror}") from None
    if len(octets) > 1 << 20:
        raise InputError("--file", path, "is over 1 MB; give only the records to try")
    return octets.decode("utf-8", "replace")


async def _compare(domain: str, text: str, resolver: Resolver, now: float) -> tuple[Changes, Mapping[str, Any]]:
    """The audit as it is, and as it would be."""
    from gatepost.api_audit import audit_domain
    from gatepost.audit.compare import compare
    from gatepost.audit.settings import AuditSettings
    from gatepost.net.overlay import OverlayResolver

    tried = OverlayResolver(text, resolver)
    settings = dataclasses.replace(AuditSettings(), ports=False, lookalikes=0)
    before = (await audit_domain(domain, resolver=resolver, settings=settings, now=now)).as_json()
    after = (await audit_domain(domain, resolver=tried, settings=settings, now=now)).as_json()
    return compare(before, after), after


def _print(changes: Changes, after: Mapping[str, Any]) -> None:
    for name, (old, new) in (changes.records or {}).items():
        click.echo(visible(name))
        for mark, texts in (("-", old), ("+", new)):
            for text in texts:
                click.echo(f"  {mark} {visible(text, 2000)}")
    for title, findings in (
        ("Would be new", changes.new),
        ("Would be worse", changes.worse),
        ("Would be better", changes.better),
        ("Would be gone", changes.gone),
    ):
        if findings:
            click.echo(f"\n{title}:")
        for one in findings:
            click.echo(f"  {one['severity']:<8} {one['code']}: {visible(str(one['summary']), 400)}")
            if one["remedy"] and title in ("Would be new", "Would be worse"):
                click.echo(f"           do: {visible(str(one['remedy']), 400)}")
    old_grade, new_grade = changes.grade
    if changes.is_empty:
        click.echo("Nothing would change for the audit.")
    click.echo(f"\nGrade (of what DNS tells): {old_grade} now, {new_grade} then.")
