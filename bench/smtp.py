"""Accept-and-store: the gate and its peers with all sender checks, in turn, in one run, on the same mail.

In: options. Out: a table of messages a second by sessions x messages per connection, processor time, and the ratio of
the gate to each peer. Every message differs in body, signature and sender; NSD answers DNS on loopback. A round runs
each contestant once; the ratio is the median of the rounds' ratios, since a shared machine swings by a third.
Run: python bench/smtp.py [--rounds 3] [--seconds 3] [--cells 1x10,10x10,50x10] [--size 10240] [--only NAME,NAME]
Not here: who the peers are (`peers`), the mail (`corpus`), the load (`load.c`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import gate
from corpus import make_corpus, zone_lines
from peers import CACHE, PeersMissing, add_zone, build_load, load_scripts

CLIENT = "192.0.2.10"  # claimed with PROXY, so that SPF, reverse DNS and lists see no loopback address
GATE = "gatepost"
ROUTES = {GATE: "discard", "gatepost-maildir": "maildir"}  # the peers with a queue discard what they took, too
NAMES = {
    GATE: "Gatepost, all checks, durable",
    "gatepost-maildir": "the same, delivered to a Maildir as well",
    "postfix-auth": "Postfix + OpenDKIM + OpenDMARC + policyd-spf",
    "haraka-auth-x2": "Haraka, SPF, DKIM, FCrDNS, DNSBL, 2 processes, nothing stored",
    "aiosmtpd-uvloop-maildir": "aiosmtpd, no checks, fsync to Maildir",
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One cell of one contestant in one round. `cpu` is milliseconds a message, helpers included, DNS excluded."""

    name: str
    cell: str
    round: int
    rate: float
    cpu: float
    p50: float
    p99: float
    memory: float
    errors: int
    error: str
    other: float  # cores that somebody else used meanwhile


class Contest:
    """The contestants, the load and the mail of one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.scripts: ModuleType = load_scripts()
        self.scripts.prio()  # BENCH_NICE=-10 gives the whole contest priority on a shared machine
        corpus = CACHE / "corpus"
        self.manifest = make_corpus(corpus, options.size, options.messages)
        add_zone(zone_lines(corpus))
        self.load_program = build_load()
        for name in ROUTES:
            self.scripts.C[name] = {"cmd": "", "host": gate.HOST, "port": gate.PORT, "proxy": True}

    def run(self) -> list[Reading]:
        """All rounds; a contestant that cannot start is told and left out."""
        readings: list[Reading] = []
        try:
            for number in range(self.options.rounds):
                for name in self.options.only:
                    readings += self.measure_contestant(name, number)
        finally:
            for name in list(self.scripts.procs):
                self.scripts.kill(name)
        return readings

    def measure_contestant(self, name: str, number: int) -> list[Reading]:
        """Starts it, warms it up, measures every cell, stops it."""
        if name in ROUTES:
            configuration = gate.configure(CACHE / "gate", route=ROUTES[name])
            self.scripts.C[name]["cmd"] = gate.command(configuration)
        try:
            roots = self.scripts.start(name)
            self.load(name, 10, 5, 1.0)
            self.load(name, 50, 5, 1.0)
            return [self.measure_cell(name, roots, cell, number) for cell in self.options.cells]
        except SystemExit as error:
            print(f"{name} FAILED: {error}", file=sys.stderr)
            return []
        finally:
            self.scripts.stop(name)

    def load(self, name: str, sessions: int, per_connection: int, seconds: float) -> dict[str, float]:
        """One run of the load generator."""
        contestant = self.scripts.C[name]
        where = ["-h", contestant.get("host", self.scripts.IP), "-p", str(contestant["port"])]
        how = ["-c", str(sessions), "-n", str(per_connection), "-t", str(seconds), "-P", CLIENT]
        command = [str(self.load_program), *where, *how, "-m", str(self.manifest)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def measure_cell(self, name: str, roots: dict[str, int], cell: str, number: int) -> Reading:
        """One cell; processor time is read when the contestant's queue is empty again."""
        scripts, queue = self.scripts, self.scripts.C[name].get("queue")
        sessions, per_connection = map(int, cell.split("x"))
        time.sleep(0.3)
        before = scripts.Snap(roots)
        found = self.load(name, sessions, per_connection, self.options.seconds)
        memory = scripts.mem(scripts.tree(roots.values()))[1]
        while queue and scripts.qlen(queue):
            time.sleep(0.05)
        if name in ROUTES:
            _wait_idle(scripts, roots)
        after = scripts.Snap(roots)
        messages = max(1, found["started"])
        cpu = sum(after.r[root] - before.r[root] for root in before.r)
        own = found["own_cpu"] * messages / 1e3
        elapsed = after.t - before.t
        reading = Reading(
            name=name,
            cell=cell,
            round=number,
            rate=found["rate"],
            cpu=cpu * 1e3 / messages,
            p50=found["p50"],
            p99=found["p99"],
            memory=memory,
            errors=int(found["errors"]),
            error=str(found["error"]),
            other=(after.busy - before.busy - cpu - own - (after.nsd - before.nsd)) / elapsed,
        )
        print(json.dumps(asdict(reading)), file=sys.stderr, flush=True)
        return reading


def _wait_idle(scripts: ModuleType, roots: dict[str, int], seconds: float = 60.0) -> None:
    """Waits until the gate's processes rest: its deliveries belong to what a message costs."""
    end = time.monotonic() + seconds
    last = -1.0
    while time.monotonic() < end:
        now = sum(scripts.cpu(scripts.tree([pid])) for pid in roots.values())
        if now - last < 0.03:
            return
        last = now
        time.sleep(0.5)


def _median(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.median(found) if found else float("nan")


def table(readings: list[Reading], cells: list[str]) -> str:
    """The results as Markdown."""
    names = list(dict.fromkeys(reading.name for reading in readings))
    head = ["contestant", *(f"{cell} msg/s" for cell in cells), "CPU ms/msg", "p50 ms", "p99 ms", "MB", "errors"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    last = "10x10" if "10x10" in cells else cells[-1]
    for name in names:
        own = [reading for reading in readings if reading.name == name]
        at = [reading for reading in own if reading.cell == last]
        row = [NAMES.get(name, name)]
        row += [f"{_median(r.rate for r in own if r.cell == cell):.0f}" for cell in cells]
        row += [f"{_median(r.cpu for r in at):.2f}", f"{_median(r.p50 for r in at):.1f}"]
        row += [
            f"{_median(r.p99 for r in at):.1f}",
            f"{max(r.memory for r in own):.0f}",
            f"{sum(r.errors for r in own)}",
        ]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def ratios(readings: list[Reading], cells: list[str]) -> str:
    """How many times as fast as each peer the gate is: the median of the ratios inside each round."""
    rate = {(r.name, r.cell, r.round): r.rate for r in readings}
    rounds = sorted({r.round for r in readings})
    head = "| gate's rate against | " + " | ".join(cells) + " |"
    lines = [head, "|---|" + "---|" * len(cells)]
    for name in dict.fromkeys(r.name for r in readings if r.name not in ROUTES):
        row = []
        for cell in cells:
            pairs = [(rate.get((GATE, cell, n), 0.0), rate.get((name, cell, n), 0.0)) for n in rounds]
            row.append(f"{_median(ours / theirs for ours, theirs in pairs if ours and theirs):.1f}")
        lines.append(f"| {NAMES.get(name, name)} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--cells", default="1x10,10x10,50x10", type=lambda text: text.split(","))
    parser.add_argument("--size", type=int, default=10240, help="octets in a message")
    parser.add_argument("--messages", type=int, default=0, help="different messages (default 400, fewer when large)")
    parser.add_argument("--only", default=list(NAMES), type=lambda text: text.split(","))
    parser.add_argument("--out", type=Path, help="append the readings to this file, one JSON object a line")
    options = parser.parse_args()
    options.messages = options.messages or (400 if options.size < 100_000 else 40)
    try:
        contest = Contest(options)
    except PeersMissing as error:
        print(f"SMTP bench not run: {error}", file=sys.stderr)
        return 0
    readings = contest.run()
    if options.out:
        with options.out.open("a") as file:
            file.writelines(json.dumps(asdict(reading)) + "\n" for reading in readings)
    print(f"\nMessages of {options.size} octets, cells are sessions x messages per connection\n")
    print(table(readings, options.cells) + "\n\n" + ratios(readings, options.cells))
    disturbed = _median(reading.other for reading in readings)
    print(f"\nOther programs used {disturbed:.2f} cores meanwhile (median).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
