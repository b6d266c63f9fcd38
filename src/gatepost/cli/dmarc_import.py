"""`gatepost dmarc import`: reports of other servers taken in; where they are kept, for all commands on reports.

In: files, mailboxes; the gate's configuration, or a folder to keep reports in without a gate. Out: one line a report.
Exit code 1: nothing could be read. Not here: reading reports (`server.reports`), showing them (`dmarc`).
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gatepost.cli.gate import default_config, json_option, read_gate
from gatepost.cli.progress import Advance, progress
from gatepost.cli.sources import Saved, files_of, split_stream
from gatepost.cli.terminal import visible
from gatepost.errors import InputError

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.server.reports.intake import Outcome
    from gatepost.store.reports import ReportStore

SUFFIXES = (".eml", ".xml", ".zip", ".gz", ".json", ".mbox")
Command = TypeVar("Command", bound=Callable[..., Any])


def store_options(command: Command) -> Command:
    """`--config` and `--folder`: where reports are kept."""
    text = "Keep reports in this folder, not in a gate's store; no gatepost.toml is needed."
    command = click.option("--folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help=text)(
        command
    )
    help_text = "The gate's gatepost.toml. Default: $GATEPOST_CONFIG, ./gatepost.toml, /etc/gatepost/gatepost.toml."
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("-c", "--config", metavar="FILE", type=path, help=help_text)(command)


def settings_of(config: Path | None, folder: Path | None) -> Settings | None:
    """Those of the gate; None where a folder is named instead."""
    if folder is not None:
        if config is not None:
            raise InputError("--folder", folder, "cannot be used together with --config; leave one out")
        return None
    return read_gate(config or default_config())


def open_store(config: Path | None, folder: Path | None) -> ReportStore:
    """Where reports are kept. Raises InputError, StoreError."""
    from gatepost.store.reports import ReportStore

    settings = settings_of(config, folder)
    if settings is None:
        return ReportStore.open(folder or Path())
    place = Path(settings.store.folder)
    if not place.is_dir():
        raise InputError("store.folder", place, "is not there; has the gate been started with this file?")
    return ReportStore.open(place, settings.store.reports)


@click.command("import")
@store_options
@json_option
@click.option("--dry-run", is_flag=True, help="Read and tell, keep nothing.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|MAILDIR...|-")
def import_(config: Path | None, folder: Path | None, as_json: bool, dry_run: bool, files: tuple[str, ...]) -> int:
    """Take in reports: XML, JSON, zip, gzip, mails (.eml, mbox, Maildir), folders of those.

    Each report counts once, however often it comes. What is none, or hostile, is one line and stops nothing.
    """
    from gatepost.server.reports.intake import read_reports, take_reports

    now = time.time()
    counts: Counter[str] = Counter()
    found = list(_all_files(files))
    store = None if dry_run else open_store(config, folder)
    try:
        with progress(_total(found), "reading reports") as advance:
            for saved in _each(found, advance, lambda outcome: _tell(outcome, as_json, counts)):
                if store is None:
                    outcomes = read_reports(saved.name, saved.raw)
                else:
                    outcomes = take_reports(saved.name, saved.raw, lambda report: store.keep(report, now))
                for outcome in outcomes:
                    _tell(outcome, as_json, counts)
                advance(saved.read)
        if store is not None:
            store.prune(now)
    finally:
        if store is not None:
            store.close()
    if not as_json:
        _sum_up(counts)
    return int(not counts or set(counts) == {"refused"})


def _all_files(paths: Iterable[str]) -> Iterator[Path]:
    for path in paths:
        yield from [Path("-")] if path == "-" else files_of(Path(path), SUFFIXES)


def _total(files: Iterable[Path]) -> int | None:
    sizes = [file.stat().st_size if str(file) != "-" and file.exists() else None for file in files]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _each(files: Iterable[Path], advance: Advance, tell: Callable[[Outcome], None]) -> Iterator[Saved]:
    """Every message or file; one that cannot be read is told and left."""
    from gatepost.server.reports.intake import Outcome

    for file in files:
        try:
            if str(file) == "-":
                yield from split_stream(sys.stdin.buffer, "-")
            else:
                with file.open("rb") as stream:
                    yield from split_stream(stream, str(file))
        except InputError as error:
            tell(Outcome(name=str(file), status="refused", code="unreadable", reason=error.remedy))
        except OSError as error:
            tell(Outcome(name=str(file), status="refused", code="unreadable", reason=error.strerror or str(error)))


def _tell(outcome: Outcome, as_json: bool, counts: Counter[str]) -> None:
    counts[outcome.status] += 1
    if as_json:
        click.echo(json.dumps(outcome.as_json()))
        return
    name = visible(outcome.name, 200)
    if outcome.report is None:
        click.echo(f"refused  {name}: {visible(outcome.reason, 200)} ({outcome.code})")
        return
    values = outcome.as_json()
    amount = f"{values['sessions']} sessions" if "sessions" in values else f"{values['messages']} messages"
    defects = f"; mended: {', '.join(outcome.report.defects)}" if outcome.report.defects else ""
    about = f"{visible(values['reporter'], 60)} on {visible(values['domain'], 80)}, {_date(values['begin'])}, {amount}"
    click.echo(f"{outcome.status:<8} {outcome.kind:<9} {about}{defects}  [{name}]")


def _date(seconds: int | None) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)) if seconds else "no date"


def _sum_up(counts: Counter[str]) -> None:
    words = {
        "read": "read",
        "new": "new",
        "replaced": "replaced",
        "known": "known before",
        "refused": "refused",
    }
    click.echo(", ".join(f"{counts[status]} {text}" for status, text in words.items() if counts[status]) or "nothing")
