"""`gatepost lists add | remove | show`: the house's own entries.

In: addresses, networks, domains, senders, URLs. Out: entries in the store, in force in running gates within seconds.
Not here: matching them (`reputation.local`), the lists of the world (`lists`).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.clock import clock, read_moment
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.spool import administrator
from gatepost.cli.terminal import console, safe, visible
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.store.lists import ListStore, StoredEntry

NEVER = "never"
MOST = 100 * 365 * 86400.0  # seconds an entry may last; longer is for ever


@click.command()
@gate_option
@json_option
@click.option("--expires", default=NEVER, show_default=True, metavar="TIME", help="How long: 12h, 30d, never.")
@click.option("--comment", default="", metavar="TEXT", help="Why; shown in findings and lists.")
@click.option(
    "--action",
    type=click.Choice(("reject", "quarantine", "tag")),
    default="reject",
    show_default=True,
    help="What a block leads to.",
)
@click.argument("verdict", type=click.Choice(("block", "allow")), metavar="block|allow")
@click.argument("values", nargs=-1, required=True, metavar="IP|NETWORK|DOMAIN|SENDER|URL...")
def add(
    config: Path, verdict: str, values: tuple[str, ...], expires: str, comment: str, action: str, as_json: bool
) -> None:
    """Block or allow addresses, networks, domains (with all below them), senders, or URLs in links.

    A block decides alone. An allow speaks for mail whose author's domain is proven, and for nobody else. What stood
    for the same value before is replaced; running gates follow within seconds.
    """
    from gatepost.reputation.local import parse_value
    from gatepost.store.lists import MAX_COMMENT, StoredEntry

    now = time.time()
    until = _until(expires, now)
    if len(comment) > MAX_COMMENT or not comment.isprintable():
        raise InputError("--comment", comment, f"give one line of at most {MAX_COMMENT} characters")
    parsed = [parse_value(value) for value in values]
    with opened(read_gate(config)) as store:
        for kind, value in parsed:
            entry = StoredEntry(
                kind=kind.value,
                value=value,
                verdict=verdict,
                action=action,
                expires=until,
                comment=comment,
                added_at=now,
                added_by=administrator(),
            )
            before = store.add(entry)
            _say(entry, as_json, "replaced" if before is not None else "added")


@click.command()
@gate_option
@json_option
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
def remove(config: Path, values: tuple[str, ...], as_json: bool) -> None:
    """Take entries back."""
    from gatepost.reputation.local import parse_value

    parsed = [parse_value(value) for value in values]
    with opened(read_gate(config)) as store:
        for kind, value in parsed:
            _say(store.remove(kind.value, value), as_json, "removed")


@click.command()
@gate_option
@json_option
@click.argument("word", required=False)
def show(config: Path, word: str | None, as_json: bool) -> None:
    """Our own entries, all or those that contain WORD."""
    settings, now = read_gate(config), time.time()
    found: list[StoredEntry] = []
    if database(settings).exists():
        with opened(settings) as store:
            found = [entry for entry in store.entries() if word is None or word.lower() in entry.value]
    if as_json:
        for entry in found:
            click.echo(json.dumps(entry_data(entry)))
    elif found:
        names = ("verdict", "what", "value", "action", "until", "by", "comment")
        print_table(names, [_entry_row(entry, now) for entry in found])
    else:
        click.echo("Nothing is blocked or allowed here." if word is None else "No entry contains that.")


def entry_data(entry: StoredEntry) -> dict[str, Any]:
    """An entry as JSON values; the schema is docs/schema/lists-entry.json."""
    return {
        "verdict": entry.verdict,
        "kind": entry.kind,
        "value": entry.value,
        "action": entry.action if entry.verdict == "block" else None,
        "expires": entry.expires,
        "comment": entry.comment,
        "added_at": entry.added_at,
        "added_by": entry.added_by,
    }


def _entry_row(entry: StoredEntry, now: float) -> tuple[str, ...]:
    until = "" if entry.expires is None else "over" if entry.expires <= now else clock(entry.expires)
    action = entry.action if entry.verdict == "block" else ""
    return (entry.verdict, entry.kind, entry.value, action, until, entry.added_by, entry.comment)


def _say(entry: StoredEntry, as_json: bool, done: str) -> None:
    if as_json:
        click.echo(json.dumps({**entry_data(entry), "done": done}))
    else:
        click.echo(f"{entry.verdict} {entry.kind} {visible(entry.value)}: {done}")


def _until(text: str, now: float) -> float | None:
    if text == NEVER:
        return None
    ago = read_moment("--expires", text) if text[-1:] in "smhd" else None
    if ago is None or not 0 < now - ago <= MOST:
        raise InputError("--expires", text, "is no time; write 12h, 30d or never")
    return 2 * now - ago


def print_table(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Rows for people."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(safe(cell) for cell in row))
    console().print(table)


def database(settings: Settings) -> Path:
    """The file of own entries and states."""
    return Path(settings.store.folder) / "lists.db"


@contextmanager
def opened(settings: Settings) -> Iterator[ListStore]:
    """The store of lists, closed afterwards."""
    from gatepost.store.lists import ListStore

    folder = Path(settings.store.folder)
    if not folder.is_dir():
        raise InputError("store.folder", folder, "is not there; has the gate been started with this file?")
    fresh = not database(settings).exists()
    store = ListStore.open(folder)
    try:
        if fresh and os.geteuid() == 0:  # the gate itself is not root, and must read it
            owner = folder.stat()
            os.chown(store.path, owner.st_uid, owner.st_gid)
        yield store
    finally:
        store.close()
