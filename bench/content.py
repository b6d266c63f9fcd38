"""How long the sandbox takes to open messages, and how much memory it holds: `.venv/bin/python bench/content.py`.

In: nothing; the messages are made here, no two alike. Out: per kind of message the round trip (median and p99),
messages a second of processor time (parent and child together), and the memory of the parent, the nursery and its
children (PSS: what is shared counts once). Not here: what is found (`attachments.py`), the whole inspection
(`stages.py`).
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
import random
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gatepost.sandbox.pool import Sandbox
from gatepost.sandbox.settings import ContentSettings

WORDS = ["invoice", "meeting", "please", "find", "attached", "the", "report", "customer", "regards", "Hamburg", "price"]


def text(rng: random.Random, size: int) -> str:
    """Words of about this many octets."""
    return " ".join(rng.choices(WORDS, k=size // 7))


def page(rng: random.Random, size: int) -> str:
    """A page as newsletters have them."""
    rows = []
    while sum(map(len, rows)) < size:
        link = f"https://www.example.org/{rng.randrange(10**9)}"
        rows.append(
            f'<tr><td style="color:#333;padding:4px"><a href="{link}">{text(rng, 20)}</a> {text(rng, 120)}</td></tr>'
        )
    return f"<html><head><style>td{{font-size:12px}}</style></head><body><table>{''.join(rows)}</table></body></html>"


def message(rng: random.Random, parts: list[tuple[str, str, bytes]]) -> bytes:
    """A multipart of (type, name, octets)."""
    head = f"From: a@example.org\r\nTo: b@example.net\r\nSubject: {text(rng, 40)}\r\nMIME-Version: 1.0\r\n"
    out = [head + 'Content-Type: multipart/mixed; boundary="b"\r\n']
    for kind, name, octets in parts:
        named = f'Content-Disposition: attachment; filename="{name}"\r\n' if name else ""
        body = base64.encodebytes(octets).decode().replace("\n", "\r\n")
        out.append(f"--b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{named}\r\n{body}")
    return "\r\n".join([*out, "--b--\r\n"]).encode()


def archive(rng: random.Random, size: int) -> bytes:
    """A zip of this size of octets that do not pack."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(10):
            packed.writestr(f"photo-{number}.jpg", b"\xff\xd8\xff\xe0" + rng.randbytes(size // 10))
    return out.getvalue()


def plain(rng: random.Random) -> bytes:
    return f"From: a@example.org\r\nSubject: x\r\n\r\n{text(rng, 4000)} https://example.org/{rng.random()}\r\n".encode()


def html(rng: random.Random) -> bytes:
    return message(rng, [("text/html; charset=utf-8", "", page(rng, 7000).encode())])


def typical(rng: random.Random) -> bytes:
    return message(
        rng,
        [
            ("text/plain; charset=utf-8", "", text(rng, 2500).encode()),
            ("text/html; charset=utf-8", "", page(rng, 5000).encode()),
        ],
    )


def attached(rng: random.Random) -> bytes:
    kinds = [
        ("image/jpeg", "a.jpg", b"\xff\xd8\xff\xe0" + rng.randbytes(70_000)),
        ("application/zip", "a.zip", archive(rng, 60_000)),
    ]
    return message(rng, [("text/html; charset=utf-8", "", page(rng, 5000).encode()), *kinds])


def large(rng: random.Random) -> bytes:
    return message(rng, [("text/plain", "", b"see"), ("application/zip", "a.zip", archive(rng, 3_800_000))])


def memory(pid: int) -> tuple[int, int]:
    """RSS and PSS in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    values = dict(line.split(":") for line in lines)
    return tuple(int(values[key].split()[0]) >> 10 for key in ("Rss", "Pss"))  # type: ignore[return-value]


def cpu(pids: list[int]) -> float:
    """Seconds of processor time these processes used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


async def measure(sandbox: Sandbox, name: str, make: Callable[[random.Random], bytes], count: int) -> None:
    rng = random.Random(name)
    messages = [make(rng) for _ in range(count)]
    for raw in messages[: count // 10]:
        await sandbox.begin(raw)
    times = []
    pids = [os.getpid(), *(child.pid for child in sandbox._idle)]
    before = cpu(pids)
    for raw in messages:
        start = time.perf_counter()
        opened = await sandbox.begin(raw)
        times.append(time.perf_counter() - start)
        assert not [t for t in opened.trouble if t.code not in ("damaged",)], opened.trouble
    used = cpu(pids) - before
    median, p99 = statistics.median(times), sorted(times)[int(len(times) * 0.99)]
    size = sum(map(len, messages)) // count >> 10
    rate = count / max(used, 0.001)
    print(f"{name:10} {size:6} KB  median {median * 1000:8.2f} ms  p99 {p99 * 1000:8.2f} ms  {rate:8.0f}/s a core")


def processes(sandbox: Sandbox) -> Iterator[tuple[str, int]]:
    yield "parent", os.getpid()
    assert sandbox._nursery._process is not None
    yield "nursery", sandbox._nursery._process.pid
    for number, child in enumerate(sandbox._idle):
        yield f"child {number}", child.pid


async def main() -> None:
    async with Sandbox(ContentSettings(messages_per_child=100_000)) as sandbox:
        start = time.perf_counter()
        await sandbox.start()
        walls = ", ".join(name for name, reason in sandbox.layers.items() if not reason)
        print(f"first child after {time.perf_counter() - start:.2f} s; walls: {walls}")
        for name, make, count in (
            ("plain", plain, 1000),
            ("html", html, 500),
            ("typical", typical, 500),
            ("attached", attached, 200),
            ("large", large, 12),
        ):
            await measure(sandbox, name, make, count)
        await asyncio.gather(*[sandbox.begin(typical(random.Random(n))) for n in range(40)])
        total = 0
        for name, pid in processes(sandbox):
            rss, pss = memory(pid)
            total += pss
            print(f"{name:10} RSS {rss:4} MB  PSS {pss:4} MB")
        print(f"together   {total} MB")


if __name__ == "__main__":
    asyncio.run(main())
