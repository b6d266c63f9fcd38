"""`gatepost backup`: one archive with everything the gate keeps, made while it runs.

In: the archive's path. Out: the archive, complete and checked, or nothing. Not here: how nothing is lost meanwhile
(`store.backup`); bringing it back (`restore`). The configuration and
its keys are not in it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from gatepost.cli.gate import gate_option, read_gate


@click.command()
@gate_option
@click.option("--json", "as_json", is_flag=True, help="Print what was kept as JSON.")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
def command(config: Path, as_json: bool, archive: Path) -> None:
    """Copy the store into ARCHIVE (a new tar file) while the gate runs. No accepted message is missing in it."""
    from gatepost.store.backup import backup

    kept = backup(Path(read_gate(config).store.folder), archive, time.time())
    if as_json:
        click.echo(json.dumps({"archive": str(archive), "files": kept.files, "octets": kept.octets}))
    else:
        click.echo(f"{archive}: {kept.files} files, {kept.octets} octets. Keep {config.parent} too: it holds the keys.")
