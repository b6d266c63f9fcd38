"""The options' reference, made from where the options are declared.

In: a settings type. Out: `Option`s with path, kind, default and words; as Markdown; as commented TOML.
Not here: reading a file (`load`); writing the first one (`cli.init`).
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import math
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.config.bounds import BOUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: `path` dotted, `kind` in words, `default` as TOML (empty when there is none to show)."""

    path: str
    kind: str
    default: str
    words: str
    is_table: bool = False


def describe(kind: type, prefix: str = "") -> Iterator[Option]:
    """Every option of the settings type `kind`, plain values before tables, in the order of declaration."""
    hints = typing.get_type_hints(kind)
    words = field_words(kind)
    fields = [field for field in dataclasses.fields(kind) if not field.name.startswith("_")]
    plain = [field for field in fields if _settings_type(hints[field.name]) is None]
    for field in plain:
        yield Option(
            path=prefix + field.name,
            kind=_kind(hints[field.name]) + _range(kind, field.name),
            default=_default(field),
            words=words.get(field.name, ""),
        )
    for field in fields:
        inner = _settings_type(hints[field.name])
        if inner is not None:
            path = prefix + field.name + ("" if inner is hints[field.name] else '."NAME"')
            yield Option(path=path, kind="table", default="", words=words.get(field.name, ""), is_table=True)
            yield from describe(inner, path + ".")


def _range(kind: type, name: str) -> str:
    """ ", 1 to 64" for an option that `bounds` knows."""
    owner = next((owner for owner in kind.__mro__ if name in BOUNDS.get(owner, {})), None)
    if owner is None:
        return ""
    low, high = BOUNDS[owner][name]
    return f", {low:.15g} to {high:.15g}" if high < math.inf else ""


def field_words(kind: type) -> dict[str, str]:
    """The string that stands below each field of `kind` (and of the types it extends), on one line."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(owner):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        if isinstance(tree, ast.ClassDef):
            found.update(_words_below(tree))
    return found


def _words_below(tree: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if not (
            isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr)
        ):
            continue
        if isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            yield field.target.id, " ".join(below.value.value.split())


def as_markdown(kind: type) -> str:
    """The reference as Markdown: one section a table."""
    lines: list[str] = []
    for option in describe(kind):
        if option.is_table:
            lines += ["", f"## `[{option.path}]`", "", option.words, ""]
        else:
            name = option.path.rpartition(".")[2]
            default = f", default `{option.default}`" if option.default else ""
            lines.append(f"- **`{name}`** ({option.kind}{default}): {option.words}")
    return "\n".join(lines).strip() + "\n"


def _settings_type(hint: Any) -> type | None:
    """The settings type that `hint` is, or maps names to."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return hint
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (Mapping, dict) and len(arguments) == 2:
        return _settings_type(arguments[1])
    return None


def _kind(hint: Any) -> str:
    """The type in plain words."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(f'"{choice}"' for choice in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(argument) for argument in arguments if argument is not type(None))
    if origin in (tuple, list):
        return f"list of {_kind(arguments[0])}"
    if origin in (Mapping, dict):
        return f"table of {_kind(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " or ".join(f'"{member.value}"' for member in hint)
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(hint, "text")


def _default(field: dataclasses.Field[Any]) -> str:
    """The default as TOML; empty for one that the machine decides."""
    if field.default is not dataclasses.MISSING:
        return as_toml(field.default)
    factory = field.default_factory
    if factory is not dataclasses.MISSING and getattr(factory, "__name__", "") in ("dict", "list", "tuple", "<lambda>"):
        return as_toml(factory())
    return ""


def as_toml(value: Any) -> str:
    """`value` as TOML on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return as_toml(value.value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{as_toml(str(k))} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list | frozenset):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
