"""The log: one line an event whatever the values hold, and nothing reaches stderr beside it."""

from __future__ import annotations

import logging
import os

import pytest

from gatepost.server.logs import Forward, Log


def written(level: str = "info", **facts: object) -> list[str]:
    reading, writing = os.pipe()
    Log(level, fd=writing, stamp=False).warning("event", **facts)
    os.close(writing)
    with open(reading, encoding="utf-8") as lines:
        return lines.read().splitlines()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("<ann@example.org>", "<ann@example.org>"),
        ("two words", '"two words"'),
        ("", '""'),
        ('a "quote" \\', '"a \\"quote\\" \\\\"'),
        ("line\r\nlevel=forged", '"line\\r\\nlevel=forged"'),
        ("\x1b[31m", '"\\x1b[31m"'),
        ("\u202egnp.exe", '"\\u202egnp.exe"'),
        (1.5, "1.500"),
    ],
)
def test_a_value_is_one_value(value: object, shown: str) -> None:
    assert written(key=value) == [f"warning event key={shown}"]


def test_long_values_are_cut_and_missing_ones_left_out() -> None:
    (line,) = written(long="x" * 5000, missing=None)
    assert len(line) < 450
    assert "missing" not in line
    assert written() == ["warning event"]


def test_what_goes_through_logging_is_one_line_and_no_traceback() -> None:
    reading, writing = os.pipe()
    logger = logging.Logger("gatepost.smtp")
    logger.addHandler(Forward(Log("info", fd=writing, stamp=False)))
    try:
        raise ValueError("odd\nthing")
    except ValueError:
        logger.exception("%s: the gatekeeper failed", "7")
    os.close(writing)
    with open(reading, encoding="utf-8") as lines:
        (line,) = lines.read().splitlines()
    assert line.startswith('error trouble part=gatepost.smtp said="7: the gatekeeper failed" error=')
    assert "test_logs.py:" in line
