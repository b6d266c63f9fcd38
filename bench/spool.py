"""How many messages a second become durable: the spool's group commit against a file and its fsyncs for each message.

In: --size, --messages, --folder. Out: a table of rate, CPU and ratio for 1, 10 and 50 waiters; both in the same run, in
turn, never at once; every message has other octets. Standard: none. Not here: SMTP (`bench/accept.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatepost.names import Envelope, Recipient, Session
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Committer, NewMessage, SpoolShard

NOW = 1_790_000_000.0
SESSION = Session(client_ip="192.0.2.1", ehlo_domain="mx.example.net", protocol="ESMTPS", received_at=NOW)
Add = Callable[[int], Awaitable[object]]


async def load(add: Add, waiters: int, messages: int) -> tuple[float, float, float]:
    """Messages a second, CPU in ms a message, and the slowest wait in ms, with `waiters` sessions in turn."""
    todo = iter(range(messages))
    slowest = 0.0

    async def session() -> None:
        nonlocal slowest
        for number in todo:
            began = time.perf_counter()
            await add(number)
            slowest = max(slowest, time.perf_counter() - began)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(session() for _ in range(waiters)))
    wall = time.perf_counter() - wall
    return messages / wall, (time.process_time() - cpu) / messages * 1000, slowest * 1000


async def with_spool(folder: Path, bodies: list[bytes], waiters: int) -> tuple[float, float, float]:
    """The spool as the server uses it."""
    committer = Committer(SpoolShard.open(folder, 0, SpoolSettings(reserve=0)))

    async def add(number: int) -> str:
        envelope = Envelope(
            mail_from=f"s{number}@example.net", recipients=(Recipient(address=f"r{number}@example.org"),)
        )
        new = NewMessage(id=committer.next_id(NOW), envelope=envelope, session=SESSION, body=bodies[number])
        return await committer.add(new)

    try:
        return await load(add, waiters, len(bodies))
    finally:
        await committer.close()


async def with_files(folder: Path, bodies: list[bytes], waiters: int) -> tuple[float, float, float]:
    """A file, fsync, rename and fsync of the directory for each message, in a thread for each waiter."""
    (folder / "tmp").mkdir()
    (folder / "new").mkdir()
    loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor(waiters)

    def write(number: int) -> None:
        draft, final = folder / "tmp" / str(number), folder / "new" / str(number)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(descriptor, bodies[number])
        os.fsync(descriptor)
        os.close(descriptor)
        os.rename(draft, final)
        directory = os.open(folder / "new", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    try:
        return await load(lambda number: loop.run_in_executor(pool, write, number), waiters, len(bodies))
    finally:
        pool.shutdown()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    print(f"{options.messages} messages of {options.size} octets; ms: CPU a message; max: the slowest wait in ms")
    print(" waiters   spool/s      ms     max   files/s      ms     max   ratio")
    for waiters in (1, 10, 50):
        rows = []
        for contestant in (with_spool, with_files):
            folder = Path(tempfile.mkdtemp(prefix="bench-spool-", dir=options.folder))
            count = options.messages if waiters > 1 else options.messages // 4
            bodies = [os.urandom(options.size) for _ in range(count)]
            try:
                rows.append(asyncio.run(contestant(folder, bodies, waiters)))
            finally:
                shutil.rmtree(folder)
        shown = "".join(f"{rate:10.0f}{cpu:8.3f}{worst:8.1f}" for rate, cpu, worst in rows)
        print(f"{waiters:8}{shown}{rows[0][0] / rows[1][0]:8.1f}")


if __name__ == "__main__":
    main()
