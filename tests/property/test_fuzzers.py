"""Every fuzzer runs a little in each test run: a fuzzer that nobody starts finds nothing and rots."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
NAMES = sorted(path.stem for path in FUZZ.glob("*.py") if path.stem not in ("harness", "run"))


@pytest.mark.parametrize("name", NAMES)
def test_a_short_run_finds_nothing(name: str) -> None:
    command = [sys.executable, str(FUZZ / f"{name}.py"), "--runs", "400", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]
