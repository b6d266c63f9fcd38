"""Draining a full queue: many messages to many domains, some of them dead; how long live ones wait for dead ones.

In: options. Out: time to drain, memory of the delivery process, when live domains had all their mail, with and without
dead ones. Dead domains refuse connections or (every other one) answer nothing at all; the delivery finds them by MX.
The spool is filled directly; a gate is started on it. Nobody to compare with: the goal is that the two columns agree.
Run: python bench/drain.py [--messages 10000] [--domains 200] [--dead 0.1]
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from results import write_results  # noqa: E402
from sink import Sink  # noqa: E402

from gatepost.names import Envelope, Recipient, Session  # noqa: E402
from gatepost.store.spool import NewMessage, SpoolShard  # noqa: E402
from gatepost.store.spool.owner import OWNER  # noqa: E402
from running import NameServer, RunningGate, free_port  # noqa: E402

LIVE, REFUSING, SILENT = "127.50.0.{}", "127.60.0.1", "127.60.0.2"
HOSTS = 20  # addresses of the live exchangers
MORE = """[delivery]
relay = "mx"
mx_port = {port}
forbidden_networks = []
tls = "opportunistic"
mta_sts = false
[delivery.client]
connect_timeout = 30.0
[content]
enabled = false
"""


@dataclass(frozen=True)
class Drained:
    """`done` are the seconds after which each live domain had all its mail; `memory` the most the delivery process had
    resident, in MB."""

    seconds: float
    messages: int
    done: list[float]
    memory: float

    def quantile(self, share: float) -> float:
        return sorted(self.done)[min(len(self.done) - 1, int(len(self.done) * share))]


def is_dead(number: int, dead: int, domains: int) -> bool:
    """Dead ones are spread evenly."""
    return bool(dead) and number * dead % domains < dead


def zone(domains: int, dead: int) -> str:
    """Each domain has one exchanger with one address."""
    lines = [". 300 IN SOA ns.test. root.test. 1 300 300 300 300"]
    gone = 0
    for number in range(domains):
        address = LIVE.format(number % HOSTS + 1)
        if is_dead(number, dead, domains):
            address, gone = (REFUSING, SILENT)[gone % 2], gone + 1
        lines += [f"d{number}.example. 300 IN MX 10 mx.d{number}.example.", f"mx.d{number}.example. 300 IN A {address}"]
    return "\n".join(lines) + "\n"


def black_hole(port: int) -> list[socket.socket]:
    """A listener whose queue is full and never emptied: who calls hears nothing."""
    listener = socket.socket()
    listener.bind((SILENT, port))
    listener.listen(0)
    callers = []
    for _ in range(4):
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex((SILENT, port))
        callers.append(caller)
    return [listener, *callers]


def fill(folder: Path, messages: int, domains: int) -> None:
    """Two shards, as two workers would have left them."""
    body = b"From: joe@sender.example\r\nSubject: %d\r\n\r\n" + b"A line of text, as long as lines are.\r\n" * 50
    for shard_number in range(2):
        shard = SpoolShard.open(folder, shard_number)
        for start in range(shard_number, messages, 2000):
            now = time.time()
            shard.add_many(
                [
                    NewMessage(
                        id=shard.next_id(now),
                        envelope=Envelope(
                            mail_from="joe@sender.example",
                            recipients=(Recipient(address=f"r{number}@d{number % domains}.example"),),
                        ),
                        session=Session(client_ip="127.0.0.1", received_at=now),
                        body=body % number,
                        proven=True,
                    )
                    for number in range(start, min(messages, start + 2000), 2)
                ]
            )
        shard.close()


def resident(gate: RunningGate) -> float:
    """MB of the process that has the spool's lock."""
    for pid in gate.children():
        try:
            held = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
            if any(path.endswith(OWNER) for path in held):
                return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
        except OSError:
            continue
    return 0.0


def drain(messages: int, domains: int, dead: int, patience: float) -> Drained:
    """One run."""
    expected = sum(1 for number in range(messages) if not is_dead(number % domains, dead, domains))
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        server = NameServer(zone(domains, dead))
        sink = Sink([(LIVE.format(number + 1), port) for number in range(HOSTS)])
        hole = black_hole(port)
        fill(folder / "store" / "spool", messages, domains)
        began, most = time.monotonic(), 0.0
        gate = RunningGate(folder, server.port, more=MORE.format(port=port))
        try:
            while sink.count < expected and time.monotonic() - began < patience:
                most = max(most, resident(gate))
                time.sleep(0.05)
        finally:
            arrived, seconds = sink.count, sink.last - began
            gate.stop()
            found = sink.stop()
            server.stop()
            for one in hole:
                one.close()
    if arrived < expected:
        print(f"only {arrived} of {expected} arrived in {patience:g} s", file=sys.stderr)
    return Drained(seconds, arrived, [last - began for _, last in found.values()], most)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--domains", type=int, default=200)
    parser.add_argument("--dead", type=float, default=0.1)
    parser.add_argument("--patience", type=float, default=600.0, help="seconds until a run is given up")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    lines = [
        f"{options.messages} messages of 2 KB to {options.domains} domains, in the clear:",
        "",
        "| dead domains | drained in | a second | live domains had all mail after: half · 90 % · 99 % · all | memory |",
        "|---|---|---|---|---|",
    ]
    runs = [
        drain(options.messages, options.domains, dead, options.patience)
        for dead in (0, round(options.dead * options.domains))
    ]
    for dead, run in zip((0, round(options.dead * options.domains)), runs, strict=True):
        after = " · ".join(f"{run.quantile(share):.1f}" for share in (0.5, 0.9, 0.99, 1.0))
        rate = run.messages / run.seconds
        lines.append(f"| {dead} | {run.seconds:.1f} s | {rate:.0f} | {after} s | {run.memory:.0f} MB |")
    slower = (runs[1].seconds / runs[1].messages) / (runs[0].seconds / runs[0].messages)
    lines += ["", f"A message to a live domain took {slower:.2f} times as long with dead domains beside it."]
    print("\n".join(lines))
    if options.write:
        write_results("drain", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
