"""What all tests share: where other people's vectors are, and how a missing suite or neighbour is answered."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI") == "true"


def missing(what: str) -> None:
    """Skips by name; with CI=true fails, since there nothing may be missing."""
    if IN_CI:
        pytest.fail(f"{what} is missing, and CI=true allows no gaps")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def suites() -> Path:
    """The folder with other people's test vectors."""
    folder = Path(os.environ.get("GATEPOST_SUITES", ROOT.parent / "shared" / "suites"))
    if not folder.is_dir():
        missing(f"the folder of test suites ({folder}, or GATEPOST_SUITES)")
    return folder


@pytest.fixture(scope="session")
def report_missing() -> Callable[[str], None]:
    """`missing`, for fixtures in the conftest files of sub-folders."""
    return missing
