"""kill -9 at random moments under load, again and again: every message that was answered 250 is accounted for.

Reception and delivery are processes of their own and die each at its own moment; then the accounts are taken and both
start again on what is left. GATEPOST_KILLS sets the number of rounds. The page cache survives a kill: for power cuts
see `test_power_cut`.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from accounting import Promise, read_promises, take_account
from under_load import NOW, SETTINGS

PROGRAM = Path(__file__).parent / "under_load.py"
ROUNDS = int(os.environ.get("GATEPOST_KILLS", "8"))


def start(role: str, folder: Path, seed: int, output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as stdout, output.with_suffix(".errors").open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, str(PROGRAM), role, str(folder), str(seed)], stdout=stdout, stderr=stderr
        )


def wait_for_output(output: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while output.stat().st_size == 0:
        assert process.poll() is None, output.with_suffix(".errors").read_text()
        assert time.monotonic() < deadline, "nothing was accepted"
        time.sleep(0.01)


def one_round(folder: Path, output: Path, rng: random.Random) -> dict[str, Promise]:
    """Starts both, kills each at a moment of its own; returns what was promised."""
    reception = start("accept", folder, rng.randrange(1 << 30), output)
    delivery = start("deliver", folder, rng.randrange(1 << 30), output.with_suffix(".delivery"))
    try:
        wait_for_output(output, reception)
        for process in rng.sample([reception, delivery], 2):
            time.sleep(rng.uniform(0.0, 0.25))
            assert process.poll() is None, "it died before it was killed: " + _errors(output)
            process.kill()
    finally:
        for process in (reception, delivery):
            process.kill()
            process.wait()
    return read_promises(output.read_bytes())


def _errors(output: Path) -> str:
    return "".join(path.read_text() for path in output.parent.glob("*.errors"))


def test_every_promise_survives_kill_9(tmp_path: Path) -> None:
    rng = random.Random(42)
    promises: dict[str, Promise] = {}
    for number in range(ROUNDS):
        output = tmp_path / f"round-{number}"
        promises |= one_round(tmp_path / "store", output, rng)
        account = take_account(
            tmp_path / "store" / "spool", tmp_path / "store" / "mail", promises, now=NOW, settings=SETTINGS
        )
        assert account.is_clean, f"after kill {number + 1}: {account}"
    assert len(promises) > 50 * ROUNDS
    assert account.in_mailbox, "nothing was ever delivered"
