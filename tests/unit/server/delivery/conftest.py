"""A world per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from world import World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """`make_world({"example.net": "maildir"})`, closed at the end."""
    made: list[World] = []

    def make(domains: dict[str, str], **more: object) -> World:
        made.append(World(tmp_path / f"spool{len(made)}", domains, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for world in made:
        world.close()
