"""Memory: what an idle TLS connection costs, and whether memory grows with the messages that went through.

In: options. Out: a table: resident kilobytes a connection with 2,000 of them, and megabytes after each tenth of 100,000
messages. The server is `gatepost serve` as it would be run; memory is the proportional share (PSS) of all processes, so
that pages shared after the fork count once. Run: python bench/memory.py [--connections 2000] [--messages 100000]
Not here: how fast it is (`smtp`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gate
import psutil
from corpus import make_corpus, zone_lines
from peers import CACHE, PeersMissing, add_zone, build_load, load_scripts

CLIENT = "192.0.2.10"


@contextlib.contextmanager
def running_gate(folder: Path, *, tls: bool) -> Iterator[psutil.Process]:
    """A gate that serves, with a certificate of its own if `tls`, and the name server that the corpus needs."""
    configuration = gate.configure(folder, route="discard", tls=tls)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(gate.command(configuration).split(), stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for_gate(process, folder)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def wait_for_gate(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Returns when the gate greets."""
    import socket

    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit((folder / "log").read_text())
        try:
            socket.create_connection((gate.HOST, gate.PORT), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the gate does not listen")


def memory_of(process: psutil.Process) -> float:
    """Megabytes of the process and its children, shared pages by share."""
    return float(sum(p.memory_full_info().pss for p in (process, *process.children(recursive=True))) / (1 << 20))


async def hold(count: int, process: psutil.Process) -> float:
    """Kilobytes a connection, with `count` of them after STARTTLS and EHLO, doing nothing."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    held = [await secure_session(context) for _ in range(50)]  # what the first ones cost is no cost a connection
    before = memory_of(process)
    gates = asyncio.Semaphore(20)

    async def one() -> None:
        async with gates:
            held.append(await secure_session(context))

    await asyncio.gather(*(one() for _ in range(count)))
    await asyncio.sleep(2)
    after = memory_of(process)
    for writer in held:
        writer.close()
    return (after - before) * 1024 / count


async def secure_session(context: ssl.SSLContext) -> asyncio.StreamWriter:
    """A session that has said EHLO over TLS. One reply is read at a time, so nothing is left in the reader."""
    reader, writer = await asyncio.open_connection(gate.HOST, gate.PORT)
    await _reply(reader)
    for command in (b"EHLO mail.example.com\r\n", b"STARTTLS\r\n"):
        writer.write(command)
        await _reply(reader)
    await writer.start_tls(context, server_hostname="mx.example.net")
    writer.write(b"EHLO mail.example.com\r\n")
    await _reply(reader)
    return writer


async def _reply(reader: asyncio.StreamReader) -> None:
    while True:
        line = await asyncio.wait_for(reader.readline(), 60)
        if line[:1] not in b"23" or not line:
            raise SystemExit(f"unexpected reply: {line!r}")
        if line[3:4] != b"-":
            return


def grow(process: psutil.Process, messages: int) -> list[tuple[int, float]]:
    """Messages sent so far and megabytes, ten times."""
    corpus = CACHE / "corpus"
    manifest, load = make_corpus(corpus, 10240, 400), build_load()
    add_zone(zone_lines(corpus))
    scripts = load_scripts()
    scripts.dns_up()
    readings = []
    sent = 0
    try:
        for _ in range(10):
            share = str(messages // 10)
            where = ["-h", gate.HOST, "-p", str(gate.PORT), "-P", CLIENT, "-m", str(manifest)]
            command = [str(load), *where, "-c", "10", "-n", "100", "-M", share]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            if found["errors"]:
                raise SystemExit(f"errors under load: {found['error']}")
            sent += found["accepted"]
            time.sleep(1)
            readings.append((sent, memory_of(process)))
            print(f"{sent} messages: {readings[-1][1]:.1f} MB, {found['rate']:.0f}/s", file=sys.stderr, flush=True)
    finally:
        for name in list(scripts.procs):
            scripts.kill(name)
    return readings


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=100_000)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000) if hard > 0 else 20_000, hard))
    try:
        if options.connections:
            with running_gate(CACHE / "memory", tls=True) as process:
                each = asyncio.run(hold(options.connections, process))
            print(f"{each:.1f} KB resident for each of {options.connections} idle TLS connections (goal: under 60)\n")
        if options.messages:
            with running_gate(CACHE / "memory", tls=False) as process:
                readings = grow(process, options.messages)
            print("| messages so far | " + " | ".join(f"{sent}" for sent, _ in readings) + " |")
            print("|" + "---|" * (len(readings) + 1))
            print("| MB, all processes | " + " | ".join(f"{size:.1f}" for _, size in readings) + " |")
    except PeersMissing as error:
        print(f"memory bench not run: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
