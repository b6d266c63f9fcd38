"""`make model`: the same corpus makes the same octets, and what is not its business is not in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.inspector.classifier.start import read_model

PROGRAM = Path(__file__).resolve().parents[2] / "bench" / "make_model.py"
SOME = 80  # messages; all take a quarter of a minute


def make(out: Path, suites: Path, seed: str) -> bytes:
    """One run in a process of its own, with another order of sets."""
    environment = os.environ | {"GATEPOST_SUITES": str(suites), "PYTHONHASHSEED": seed}
    command = [sys.executable, str(PROGRAM), "--limit", str(SOME), "--out", str(out)]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=100)
    return out.read_bytes()


@pytest.mark.suite("corpus")
def test_the_same_corpus_makes_the_same_model(suites: Path, tmp_path: Path) -> None:
    first = make(tmp_path / "one", suites, "1")
    assert make(tmp_path / "two", suites, "2") == first
    model = read_model(first.decode())
    assert min(model.messages) > 10
    assert len(model.counts) > 500
