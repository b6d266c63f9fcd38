"""The parts of README.md that are real output: the lab's table and an inspection.

In: README.md with `<!-- made: NAME -->` … `<!-- end -->`. Out: the same with each part run anew. The inspection is the
same every time, so that any drift is found; the lab opens ports and takes seconds, so only its visits are compared.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from gatepost.lab.gate import GateObserver
from gatepost.lab.run import choose, running_lab
from gatepost.lab.scenarios import SCENARIOS
from gatepost.lab.table import print_table
from gatepost.lab.tour import run_tour

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- made: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
COLUMNS = 124  # a code block of README.md is about so wide
SHOWN = (
    *("spf-and-dkim", "mailing-list", "honest-newsletter", "spoofed-reject", "dkim-expired", "boss-at-freemail"),
    *("link-lookalike", "link-in-code", "link-listed", "double-extension", "locked-archive", "bomb", "dns-silent"),
    *("relay", "smuggling-lf-lf", "starttls-injection", "submit-tls", "submit-as-other", "submit-guesses"),
)
INSPECT = ("inspect", "docs/examples/spoofed.eml", "--zone", "docs/examples/zone.txt")


def lab_part() -> str:
    """The table of the chosen visits, as a terminal of `COLUMNS` shows it."""
    out = io.StringIO()
    print_table(asyncio.run(_tour()), Console(file=out, width=COLUMNS))
    return _block(["gatepost", "lab", "--once", *SHOWN], out.getvalue())


async def _tour() -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as folder:
        async with running_lab(Path(folder)) as lab:
            return await run_tour(lab.gate.target, lab.internet, choose(SHOWN), observer=GateObserver(lab.gate))


def inspect_part() -> str:
    """The report on the example."""
    command = [sys.executable, "-m", "gatepost", *INSPECT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    return _block(["gatepost", *INSPECT], done.stdout)


PARTS = {"lab": lab_part, "inspect": inspect_part}


def _block(command: list[str], output: str) -> str:
    """Command and output as a code block; long commands go over several lines."""
    typed = ""
    for word in command:
        if len(typed.rpartition("\n")[2]) + len(word) > 100:
            typed += " \\\n     "
        typed += f" {word}"
    lines = [f"${typed}", *(line.rstrip() for line in output.rstrip().splitlines())]
    return "```console\n" + "\n".join(lines) + "\n```\n"


def made_anew(text: str) -> str:
    """`text` with every part run anew."""
    return PART.sub(lambda found: found[1] + PARTS[found[2]]() + found[4], text)


def drift(text: str) -> list[str]:
    """What in `text` is not what the program says, without starting the lab."""
    parts = {found[2]: found[3] for found in PART.finditer(text)}
    found = [f"README.md lacks the part {name!r}" for name in PARTS if name not in parts]
    if "inspect" in parts and parts["inspect"] != inspect_part():
        found.append("README.md: the inspection is not what the program prints")
    if "lab" in parts:
        titles = {scenario.title for scenario in choose(SHOWN)}
        found += [f"README.md: the lab has the visit {title!r}" for title in sorted(titles ^ _titles(parts["lab"]))]
    total = re.search(r"(\d+) visits", text)
    if total is None or int(total[1]) != len(SCENARIOS):
        found.append(f"README.md: the lab's tour has {len(SCENARIOS)} visits")
    return found


def _titles(block: str) -> set[str]:
    """The second column of the table, its wrapped lines joined."""
    lines = block.splitlines()
    start = next(n for n, line in enumerate(lines) if line.lstrip().startswith("visit "))
    left, right = lines[start].index("visit"), lines[start].index("expected")
    titles: list[str] = []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        cell = line[left:right].strip()
        if line[:1].strip():
            titles.append(cell)
        elif cell:
            titles[-1] += f" {cell}"
    return set(titles)
