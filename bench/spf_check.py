"""SPF checks: ours and pyspf's, on the same senders, in turn, in one run, with DNS on loopback.

In: nothing (a DNS server of a few lines runs in a child process). Out: a table of milliseconds a check and the ratios.
Run: python bench/spf_check.py [--rounds N] [--json], in an environment with requirements-bench.lock and this package.
Cold: every check asks the server for everything. Cached: answers are kept, by our resolver and in pyspf's own cache.
pyspf can ask through dnspython or py3dns; the faster one counts. A wrong result of either side ends the run.
Not called spf.py: that is the name of the peer's module.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socket
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import DNS
import dns.message
import dns.resolver
import dns.rrset
import spf as pyspf
import uvloop

from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.spf import check_host

SENDERS = 8
EHLO = "mx.sender.example"
# What is asked, by kind of policy: client, expected result, questions it takes.
KINDS = {
    "ip4, pass": ("192.0.2.10", "pass", 1),
    "include, pass": ("198.51.100.10", "pass", 2),
    "mx after include, pass": ("203.0.113.25", "pass", 4),
    "-all after mx, fail": ("203.0.113.99", "fail", 4),
}


def zone() -> dict[tuple[str, str], list[str]]:
    records: dict[tuple[str, str], list[str]] = {}
    for n in range(SENDERS):
        name = f"sender{n}.example"
        records[name, "TXT"] = [f'"v=spf1 ip4:192.0.2.0/28 include:_spf.{name} mx -all"', '"site-verification=1"']
        records[f"_spf.{name}", "TXT"] = ['"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.64/26 ip6:2001:db8::/32 ~all"']
        records[name, "MX"] = [f"10 mx.{name}."]
        records[f"mx.{name}", "A"] = ["203.0.113.25"]
    return records


def serve(ready: Connection) -> None:
    """Answers from octets made beforehand, found by the question section; what is not there does not exist."""
    replies: dict[bytes, bytes] = {}
    for (name, rtype), texts in zone().items():
        query = dns.message.make_query(name, rtype)
        reply = dns.message.make_response(query)
        reply.answer.append(dns.rrset.from_text(name + ".", 300, "IN", rtype, *texts))
        wire = reply.to_wire()
        replies[question_of(query.to_wire())] = wire[4:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    ready.send(server.getsockname()[1])
    # RFC 2308: a negative answer carries the zone's SOA (here the root's), so that it can be cached.
    soa = b"\0\0\6\0\1\0\0\1\x2c\0\x16\0\0" + b"\0\0\0\1" * 4 + b"\0\0\1\x2c"
    while True:
        query_octets, peer = server.recvfrom(4096)
        question = question_of(query_octets)
        rest = replies.get(question)
        if rest is None:
            server.sendto(query_octets[:2] + b"\x81\x83\0\1\0\0\0\1\0\0" + question + soa, peer)
        else:
            server.sendto(query_octets[:2] + b"\x81\x80" + rest, peer)


def question_of(octets: bytes) -> bytes:
    """The question section in lower case: the name up to the empty label, type and class."""
    end = octets.index(b"\0", 12) + 5
    return octets[12:end].lower()


Check = Callable[[str, str], str]


class Ours:
    """Checks with our resolver on uvloop, as the gate runs; cold ones with room for one answer, which the next sender
    cannot use."""

    def __init__(self, port: int, cached: bool) -> None:
        size = ResolverSettings().cache_size if cached else 1
        self.resolver = DnsResolver(ResolverSettings(servers=(f"127.0.0.1:{port}",), cache_size=size))

    async def check(self, ip: str, sender: str) -> str:
        result = await check_host(ip=ip, ehlo=EHLO, mail_from=sender, resolver=self.resolver)
        return result.result.value

    def measure(self, ip: str, wanted: str, rounds: int) -> float:
        return uvloop.run(self._measure(ip, wanted, rounds))

    async def _measure(self, ip: str, wanted: str, rounds: int) -> float:
        for n in range(SENDERS):
            expect(await self.check(ip, sender(n)), wanted, "gatepost")
        started = time.perf_counter()
        for n in range(rounds):
            await self.check(ip, sender(n))
        return (time.perf_counter() - started) / rounds


class Theirs:
    """pyspf, with a driver; the cached form hands it the answers of a check before."""

    def __init__(self, port: int, driver: str, cached: bool) -> None:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        dns.resolver.default_resolver = resolver
        pyspf.DNS = DNS  # it imports py3dns only where dnspython is missing
        DNS.defaults.update(server=["127.0.0.1"], port=port)
        self.driver = getattr(pyspf, f"DNSLookup_{driver}")
        self.cached = cached

    def measure(self, ip: str, wanted: str, rounds: int) -> float:
        pyspf.DNSLookup = self.driver
        kept: dict[int, dict[Any, Any]] = {}
        for n in range(SENDERS):
            query = pyspf.query(ip, sender(n), EHLO)
            expect(query.check()[0], wanted, "pyspf")
            kept[n] = query.cache
        started = time.perf_counter()
        for n in range(rounds):
            query = pyspf.query(ip, sender(n), EHLO)
            if self.cached:
                query.cache = dict(kept[n % SENDERS])
            query.check()
        return (time.perf_counter() - started) / rounds


def sender(n: int) -> str:
    return f"bounce-{n}@sender{n % SENDERS}.example"


def expect(result: str, wanted: str, who: str) -> None:
    if result != wanted:
        sys.exit(f"{who} says {result} where {wanted} is right: nothing was measured")


def compare(port: int, rounds: int, blocks: int) -> list[dict[str, Any]]:
    """One row a kind: medians over blocks, in which the contestants take turns."""
    contestants = {
        "ours cold": (Ours(port, False), rounds),
        "pyspf dnspython": (Theirs(port, "dnspython", False), rounds),
        "pyspf py3dns": (Theirs(port, "pydns", False), rounds),
        "ours cached": (Ours(port, True), rounds * 10),
        "pyspf cached": (Theirs(port, "dnspython", True), rounds * 2),
    }
    rows = []
    for kind, (ip, wanted, questions) in KINDS.items():
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(blocks):
            for name, (contestant, count) in contestants.items():
                times[name].append(contestant.measure(ip, wanted, count) * 1000)
        row: dict[str, Any] = {name: statistics.median(values) for name, values in times.items()}
        peer = min(row["pyspf dnspython"], row["pyspf py3dns"])
        row.update({"kind": kind, "questions": questions, "cold ratio": peer / row["ours cold"]})
        row["gate ratio"] = peer / row["ours cached"]  # our cache against a peer that has none between checks
        row["cached ratio"] = row["pyspf cached"] / row["ours cached"]
        rows.append(row)
    return rows


COLUMNS = ("ours cold", "pyspf dnspython", "pyspf py3dns", "ours cached", "pyspf cached")
RATIOS = ("cold ratio", "gate ratio", "cached ratio")


def main() -> None:
    parser = argparse.ArgumentParser(description="SPF: gatepost against pyspf.")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # pyspf calls dnspython by a name that is going away
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    child.start()
    try:
        rows = compare(ours.recv(), options.rounds, options.blocks)
    finally:
        child.terminate()
    if options.json:
        print(json.dumps(rows))
        return
    print("| policy | questions | " + " | ".join(COLUMNS) + " | " + " | ".join(RATIOS) + " |")
    print("|---" * (2 + len(COLUMNS) + len(RATIOS)) + "|")
    for row in rows:
        numbers = [f"{row[name]:.3f}" for name in COLUMNS] + [f"{row[name]:.1f}" for name in RATIOS]
        print(f"| {row['kind']} | {row['questions']} | " + " | ".join(numbers) + " |")
    print("\nMilliseconds a check, median of blocks. Cold ratio: the faster pyspf driver against us without a cache;")
    print("gate ratio: against us as the gate runs, with a warm cache; cached ratio: both with the answers in memory.")


if __name__ == "__main__":
    main()
