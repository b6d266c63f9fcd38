"""The whole inspection of a message: rate, latency and memory of Gatepost, rspamd and SpamAssassin, on the same mail.

In: options. Out: a table in Markdown: messages a second of processor time (that is, for each core), the 99th percentile
of the time one message takes with two under way, and megabytes. In turn, never at once. Messages of a kind differ.
Kinds: "real" is the shared corpus as it came; "10 KB" text, HTML and a small PDF; "200 KB" with a picture, a PDF and a
zipped document; "5 MB" an archive with fifty files. DNS knows no names and no list is asked, for anybody.
Gatepost is one worker with its children, as `gatepost serve` runs it, without SMTP, spool and disk (bench/smtp.py).
Run: python bench/inspection.py [--seconds 10] [--kinds real,10KB,200KB,5MB] [--only gatepost,rspamd,spamassassin]
Not here: whether they are right (`detection`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from corpus import WORDS
from filters import Filter, FilterMissing, Rspamd, SpamAssassin
from labelled import read_corpus, settings

from gatepost.api import InspectionSettings, inspect_message
from gatepost.inspector.classifier.start import start_model
from gatepost.net.zone import ZoneResolver
from gatepost.sandbox.pool import Sandbox

UNDER_WAY = 2  # messages at once: as many as the machines it was written on have cores
KINDS = ("real", "10KB", "200KB", "5MB")
TICK = os.sysconf("SC_CLK_TCK")
Make = Callable[[random.Random, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`per_core` messages a second of processor time, `rate` a second of the clock, `p99` in milliseconds."""

    name: str
    kind: str
    per_core: float
    rate: float
    p99: float
    megabytes: float
    messages: int


def text_of(source: random.Random, size: int) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(" ".join(source.choice(WORDS) for _ in range(10)) + "\r\n")
    return "".join(lines)


def message(source: random.Random, number: int, parts: Sequence[tuple[str, str, bytes]]) -> bytes:
    """Text and HTML with a few links, and `parts`: type, name, octets."""
    text = text_of(source, 2000)
    links = "".join(f'<a href="https://site{number % 50}.example/{source.random()}">read on</a>\r\n' for _ in range(5))
    out = [
        f"From: Person {number} <p{number}@sender{number % 20}.example>\r\nTo: user@example.net\r\n"
        f"Subject: {source.choice(WORDS)} {number}\r\nDate: Mon, 16 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{number}.{source.random()}@sender.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="o"\r\n\r\n'
        '--o\r\nContent-Type: multipart/alternative; boundary="i"\r\n\r\n'
        f"--i\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
        f"--i\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f"<html><body><p>{text}</p>{links}</body></html>\r\n--i--\r\n"
    ]
    for kind, name, octets in parts:
        coded = base64.encodebytes(octets).decode().replace("\n", "\r\n")
        out.append(
            f'--o\r\nContent-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n{coded}'
        )
    return ("".join(out) + "--o--\r\n").encode()


def pdf(source: random.Random, size: int) -> bytes:
    """A small sound PDF with one page and a stream of `size` octets."""
    stream = zlib.compress(text_of(source, 500).encode()) + source.randbytes(size)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
        b"<</Length %d>>stream\n" % len(stream) + stream + b"\nendstream",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + body + b"endobj\n"
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + table + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(out)


def png(source: random.Random, side: int) -> bytes:
    """A grey picture of noise."""
    rows = b"".join(b"\0" + source.randbytes(side) for _ in range(side))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    head = side.to_bytes(4) * 2 + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def archive(source: random.Random, files: int, size: int) -> bytes:
    """A zip of `files` texts, half of each incompressible."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(files):
            body = text_of(source, 2000).encode() + base64.b64encode(source.randbytes(size * 3 // 4))
            packed.writestr(f"folder/file{number}.txt", body)
    return out.getvalue()


def typical(source: random.Random, number: int) -> bytes:
    return message(source, number, [("application/pdf", "report.pdf", pdf(source, 2500))])


def heavy(source: random.Random, number: int) -> bytes:
    parts = [
        ("image/png", "photo.png", png(source, 260)),
        ("application/pdf", "report.pdf", pdf(source, 40_000)),
        ("application/zip", "files.zip", archive(source, 3, 10_000)),
    ]
    return message(source, number, parts)


def packed(source: random.Random, number: int) -> bytes:
    return message(source, number, [("application/zip", "files.zip", archive(source, 50, 95_000))])


MAKERS: dict[str, tuple[Make, int]] = {"10KB": (typical, 200), "200KB": (heavy, 40), "5MB": (packed, 6)}


def mails_of(kind: str) -> list[bytes]:
    """The messages of a kind, made or from the corpus."""
    if kind == "real":
        mails = [mail.raw.replace(b"\n", b"\r\n") for mail in read_corpus()]
        random.Random(1).shuffle(mails)
        return mails
    make, count = MAKERS[kind]
    return [make(random.Random(f"{kind}{number}"), number) for number in range(count)]


def tree_of(root: int) -> list[int]:
    """The process and all below it."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def cpu_of(root: int) -> float:
    """Seconds of processor time of the tree, of children that have ended too."""
    total = 0
    for pid in tree_of(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICK


def megabytes_of(root: int) -> float:
    """Proportional share of memory of the tree."""
    total = 0
    for pid in tree_of(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def summed(name: str, kind: str, times: list[float], clock: float, cpu: float, root: int) -> Measured:
    times.sort()
    return Measured(
        name=name,
        kind=kind,
        per_core=len(times) / max(cpu, 1 / TICK),
        rate=len(times) / clock,
        p99=1000 * times[min(len(times) - 1, int(0.99 * len(times)))],
        megabytes=megabytes_of(root),
        messages=len(times),
    )


async def run_gatepost(kind: str, mails: Sequence[bytes], seconds: float) -> Measured:
    """One worker's inspection, its content opened by its own children."""
    chosen = InspectionSettings(inspector=settings(classifier=True))
    resolver, times = ZoneResolver(""), []
    start_model()
    async with Sandbox() as sandbox:
        await sandbox.start()

        async def one(raw: bytes) -> None:
            begun = time.perf_counter()
            await inspect_message(raw, resolver=resolver, opener=sandbox, settings=chosen)
            times.append(time.perf_counter() - begun)

        async def worker(first: int) -> None:
            at = first
            while time.perf_counter() < end:
                await one(mails[at % len(mails)])
                at += UNDER_WAY

        await asyncio.gather(*(one(raw) for raw in mails[:4]))  # children are born, readers loaded
        times.clear()
        begun, cpu = time.perf_counter(), cpu_of(os.getpid())
        end = begun + seconds
        await asyncio.gather(*(worker(first) for first in range(UNDER_WAY)))
        clock = time.perf_counter() - begun
        return summed("Gatepost", kind, times, clock, cpu_of(os.getpid()) - cpu, os.getpid())


def run_filter(contestant: Filter, kind: str, mails: Sequence[bytes], seconds: float) -> Measured:
    """The same load on another filter."""
    times: list[float] = []
    assert contestant.process is not None
    root = contestant.process.pid

    def worker(first: int) -> None:
        at = first
        while time.perf_counter() < end:
            begun_one = time.perf_counter()
            contestant.check(mails[at % len(mails)])
            times.append(time.perf_counter() - begun_one)
            at += UNDER_WAY

    for raw in mails[:2]:
        contestant.check(raw)
    begun, cpu = time.perf_counter(), cpu_of(root)
    end = begun + seconds
    with ThreadPoolExecutor(UNDER_WAY) as pool:
        list(pool.map(worker, range(UNDER_WAY)))
    clock = time.perf_counter() - begun
    return summed(f"{contestant.name} {contestant.version}", kind, times, clock, cpu_of(root) - cpu, root)


def own_process(kind: str, seconds: float) -> Measured:
    """Gatepost in a process that holds nothing else, so that its memory is its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        found = asyncio.run(run_gatepost(kind, mails_of(kind), seconds))
        os.write(writing, json.dumps([getattr(found, name) for name in Measured.__slots__]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        values = json.loads(pipe.read() or b"[]")
    os.waitpid(child, 0)
    if not values:
        raise SystemExit("inspection: Gatepost's process ended early")
    return Measured(**dict(zip(Measured.__slots__, values, strict=True)))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each cell")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", default="gatepost,rspamd,spamassassin")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the filters end with us
    kinds = [kind for kind in options.kinds.split(",") if kind in KINDS]
    wanted = options.only.split(",")
    rows = [own_process(kind, options.seconds) for kind in kinds] if "gatepost" in wanted else []
    with tempfile.TemporaryDirectory(prefix="gatepost-inspection-") as folder:
        peers: tuple[tuple[str, type[Filter]], ...] = (("rspamd", Rspamd), ("spamassassin", SpamAssassin))
        for name, make in peers:
            if name in wanted:
                try:
                    with make(Path(folder)) as contestant:
                        rows += [run_filter(contestant, kind, mails_of(kind), options.seconds) for kind in kinds]
                except FilterMissing as error:
                    print(f"inspection: without {name}: {error}", file=sys.stderr)
    if options.json:
        for row in rows:
            print(json.dumps({name: getattr(row, name) for name in Measured.__slots__}))
        return 0
    print("| mail | contestant | messages/s a core | messages/s, two at once | p99 ms | MB | messages |")
    print("|---|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: kinds.index(row.kind)):
        print(f"| {row.kind} | {row.name} | {row.per_core:.1f} | {row.rate:.1f} | {row.p99:.0f} | {row.megabytes:.0f} "
              f"| {row.messages} |")  # fmt: skip
    print("\nMB: proportional share of all its processes (goal for a worker of Gatepost: under 300).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
