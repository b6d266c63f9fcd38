"""Queue and deliver: handed in over TLS, signed, durable, sent on over TLS; the gate beside Postfix with OpenDKIM.

In: options. Out: messages a second that arrived at the far end, by sessions in, and the ratio. 10 KB each, ten messages
a connection; the gate signs with RSA-2048 and Ed25519, OpenDKIM with RSA-2048 alone; clients are of a network that may
relay, so nobody logs in and no argon2id is measured. The clock runs from the first connection until the last message
has arrived. They run in turn, never at once; client and sink are the same. A full queue with dead domains: `drain`.
Run: python bench/delivery.py [--rounds 3] [--seconds 3] [--sessions 1,10,50] [--write]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "interop"), str(ROOT / "bench")]

from neighbour import free_port, tool, wait_until  # noqa: E402
from results import write_results  # noqa: E402
from sink import Sink  # noqa: E402
from submission import CLIENTS, FREE, Cell, Peers, _is_free, _load  # noqa: E402

from handing_in import PostOffice  # noqa: E402
from running import NameServer  # noqa: E402

MESSAGES = 10  # a connection in
PATIENCE = 60.0  # seconds until what was handed in must have arrived
MORE = f"""[submission.limits]
{FREE}
[delivery]
relay = "smtp:localhost:{{port}}"
tls = "enforced"
connections_per_hop = 20
[store.history]
enabled = false
[content]
enabled = false
[smtp]
max_connections = 3000
max_transactions = 1000000
[login]
checks_waiting = 1000
"""
# As Postfix is told to deliver fast: connections over TLS are used again, sessions resumed, twenty at a time.
SERVICES = "tlsproxy unix - - n - 0 tlsproxy\nscache unix - - n - 1 scache\n"


def postfix_settings(port: int, folder: Path) -> dict[str, str]:
    return {
        "default_transport": "smtp",
        "relayhost": f"[127.0.0.1]:{port}",
        "smtp_tls_security_level": "encrypt",
        "smtp_tls_connection_reuse": "yes",
        "smtp_tls_session_cache_database": f"btree:{folder}/postfix/data/smtp_scache",
        "smtp_connection_cache_on_demand": "yes",
        "default_destination_concurrency_limit": "20",
        "initial_destination_concurrency": "20",
        "in_flow_delay": "0s",
        "mynetworks": "127.0.0.0/8",
        "smtpd_recipient_restrictions": "permit_mynetworks, reject",
        "smtpd_client_connection_rate_limit": "0",
        "smtpd_client_message_rate_limit": "0",
    }


def measure(port: int, sessions: int, seconds: float, sink: Sink) -> tuple[float, float, float]:
    """Messages a second handed in, and arrived; how long the last one took after the last was handed in."""
    results: Any = multiprocessing.Queue()
    cell = Cell(sessions=sessions, messages=MESSAGES, resumed=True, login=False)
    shares = [sessions // CLIENTS + (number < sessions % CLIENTS) for number in range(CLIENTS)]
    workers = [
        multiprocessing.Process(target=_load, args=(port, cell, share, seconds, results)) for share in shares if share
    ]
    before, began = sink.count, time.monotonic()
    for worker in workers:
        worker.start()
    found = [results.get(timeout=seconds * 20 + 120) for _ in workers]
    for worker in workers:
        worker.join()
    handed_in_by = time.monotonic()
    count = settle(sink, handed_in_by)
    return sum(one[0] for one in found), (count - before) / (sink.last - began), max(0.0, sink.last - handed_in_by)


def settle(sink: Sink, since: float) -> int:
    """How many have arrived once no more do."""
    count, quiet_since = -1, time.monotonic()
    while time.monotonic() - since < PATIENCE and time.monotonic() - quiet_since < 1.5:
        if sink.count != count:
            count, quiet_since = sink.count, time.monotonic()
        time.sleep(0.02)
    return count


def run(options: argparse.Namespace) -> dict[tuple[str, int], list[tuple[float, float, float]]]:
    """All rounds, contestants in turn."""
    found: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "gate").mkdir()
        server = NameServer()
        office = PostOffice(
            folder / "gate", server.port, more=MORE.format(port=port), submission='relay_networks = ["127.0.0.1"]'
        )
        office.stop()
        sink = Sink([("127.0.0.1", port)], (str(office.folder / "mx.pem"), str(office.folder / "mx.key")))
        try:
            for number in range(options.rounds):
                for contestant in options.only.split(","):
                    if contestant == "gatepost":
                        office.start()
                        entrance, stop = office.ports["tls"], office.stop
                    else:
                        place = folder / f"peers{number}"
                        place.mkdir()
                        settings = postfix_settings(port, place)
                        peers = Peers(place, office, each_login_pays=False, settings=settings, services=SERVICES)
                        entrance, stop = peers.port, peers.stop
                    try:
                        for sessions in map(int, options.sessions.split(",")):
                            measured = measure(entrance, sessions, options.seconds, sink)
                            found.setdefault((contestant, sessions), []).append(measured)
                    finally:
                        stop()
                    wait_until(lambda port=entrance: _is_free(port), 10)
        finally:
            sink.stop()
            server.stop()
    return found


def report(options: argparse.Namespace, found: dict[tuple[str, int], list[tuple[float, float, float]]]) -> list[str]:
    """Medians of the rounds, and the median of the rounds' ratios."""
    names = options.only.split(",")
    lines = [
        f"{options.rounds} rounds of {options.seconds:g} s, 10 KB over TLS in and out; messages a second, medians:",
        "",
        "| sessions in | contestant | handed in | arrived | last one late by | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for sessions in map(int, options.sessions.split(",")):
        for name in names:
            rows = found[name, sessions]
            taken, arrived, late = (statistics.median(row[column] for row in rows) for column in range(3))
            ratio = ""
            if name == names[0] and len(names) > 1:
                pairs = zip(rows, found[names[1], sessions], strict=True)
                ratio = f"**{statistics.median(ours[1] / theirs[1] for ours, theirs in pairs):.2f}**"
            lines.append(f"| {sessions} | {name} | {taken:.0f} | {arrived:.0f} | {late:.1f} s | {ratio} |")
    return lines


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--sessions", default="1,10,50")
    parser.add_argument("--only", default="gatepost,postfix")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    if os.geteuid() != 0 or not (tool.unpacked("postfix") and tool.unpacked("dovecot")):
        print("bench: needs root and the neighbours (python tools/neighbours.py)", file=sys.stderr)
        return 1
    lines = report(options, run(options))
    print("\n".join(lines))
    if options.write:
        write_results("delivery", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
