"""cli.main: the table of commands, and trouble as one line with exit code 2."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from gatepost.cli import main as front
from gatepost.errors import InputError


def test_an_unknown_command_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["nonsense"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "nonsense" in err


def test_no_arguments_print_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main([]) == 0
    assert "Usage: gatepost" in capsys.readouterr().out


def test_every_listed_command_has_a_click_object_and_help() -> None:
    context = click.Context(front.cli)
    for name in front.cli.list_commands(context):
        found = front.cli.get_command(context, name)
        assert isinstance(found, click.Command), name
        assert front.COMMANDS[name].endswith("."), name


def test_help_imports_no_command_and_no_crypto() -> None:
    code = (
        "import sys; from gatepost.cli.main import main; main(['--help']);"
        "bad = [m for m in sys.modules if m.startswith(('gatepost.cli.', 'cryptography', 'dns', 'rich', 'asyncio'))];"
        "sys.exit(str(bad) if bad != ['gatepost.cli.main'] else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_an_input_error_is_one_printable_line(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def broken() -> None:
        raise InputError("file", "a\x1b[2Jb\nc", "give another")

    assert front.run(broken, ["--"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "\x1b" not in line


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def reads() -> None:
        Path("/nonexistent/file").read_bytes()

    assert front.run(reads, ["--"]) == 2
    assert "/nonexistent/file: No such file" in capsys.readouterr().err


def test_a_mistake_of_ours_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def breaks() -> None:
        raise ZeroDivisionError("x\ny")

    assert front.run(breaks, ["--"]) == 70
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "ZeroDivisionError" in line


def test_help_is_quick() -> None:
    best = min(_seconds_of_help() for _ in range(3))
    assert best < 0.3  # issue 2 §7


def _seconds_of_help() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gatepost", "--help"], check=True, capture_output=True, timeout=60)
    return time.perf_counter() - begun
