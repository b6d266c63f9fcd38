"""The Python in the docs runs, and the commands in them exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gatepost.cli.main import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_python_of_inspect_md_runs() -> None:
    found = blocks("inspect.md", "python")
    assert found
    for block in found:
        exec(compile(block, "inspect.md", "exec"), {})


def test_the_options_of_inspect_md_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks("inspect.md", "console"):
        for line in block.splitlines():
            words = shlex.split(line.partition("gatepost ")[2])
            command = words[: 2 if words[0] == "verify" else 1]
            assert main([*command, "--help"]) == 0
            shown = capsys.readouterr().out
            for option in (word for word in words if word.startswith("--")):
                assert option in shown, line
