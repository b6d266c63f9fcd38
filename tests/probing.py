"""`gatepost probe` as a stranger runs it, and what it found.

In: arguments. Out: `Answer`: exit code, the JSON (checked against its schema), results by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from schemas import validator

QUICK = ("--rate", "1000", "--at-once", "12", "--patience", "15", "--quiet", "0.4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    code: int
    error: str
    probed: list[dict[str, Any]]

    def result(self, name: str) -> dict[str, Any]:
        return next(result for result in self.probed[0]["results"] if result["name"] == name)

    def status(self, name: str) -> str:
        return str(self.result(name)["status"])

    def accused(self, least: str = "warning") -> set[str]:
        """The names of what was found to be at least so grave."""
        order = ["pass", "info", "notice", "warning", "danger"]
        return {
            result["name"]
            for one in self.probed
            for result in one["results"]
            if result["status"] == "failed" and order.index(result["finding"]["severity"]) >= order.index(least)
        }


def probe(*arguments: str, timeout: float = 120.0, code: int | None = None) -> Answer:
    command = [sys.executable, "-m", "gatepost", "probe", *QUICK, *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    document = json.loads(done.stdout) if done.stdout else {"probed": []}
    if done.stdout:
        validator("probe").validate(document)
    assert "Traceback" not in done.stderr, done.stderr
    assert code is None or done.returncode == code, done.stderr + done.stdout[-2000:]
    return Answer(code=done.returncode, error=done.stderr, probed=document["probed"])
