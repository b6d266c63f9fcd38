"""`gatepost learn`: teaches the classifier what is ham, spam or phish here, and lets it forget.

In: messages as `gatepost inspect` takes them (.eml, mbox, Maildir, standard input). Out: how many were news; what is
remembered. The gate's workers know with the next message they judge. Standard: none.
Not here: what is learnt of a message (`server.learning`), where it is kept (`store.learned`), held mail
(`quarantine learn`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterable
from pathlib import Path

import click

from gatepost.cli.clock import clock
from gatepost.cli.gate import gate_option, json_option, read_gate
from gatepost.cli.progress import progress
from gatepost.cli.sources import read_messages, total_octets
from gatepost.config import Settings
from gatepost.errors import InputError
from gatepost.inspector.content import Content
from gatepost.message.message import parse_message
from gatepost.sandbox.pool import Sandbox
from gatepost.server.learning import learn, unlearn
from gatepost.store.learned import LABELS, LearnedStore

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...|-")


@click.group()
def command() -> None:
    """Teach the classifier what is wanted here and what is not; what it learns is used at once."""


def _teacher(label: str, text: str) -> None:
    @command.command(label, help=text)
    @gate_option
    @json_option
    @files_argument
    def teach(config: Path, as_json: bool, files: tuple[str, ...]) -> None:
        settings = read_gate(config)
        news, known = asyncio.run(_learn_all(settings, label, files, time.time()))
        _say(as_json, {"label": label, "learnt": news, "known": known}, f"learnt {news} as {label}, {known} were known")


_teacher("ham", "These messages are wanted: .eml files, mbox files, Maildir folders, or '-'.")
_teacher("spam", "These messages are unwanted advertising.")
_teacher("phish", "These messages are fraud: phishing, scam.")


@command.command()
@gate_option
@json_option
@click.option("--all", "everything", is_flag=True, help="All that was ever learnt here; the start model stays.")
@click.argument("files", nargs=-1, metavar="[FILE...|-]")
def forget(config: Path, as_json: bool, everything: bool, files: tuple[str, ...]) -> None:
    """Undo what was learnt from these messages, or with --all from any."""
    if everything == bool(files):
        raise InputError("FILE", " ".join(files), "name the messages to forget, or --all without any")
    store = _store(read_gate(config))
    try:
        forgotten = (
            store.forget_all() if everything else sum(unlearn(store, saved.raw) for saved in read_messages(files))
        )
    finally:
        store.close()
    _say(as_json, {"forgotten": forgotten}, f"forgot {forgotten}")


@command.command()
@gate_option
@json_option
def status(config: Path, as_json: bool) -> None:
    """How much was learnt here, and since when."""
    store = _store(read_gate(config))
    try:
        found = store.status()
    finally:
        store.close()
    data = dataclasses.asdict(found) | {"messages": dict(zip(LABELS, found.messages, strict=True))}
    counts = ", ".join(f"{count} {label}" for label, count in data["messages"].items())
    since = (
        f"since {clock(found.oldest)}, last {clock(found.newest)}" if found.oldest and found.newest else "nothing yet"
    )
    _say(as_json, data, f"{counts}; {found.features} words and facts, {found.octets >> 10} KB; {since}")


async def _learn_all(settings: Settings, label: str, files: Iterable[str], now: float) -> tuple[int, int]:
    """How many were news, and how many were known as that. Each is opened as the gate opens it."""
    store = _store(settings)
    counts = [0, 0]
    content = settings.content
    try:
        async with Sandbox(content, preload=False) as sandbox:
            with progress(total_octets(files)) as advance:
                for saved in read_messages(files):
                    message = parse_message(saved.raw)
                    opened = Content(await sandbox.begin(message.raw)) if content.enabled else None
                    counts[not learn(store, saved.raw, label, now, opened)] += 1
                    advance(saved.read)
    finally:
        store.close()
    return counts[0], counts[1]


def _store(settings: Settings) -> LearnedStore:
    return LearnedStore(Path(settings.store.folder), settings.store.learned)


def _say(as_json: bool, data: dict[str, object], line: str) -> None:
    click.echo(json.dumps(data) if as_json else line)
