"""What the durability tests share. strace is a neighbour: `make test` brings it, without it tests skip by name."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running import NameServer


@pytest.fixture(scope="session")
def strace(report_missing: Callable[[str], None]) -> str:
    """The path of strace."""
    path = shutil.which("strace")
    if path is None:
        report_missing("the program strace")
    return str(path)


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: for checks that open thousands of stores and need no real disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="gatepost-test-", dir=memory))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def name_server() -> Iterator[NameServer]:
    """DNS for a gate that runs."""
    server = NameServer()
    yield server
    server.stop()
