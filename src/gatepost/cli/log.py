"""`gatepost log`: what happened to a message, found by id, sender, recipient or time.

In: what is known of the message. Out: each message found with verdict, findings and every delivery tried.
Not here: the log lines on stderr (`server.logs`), which hold the same in another form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gatepost.cli.clock import clock, read_moment
from gatepost.cli.gate import gate_option, read_gate
from gatepost.cli.terminal import visible
from gatepost.errors import InputError
from gatepost.finding import Severity
from gatepost.store.journal import Attempt, Entry, Journal

ACTIONS = ("accept", "tag", "quarantine", "reject", "defer", "refuse-recipient")


@click.command()
@gate_option
@click.argument("message_id", required=False, metavar="[ID]")
@click.option("--from", "mail_from", metavar="TEXT", help="Senders that contain TEXT.")
@click.option("--to", "rcpt_to", metavar="TEXT", help="Recipients that contain TEXT.")
@click.option("--since", metavar="TIME", help="Not before: 2h, 7d, 2026-11-24T12:00Z, seconds since 1970.")
@click.option("--until", metavar="TIME", help="Before that time.")
@click.option("--action", type=click.Choice(ACTIONS), metavar="WORD", help=f"One of {', '.join(ACTIONS)}.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="Messages at most, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
def command(
    config: Path,
    message_id: str | None,
    mail_from: str | None,
    rcpt_to: str | None,
    since: str | None,
    until: str | None,
    action: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """Find what happened to a message.

    ID is the one in replies, log lines and Received fields, or a Message-ID. Exit code 1: nothing was found.
    """
    settings = read_gate(config)
    folder = Path(settings.store.folder)
    if not (folder / "journal.db").exists():
        raise InputError("store.folder", folder, "holds no journal yet; has the gate been started with this file?")
    journal = Journal.open(folder, settings.store.journal)
    try:
        entries = journal.search(
            message_id=message_id,
            mail_from=mail_from,
            rcpt_to=rcpt_to,
            since=read_moment("--since", since),
            until=read_moment("--until", until),
            action=action,
            limit=limit,
        )
        found = [(entry, journal.attempts(entry.id) if entry.id else []) for entry in entries]
    finally:
        journal.close()
    for entry, attempts in found:
        click.echo(json.dumps(as_data(entry, attempts)) if as_json else as_text(entry, attempts))
    if not found and not as_json:
        click.echo("Nothing was found.", err=True)
    return 0 if found else 1


def as_data(entry: Entry, attempts: list[Attempt]) -> dict[str, Any]:
    """One message as JSON values; the schema is docs/schema/log.json."""
    return {
        "id": entry.id,
        "at": entry.at,
        "client_ip": entry.client_ip,
        "ehlo_domain": entry.ehlo_domain,
        "mail_from": entry.mail_from,
        "recipients": list(entry.recipients),
        "message_id": entry.message_id,
        "subject": entry.subject,
        "size": entry.size,
        "action": entry.action,
        "score": entry.score,
        "decided_by": list(entry.decided_by),
        "reply": entry.reply,
        "findings": [finding.as_json() for finding in entry.findings],
        "deliveries": [
            {
                "at": attempt.at,
                "rcpt_to": attempt.rcpt_to,
                "status": attempt.status,
                "relay": attempt.relay,
                "code": attempt.code,
                "text": attempt.text,
                "delay": attempt.delay,
            }
            for attempt in attempts
        ],
    }


def as_text(entry: Entry, attempts: list[Attempt]) -> str:
    """One message for a person."""
    lines = [
        f"{clock(entry.at)}  {entry.action.upper()}  {entry.id}".rstrip(),
        f"  from <{visible(entry.mail_from)}> at {visible(entry.client_ip)} ({visible(entry.ehlo_domain)})",
        f"  to {visible(', '.join(entry.recipients))}",
    ]
    if entry.message_id:
        lines.append(f"  {visible(entry.message_id)}  {entry.size} octets  {visible(entry.subject)!r}")
    lines.append(f"  answered: {visible(entry.reply)}")
    if entry.decided_by:
        lines.append(f"  decided by: {', '.join(entry.decided_by)} (score {entry.score:g})")
    lines += [
        f"  {finding.severity.value:8} {finding.code}: {visible(finding.summary)}"
        for finding in entry.findings
        if finding.severity.rank >= Severity.NOTICE.rank
    ]
    lines += [_told(attempt) for attempt in attempts]
    return "\n".join(lines) + "\n"


def _told(attempt: Attempt) -> str:
    """A delivery that was tried; or, where there is no relay, what was done without one."""
    when, whom = clock(attempt.at), visible(attempt.rcpt_to)
    if attempt.status == "expired":
        return f"  {when}  expired for <{whom}>: {visible(attempt.text)}"
    if not attempt.relay:
        return f"  {when}  {attempt.status} for <{whom}> by {visible(attempt.text)}"
    return f"  {when}  {attempt.status} to <{whom}> by {visible(attempt.relay)}: {attempt.code} {visible(attempt.text)}"
