"""`gatepost restore`: brings a backup back into an empty folder.

In: an archive. Out: the store as it was, checked file by file. Never overwrites. Not here: making it (`backup`).
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatepost.cli.gate import gate_option, read_gate


@click.command()
@gate_option
@click.option("--json", "as_json", is_flag=True, help="Print what was brought back as JSON.")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
def command(config: Path, as_json: bool, archive: Path) -> None:
    """Bring ARCHIVE back into the store's folder, which must not exist or be empty. The gate must not run."""
    from gatepost.store.restore import restore

    folder = Path(read_gate(config).store.folder)
    brought = restore(archive, folder)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "files": brought.files, "octets": brought.octets}))
    else:
        click.echo(f"{folder}: {brought.files} files, {brought.octets} octets, all as they were. Start the gate again.")
