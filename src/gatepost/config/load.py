"""Reads gatepost.toml: TOML to frozen dataclasses, with errors a tired person can act on.

In: a path or text. Out: `Settings`, or ConfigError with the option, what was found there and what to do.
Not here: checks that need the world (do files and addresses exist?): `gatepost serve --check`.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatepost.config.bounds import check_bounds
from gatepost.config.settings import Settings
from gatepost.errors import ConfigError

_LONG_KEY = re.compile(r"^[^=\n\"'#]{0,1000}?(?:\.[^=\n\"'#.]{0,1000}+){33}", re.MULTILINE)
MOVED = {"relay.greet_delay": "door.greet_delay"}  # options of earlier versions, and where they are now
MAX_FILE = 4 << 20  # octets; 50,000 accounts fit ten times over


def load_settings(path: Path) -> Settings:
    """The settings in the file `path`; relative paths in it are taken from its folder."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(
            "--config", path, f"cannot be read: {error.strerror}; `gatepost init DOMAIN` writes one"
        ) from None
    if len(text) > MAX_FILE:
        raise ConfigError("--config", path, f"is over {MAX_FILE} octets; this cannot be a gatepost.toml")
    try:
        return parse_settings(text.decode("utf-8"), path.resolve().parent)
    except UnicodeDecodeError as error:
        raise ConfigError("--config", path, f"is not UTF-8 at octet {error.start}; save it as UTF-8") from None


def parse_settings(text: str, folder: Path) -> Settings:
    """The settings in TOML `text`; relative paths are taken from `folder`."""
    from pydantic import TypeAdapter, ValidationError

    if _LONG_KEY.search(text):  # tomllib takes minutes for it
        raise ConfigError("gatepost.toml", "a key of many parts", "is no option; the longest has six")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ConfigError(
            "gatepost.toml", "brackets in brackets", "are nested too deeply; no option needs that"
        ) from None
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        raise ConfigError("gatepost.toml", error, "is no valid TOML; correct that line") from None
    _refuse_unknown_keys(table, Settings, "")
    try:
        settings = TypeAdapter(Settings).validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "gatepost.toml"
        found = "nothing" if first["type"] == "missing" else first["input"]
        raise ConfigError(where, found, f"{first['msg']}; docs/configuration.md describes it") from None
    check_bounds(settings)
    return settings.anchored(folder)


def _refuse_unknown_keys(table: Mapping[str, Any], kind: type, where: str) -> None:
    """A typo must not silently switch a protection off: an unknown key is an error that names the nearest known."""
    hints = typing.get_type_hints(kind)
    for key, value in table.items():
        path = f"{where}.{key}" if where else key
        if path in MOVED:
            raise ConfigError(path, value, f"is now {MOVED[path]}; move it there")
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1, cutoff=0.5)
            known = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(hints))}"
            raise ConfigError(path, value if not isinstance(value, Mapping) else "a table", f"unknown option; {known}")
        for inner, inner_path, inner_kind in _tables(value, path, hints[key]):
            _refuse_unknown_keys(inner, inner_kind, inner_path)


def _tables(value: Any, path: str, hint: Any) -> list[tuple[Mapping[str, Any], str, type]]:
    """The tables inside `value` that hold options of a settings type, with their paths."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next((h for h in typing.get_args(hint) if h is not type(None)), hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return [(value, path, hint)] if isinstance(value, Mapping) else []
    arguments = typing.get_args(hint)
    if isinstance(value, Mapping) and len(arguments) == 2:
        return [t for key, v in value.items() for t in _tables(v, f"{path}.{key}", arguments[1])]
    if isinstance(value, list) and arguments:
        return [t for index, v in enumerate(value) for t in _tables(v, f"{path}.{index}", arguments[0])]
    return []
