"""Where this machine's gate is, and how it answers: the options that its commands share.

In: `--config`, else the variable GATEPOST_CONFIG, else ./gatepost.toml, else /etc/gatepost/gatepost.toml.
Out: the path; the settings in it. Not here: options of commands that need no gate (`options`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gatepost.config import Settings

INSTALLED = Path("/etc/gatepost/gatepost.toml")
Command = TypeVar("Command", bound=Callable[..., Any])


def gate_option(command: Command) -> Command:
    """`--config`, as the parameter `config`: a Path."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        callback=lambda _context, _parameter, value: value or default_config(),
        metavar="FILE",
        help="The gate's gatepost.toml. Default: $GATEPOST_CONFIG, ./gatepost.toml, /etc/gatepost/gatepost.toml.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")(command)


def default_config() -> Path:
    """The configuration that is meant when none is named."""
    named = os.environ.get("GATEPOST_CONFIG")
    if named:
        return Path(named)
    here = Path("gatepost.toml")
    return here if here.exists() else INSTALLED


def read_gate(config: Path) -> Settings:
    """The settings in `config`."""
    from gatepost.config import load_settings

    return load_settings(config)
