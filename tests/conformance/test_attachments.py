"""Other people's attachments: eight macro mails, 131 pictures with QR codes, TNEF files, the EICAR file in six places.

The program that prints the table of docs/detection.md is run as it stands; everything is opened in the sandbox.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The code says "photography", which its error correction proves; the suite's text beside it says "photograph".
DISPUTED = {"qrcode-2/13.png"}


@pytest.fixture(scope="module")
def table(suites: Path) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "bench" / "attachments.py"), "--json"]
    done = subprocess.run(command, env={"GATEPOST_SUITES": str(suites)}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows: dict[str, Any] = json.loads(done.stdout)
    return rows


@pytest.mark.parametrize(
    ("group", "cases"),
    [("typical files", 6), ("macro mails", 8), ("EICAR", 6), ("pictures with codes", 131), ("TNEF", 19)],
)
def test_everything_is_found_but_what_is_disputed(table: dict[str, Any], group: str, cases: int) -> None:
    assert table[group]["cases"] == cases
    assert {miss["name"] for miss in table[group]["missed"]} <= DISPUTED
