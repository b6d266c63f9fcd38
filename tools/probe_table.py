"""The table in docs/probe.md: what each server was found to do, made by probing them all.

In: `--write` to put it into the page, else it is printed. Out: a table in Markdown. Needs root and the neighbours of
tools/neighbours.py; takes some minutes. Everything is on loopback. Which servers, and how they are set: the tests'
`tests/interop/probed.py`; our own gate is the lab's.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "interop")]

from neighbour import tool  # noqa: E402
from probed import SETTINGS  # noqa: E402

from gatepost.lab import cast  # noqa: E402
from gatepost.lab.run import running_lab  # noqa: E402

PAGE = ROOT / "docs" / "probe.md"
BEGIN, END = "<!-- made by tools/probe_table.py -->\n", "<!-- end -->\n"
Results = dict[str, list[dict[str, Any]]]
FAMILIES = ("relay", "smuggling")  # told in one row each


def probe(arguments: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every result of one port."""
    command = [sys.executable, "-m", "gatepost", "probe", *arguments, "--json", "--rate", "500", "--at-once", "8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{arguments}: {done.stderr}")
    found: list[dict[str, Any]] = json.loads(done.stdout)["probed"][0]["results"]
    return found


def certificate(folder: Path) -> tuple[Path, Path]:
    """For localhost, by nobody, good for two months."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, "-days", "60", *names], check=True, capture_output=True)
    return cert, key


def neighbours() -> Results:
    """All of them, in turn."""
    found: Results = {}
    for name, (neighbour, start) in SETTINGS.items():
        unpacked = tool.unpacked(neighbour)
        if unpacked is None:
            raise SystemExit(f"{neighbour} is missing; tools/neighbours.py brings it")
        folder = Path(tempfile.mkdtemp(prefix="gatepost-table-"))
        folder.chmod(0o755)
        made = certificate(folder)
        probed = start(unpacked, folder, made)
        try:
            for where in probed.where:
                title = f"{name} ({where[0].partition(':')[0].upper()})" if "Dovecot" in name else name
                found[title] = probe((*where, "--name", "localhost", "--ca-file", str(made[0])))
                print(title, file=sys.stderr)
        finally:
            probed.server.stop()
            shutil.rmtree(folder, ignore_errors=True)
    return found


async def own_gate() -> list[dict[str, Any]]:
    """The lab's gate, visited by the friend."""
    with tempfile.TemporaryDirectory(prefix="gatepost-table-") as folder:
        async with running_lab(Path(folder)) as lab:
            target = lab.gate.target
            where = (f"smtp://{target.host}:{target.port}", "--to", target.recipient, "--name", target.name)
            friend = ("--source", cast.FRIEND, "--ehlo", "mail.friend.example", "--from", "ann@friend.example")
            return await asyncio.to_thread(probe, (*where, *friend, "--ca-file", str(target.authority)))


def table(found: Results) -> str:
    """Rows where any server was found to do something, and one line of counts."""
    names: list[str] = list(dict.fromkeys(result["name"] for results in found.values() for result in results))
    by_name = {server: {result["name"]: result for result in results} for server, results in found.items()}
    rows = [f"| scenario | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    for family in FAMILIES:
        cells = [family_cell([result for result in results if result["group"] == family]) for results in found.values()]
        count = len({name for name in names if name.startswith(f"{family}-")})
        rows.append(f"| {family} ({count} ways) | {' | '.join(cells)} |")
    for name in names:
        if name.startswith(FAMILIES):
            continue
        results_of = [by_name[server].get(name) for server in found]
        if any(result and result["status"] == "failed" for result in results_of):
            rows.append(f"| {name} | {' | '.join(cell(result) for result in results_of)} |")
    counts = [f"{sum(result['status'] == 'passed' for result in results)}" for results in found.values()]
    rows.append(f"| **good answers** | {' | '.join(counts)} |")
    return "\n".join(rows) + "\n"


def cell(result: dict[str, Any] | None) -> str:
    """One answer in one word."""
    if result is None or result["status"] == "untested":
        return "–"
    return "good" if result["status"] == "passed" else f"**{result['finding']['severity']}**"


def family_cell(results: list[dict[str, Any]]) -> str:
    """How many of a family were bad."""
    tested = [result for result in results if result["status"] != "untested"]
    if not tested:
        return "–"
    bad = sum(result["status"] == "failed" for result in tested)
    return f"**danger** ({bad})" if bad else "good"


def main() -> int:
    """Prints or writes the table."""
    found = {"Gatepost": asyncio.run(own_gate())} | neighbours()
    made = table(found)
    if "--write" not in sys.argv[1:]:
        print(made)
        return 0
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + made + END + after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
