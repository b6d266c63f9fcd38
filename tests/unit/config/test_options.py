"""Every option is explained, has a safe default, is read by some code, and stands on the reference page."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import gatepost
from gatepost.config import Settings, load_settings
from gatepost.config.describe import describe, field_words
from gatepost.server.plan import check_settings

ROOT = Path(__file__).resolve().parents[3]
SOURCE = Path(gatepost.__file__).parent
EXAMPLE = ROOT / "docs" / "examples" / "gatepost.toml"


def settings_types(kind: type = Settings) -> Iterator[type]:
    """`kind` and every settings type below it."""
    yield kind
    for hint in typing.get_type_hints(kind).values():
        for inner in (hint, *typing.get_args(hint)):
            if isinstance(inner, type) and dataclasses.is_dataclass(inner):
                yield from settings_types(inner)


KINDS = tuple(dict.fromkeys(settings_types()))


def test_every_option_has_words_and_a_default() -> None:
    for kind in KINDS:
        words = field_words(kind)
        for field in dataclasses.fields(kind):
            assert len(words.get(field.name, "")) > 10, f"{kind.__name__}.{field.name}"
            has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            assert has_default, f"{kind.__name__}.{field.name}"


def test_every_option_has_a_reader() -> None:
    sources = {path: path.read_text("utf-8") for path in SOURCE.rglob("*.py") if path.name != "settings.py"}
    for kind in KINDS:
        home = Path(inspect.getsourcefile(kind) or "").resolve()
        others = [text for path, text in sources.items() if path.resolve() != home]
        for field in dataclasses.fields(kind):
            read = re.compile(rf"\.{field.name}\b")
            assert any(read.search(text) for text in others), f"nothing reads {kind.__name__}.{field.name}"


def test_every_option_stands_on_the_page() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for option in describe(Settings):
        name = f"## `[{option.path}]`" if option.is_table else f"- **`{option.path.rpartition('.')[2]}`**"
        assert name in page, option.path


def test_the_example_is_a_configuration_that_works() -> None:
    settings = load_settings(EXAMPLE)
    recipients = check_settings(settings)
    assert recipients.resolve("sales@example.org").addresses == ("bob@example.org", "shop@example.org")
    assert recipients.resolve("postmaster@example.net").addresses == ("ann@example.org",)
    assert settings.smtp.limits.message == 50 << 20
    assert EXAMPLE.read_text("utf-8") in (ROOT / "docs" / "configuration.md").read_text("utf-8")
