"""Puts a benchmark's table where readers look for it: docs/performance.md, between two marks.

In: a name, lines. Out: the page with the lines between `<!-- NAME -->` and `<!-- end NAME -->`, and when they were
measured. Not here: measuring.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def write_results(name: str, lines: Sequence[str]) -> None:
    """Raises ValueError where the page has no such marks."""
    text = PAGE.read_text("utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->\n"
    if begin not in text or end not in text:
        raise ValueError(f"{PAGE.name} has no place for {name}: write {begin.strip()} and {end.strip()} into it")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    stamp = time.strftime("%d %B %Y", time.gmtime()).lstrip("0")
    PAGE.write_text(
        head + begin + "\n".join([f"Measured {stamp}, {where}. {lines[0]}", *lines[1:]]) + "\n" + end + tail, "utf-8"
    )
