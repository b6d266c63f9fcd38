"""`gatepost queue list`: why each message waits, when it is tried next, what was said last; or a summary of it all.

In: filters, an order. Out: a block of lines a message, or a table by destination and age, as Postfix's qshape has it;
JSON of both. Not here: the queries (`store.spool.waiting`), changing anything (`queue_change`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.clock import clock, read_moment, span
from gatepost.cli.gate import gate_option, json_option
from gatepost.cli.spool import codes_of, open_room
from gatepost.cli.terminal import console, safe, visible

if TYPE_CHECKING:
    from gatepost.server.mailroom.room import MailRoom
    from gatepost.store.spool import Spooled, SpooledRecipient
    from gatepost.store.spool.waiting import Pile

ORDERS = ("oldest", "newest", "next", "largest")
Command = Callable[..., Any]
_FILTERS = (
    click.option("--from", "mail_from", metavar="TEXT", default="", help="Senders that contain TEXT."),
    click.option("--domain", metavar="NAME", default="", help="Recipients in this domain."),
    click.option("--older", metavar="TIME", help="Arrived before: 2h, 7d, 2026-11-24T12:00Z."),
    click.option("--since", metavar="TIME", help="Arrived not before."),
    click.option("--why", "reply", metavar="TEXT", default="", help="The last reply contains TEXT."),
)


def filter_options(command: Command) -> Command:
    """The options that say which mail is meant, as `list` and the commands that change have them."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.command("list")
@gate_option
@json_option
@filter_options
@click.option("--to", "rcpt_to", metavar="TEXT", default="", help="Recipients that contain TEXT.")
@click.option("--held", is_flag=True, help="Only what is held.")
@click.option("--code", metavar="CODE", default="", help="Decided by a code that begins so: auth.dmarc, malware.")
@click.option("--sort", "order", type=click.Choice(ORDERS), default="oldest", show_default=True, help="What is first.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="Messages at most.")
@click.option("--summary", is_flag=True, help="How much waits for each destination, by age in minutes.")
@click.option(
    "--by",
    type=click.Choice(["domain", "sender", "reply"]),
    default="domain",
    show_default=True,
    help="With --summary: by the recipients' domain, the senders' domain, or the last reply.",
)
def list_queue(
    config: Path,
    as_json: bool,
    order: str,
    limit: int,
    summary: bool,
    by: str,
    held: bool,
    code: str,
    mail_from: str,
    domain: str,
    older: str | None,
    since: str | None,
    reply: str,
    rcpt_to: str,
) -> None:
    """What waits: since when, for whom, what was said last, and when it is tried next."""
    from gatepost.store.spool import State
    from gatepost.store.spool.waiting import WAITING, Selection, piles, search

    selection = Selection(
        states=(State.HELD,) if held else WAITING,
        mail_from=mail_from,
        rcpt_to=rcpt_to,
        domain=domain,
        reply=reply,
        code=code,
        before=read_moment("--older", older),
        since=read_moment("--since", since),
    )
    now = time.time()
    with open_room(config) as room:
        if summary:
            found = piles(room.spool, selection, now, by)
            _print_summary(found, as_json, by, now, limit)
        else:
            _print_queue(search(room.spool, selection, order, limit), as_json, room, now)
        if not as_json:
            _say_where_delivery_is(room)


def _say_where_delivery_is(room: MailRoom) -> None:
    from gatepost.store.spool.owner import is_delivering

    if is_delivering(room.spool.folder) is False:
        click.echo("No gate is running here: nothing is tried until one is started.", err=True)


def _print_queue(found: Sequence[Spooled], as_json: bool, room: MailRoom, now: float) -> None:
    from gatepost.server.mailroom.view import queued_data

    destination = room.destination
    if as_json:
        for spooled in found:
            click.echo(json.dumps(queued_data(spooled, destination)))
        return
    if not found:
        click.echo("The queue is empty.")
        return
    for spooled in found:
        for line in block(spooled, destination, now):
            click.echo(line)
    copies = sum(1 for spooled in found for _ in spooled.in_state(*_waiting()))
    octets = sum(spooled.size for spooled in found)
    click.echo(f"messages: {len(found)}, copies: {copies}, octets: {octets}")


def _waiting() -> tuple[Any, ...]:
    from gatepost.store.spool.waiting import WAITING

    return WAITING


def block(spooled: Spooled, destination: Callable[[SpooledRecipient], str], now: float) -> Iterator[str]:
    """A message as lines: itself, then each copy that waits, where to, when next, and why."""
    sender = f"<{visible(spooled.envelope.mail_from)}>"
    age = span(now - spooled.received_at)
    yield f"{spooled.id}  {clock(spooled.received_at)}  {age} ago  {spooled.size} octets  from {sender}"
    for recipient in spooled.in_state(*_waiting()):
        where = destination(recipient)
        rerouted = " (rerouted)" if recipient.route else ""
        via = f" (for <{visible(recipient.recipient.via)}>)" if recipient.recipient.via else ""
        yield f"  to <{visible(recipient.address)}>{via} by {visible(where)}{rerouted}: {_when(recipient, now)}"
        yield f"     {why(spooled, recipient)}"


def _when(recipient: SpooledRecipient, now: float) -> str:
    tries = f"{recipient.attempts} {'try' if recipient.attempts == 1 else 'tries'}"
    if recipient.state.value == "held":
        return f"held, {tries}"
    if recipient.bounce:
        return "to be returned to the sender now"
    if recipient.next_try <= now:
        return f"queued, {tries}, next now"
    return f"queued, {tries}, next in {span(recipient.next_try - now)} ({clock(recipient.next_try)})"


def why(spooled: Spooled, recipient: SpooledRecipient) -> str:
    """Why a copy waits, in plain words."""
    from gatepost.server.mailroom.view import read_reason

    if recipient.bounce:
        return f"returned: {visible(recipient.bounce)}"
    if recipient.last_reply:
        said = f"{visible(recipient.last_relay)}: " if recipient.last_relay else ""
        tried = f" ({clock(recipient.last_try)})" if recipient.last_try else ""
        return f"{said}{visible(recipient.last_reply)}{tried}"
    codes = codes_of(read_reason(spooled))
    if recipient.state.value == "held":
        return f"held before it was tried{f': {visible(codes)}' if codes else ''}"
    return "not tried yet"


def _print_summary(found: Mapping[str, Pile], as_json: bool, by: str, now: float, limit: int) -> None:
    from gatepost.store.spool.waiting import AGES

    shown = list(found.items())[:limit]
    if as_json:
        for name, pile in shown:
            click.echo(json.dumps(_pile_data(by, name, pile)))
        return
    if not found:
        click.echo("The queue is empty.")
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(by, overflow="fold")
    for title in ("copies", "held", *(f"<{age}m" for age in AGES), f"{AGES[-1]}m+"):
        table.add_column(title, justify="right")
    table.add_column("next")
    table.add_column("last reply" if by != "reply" else "", overflow="fold")
    total = [sum(pile.ages[n] for pile in found.values()) for n in range(len(AGES) + 1)]
    copies, held = sum(pile.copies for pile in found.values()), sum(pile.held for pile in found.values())
    table.add_row("TOTAL", str(copies), str(held), *map(str, total), "", "")
    for name, pile in shown:
        reply = safe(pile.reply or "not tried yet") if by != "reply" else safe("")
        table.add_row(
            safe(name), str(pile.copies), str(pile.held), *map(str, pile.ages), _next(pile.next_try, now), reply
        )
    console().print(table)


def _next(next_try: float | None, now: float) -> str:
    if next_try is None:
        return "held"
    return "now" if next_try <= now else span(next_try - now)


def _pile_data(by: str, name: str, pile: Pile) -> dict[str, Any]:
    from gatepost.store.spool.waiting import AGES

    names = [*(f"under_{age}_minutes" for age in AGES), "older"]
    return {
        "by": by,
        "name": name,
        "copies": pile.copies,
        "held": pile.held,
        "ages": dict(zip(names, pile.ages, strict=True)),
        "oldest": pile.oldest,
        "next_try": pile.next_try,
        "last_reply": pile.reply,
    }
