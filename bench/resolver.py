"""DNS questions: our resolver against dnspython's asynchronous one, over loopback and from memory.

In: nothing. Out: microseconds of CPU a question in the client's process, and the ratios. The name server (the lab's)
runs in a process of its own and answers both from what it has rendered; each asks every name once a round, in turn.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable

import dns.asyncresolver
import uvloop

from gatepost.lab.dns import LabDns
from gatepost.net.resolver import DnsResolver, ResolverSettings

HOST = "127.0.9.55"
NAMES = [f"n{number}.x.example" for number in range(1000)]
ROUNDS = 5
ZONE = '*.x.example. 300 TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.example.net -all"\n'


def serve(ready: multiprocessing.Queue[int]) -> None:
    """The name server's process."""

    async def main() -> None:
        ready.put(await LabDns(ZONE).start(HOST))
        await asyncio.Event().wait()

    uvloop.run(main())


async def measure(ask: Callable[[str], Awaitable[object]]) -> float:
    """Microseconds of CPU a question."""
    started = time.process_time()
    for name in NAMES:
        await ask(name)
    return (time.process_time() - started) / len(NAMES) * 1e6


async def compare(port: int) -> None:
    """Each in turn, several times; medians."""
    peer = dns.asyncresolver.Resolver(configure=False)
    peer.nameservers, peer.port = [HOST], port
    taken: dict[str, list[float]] = {"ours": [], "ours, from memory": [], "dnspython": []}
    for _ in range(ROUNDS):
        ours = DnsResolver(ResolverSettings(servers=(f"{HOST}:{port}",)))
        taken["ours"].append(await measure(lambda name, ours=ours: ours.lookup(name, "TXT")))
        taken["ours, from memory"].append(await measure(lambda name, ours=ours: ours.lookup(name, "TXT")))
        taken["dnspython"].append(await measure(lambda name: peer.resolve(name + ".", "TXT")))
    medians = {who: statistics.median(values) for who, values in taken.items()}
    print(f"{'':20} {'CPU us/question':>16} {'times ours':>11}")
    for who, median in medians.items():
        print(f"{who:20} {median:16.1f} {median / medians['ours']:11.2f}")


def main() -> None:
    """Starts the name server, compares, ends it."""
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    process = context.Process(target=serve, args=(ready,), daemon=True)
    process.start()
    try:
        uvloop.run(compare(ready.get(timeout=20)))
    finally:
        process.terminate()
        process.join()


if __name__ == "__main__":
    main()
