"""DKIM verification: ours and dkimpy's, on the same messages, in turn, in one run.

In: nothing (messages are made here or by `corpus`, DNS is a dictionary). Out: milliseconds of CPU a message, ratios.
Run: python bench/dkim_verify.py [--rounds N] [--json], in an environment with requirements-bench.lock and this package.
Each message has its own body and signature, so only DNS answers and decoded keys can be cached. Both sides get octets
and give a verdict; a wrong verdict of either ends the run. Not called dkim.py: that is the name of the peer's module.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

import corpus
import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatepost.dkim import DkimSettings, sign_message, verify
from gatepost.ports import Answer, DnsStatus, Question

NOW = time.time()  # dkimpy signs with the real time
SETTINGS = DkimSettings()
SELECTORS = ("s1", "s2", "s3", "s4")
DOMAINS = tuple(f"sender{n}.example" for n in range(8))


class Dns:
    """TXT answers from a dictionary, as both sides want them."""

    def __init__(self, records: dict[str, bytes]) -> None:
        self.records = records
        self.answers = {
            name: Answer(question=Question(name, "TXT"), status=DnsStatus.OK, records=(text,), ttl=300)
            for name, text in records.items()
        }

    async def lookup(self, name: str, rtype: str) -> Answer:
        return self.answers[name]

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        return tuple(self.answers[question.name] for question in questions)

    def dnsfunc(self, name: bytes, timeout: int = 5) -> bytes:
        return self.records[name.decode().rstrip(".")]


def make_message(size: int, number: int, kind: str) -> bytes:
    """A message of about `size` octets: plain text with runs of white space, or base64 lines, all different."""
    source = random.Random(number * 1000 + size)
    domain = DOMAINS[number % len(DOMAINS)]
    head = (
        f"Received: from mail.{domain} (mail.{domain} [192.0.2.{number % 250}])\r\n"
        f"\tby relay.example with ESMTPS id {source.getrandbits(64):x}; Mon, 21 Sep 2026 12:00:00 +0000\r\n"
        f"Date: Mon, 21 Sep 2026 12:00:00 +0000\r\nFrom: Sender {number} <sender{number}@{domain}>\r\n"
        f"To: Someone <someone@example.org>\r\nSubject: Message {number} of the benchmark\r\n"
        f"Message-ID: <{source.getrandbits(96):x}@{domain}>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: {'text/plain' if kind == 'text' else 'application/pdf'}; charset=utf-8\r\n\r\n"
    )
    lines = []
    length = len(head)
    while length < size:
        if kind == "text":
            words = (f"{source.getrandbits(source.choice((12, 20, 28, 40))):x}" for _ in range(9))
            line = ("  " if source.random() < 0.1 else " ").join(words)
        else:
            line = b64encode(source.randbytes(57)).decode()
        lines.append(line)
        length += len(line) + 2
    return head.encode() + "\r\n".join(lines).encode() + b"\r\n"


def mixed_messages(size: int, count: int) -> tuple[list[bytes], dict[str, bytes]]:
    """The mail of the SMTP benchmarks (text, HTML, attachment), signed by dkimpy, and its key records."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = corpus.make_corpus(folder, size, count)
        messages = [Path(line.split()[0]).read_bytes() for line in manifest.read_text().splitlines()]
        records = {
            f"{corpus.SELECTOR}._domainkey.{domain}": f"v=DKIM1; k=rsa; p={corpus._public(corpus._key(folder, domain))}"
            for domain in corpus.DOMAINS
        }
    return messages, {key: record.encode() for key, record in records.items()}


def signed_messages(size: int, count: int, kind: str, rsa: bool, keys: dict[str, object]) -> list[bytes]:
    messages = []
    for number in range(count):
        domain, selector = DOMAINS[number % len(DOMAINS)], SELECTORS[number % len(SELECTORS)]
        key = keys["rsa" if rsa else "ed25519"]
        raw = make_message(size, number, kind)
        messages.append(sign_message(raw, domain=domain, selector=selector, key=key, now=NOW - 60))  # type: ignore[arg-type]
    return messages


def time_ours(messages: list[bytes], dns: Dns) -> list[float]:
    """Seconds of CPU for each, inside one event loop as in the server."""

    async def run() -> list[float]:
        taken = []
        for raw in messages:
            start = time.thread_time()
            result = await verify(raw, resolver=dns, now=NOW, settings=SETTINGS)
            taken.append(time.thread_time() - start)
            if result.result != "pass":
                sys.exit(f"ours says {result}")
        return taken

    return asyncio.run(run())


def time_dkimpy(messages: list[bytes], dns: Dns) -> list[float]:
    taken = []
    for raw in messages:
        start = time.thread_time()
        is_good = dkimpy.verify(raw, dnsfunc=dns.dnsfunc)
        taken.append(time.thread_time() - start)
        if not is_good:
            sys.exit("dkimpy does not verify")
    return taken


def in_turn(rounds: int, contestants: Sequence[Callable[[], list[float]]]) -> list[float]:
    """For each contestant the sum of each message's best of `rounds`, as other programs on the machine only ever add;
    the contestants take turns, and no message comes twice before all others came."""
    taken: list[list[list[float]]] = [[] for _ in contestants]
    for _ in range(rounds):
        for times, contestant in zip(taken, contestants, strict=True):
            times.append(contestant())
    return [sum(map(min, zip(*times, strict=True))) for times in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    spki = b64encode(rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    raw_key = b64encode(ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    names = [f"{s}._domainkey.{d}" for s in SELECTORS for d in DOMAINS]
    keys: dict[str, object] = {"rsa": rsa, "ed25519": ed25519}
    rows = []
    for size, count, kind, is_rsa in (
        (10_000, 60, "mixed", True),
        (10_000, 60, "text", True),
        (10_000, 60, "base64", True),
        (10_000, 60, "text", False),
        (100_000, 10, "mixed", True),
        (100_000, 10, "text", True),
        (1_000_000, 4, "mixed", True),
        (1_000_000, 4, "text", True),
    ):
        if kind == "mixed":
            messages, records = mixed_messages(size, count)
        else:
            messages = signed_messages(size, count, kind, is_rsa, keys)
            records = dict.fromkeys(
                names, b"v=DKIM1; k=rsa; p=" + spki if is_rsa else b"v=DKIM1; k=ed25519; p=" + raw_key
            )
        dns = Dns(records)
        contestants: list[Callable[[], list[float]]] = [lambda m=messages, d=dns: time_ours(m, d)]  # type: ignore[misc]
        if is_rsa:  # dkimpy needs pynacl for Ed25519
            contestants.append(lambda m=messages, d=dns: time_dkimpy(m, d))  # type: ignore[misc]
        ours, *theirs = (taken / count * 1000 for taken in in_turn(arguments.rounds, contestants))
        rows.append(
            {
                "size": size,
                "body": kind,
                "algorithm": "rsa-2048" if is_rsa else "ed25519",
                "gatepost_ms": round(ours, 4),
                "dkimpy_ms": round(theirs[0], 4) if theirs else None,
                "ratio": round(theirs[0] / ours, 1) if theirs else None,
            }
        )
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{'octets':>9} {'body':7} {'key':9} {'gatepost ms':>12} {'dkimpy ms':>10} {'ratio':>6}")
    for row in rows:
        theirs_text = "-" if row["dkimpy_ms"] is None else f"{row['dkimpy_ms']:.3f}"
        print(
            f"{row['size']:>9} {row['body']:7} {row['algorithm']:9} {row['gatepost_ms']:>12.4f} "
            f"{theirs_text:>10} {row['ratio'] or '-':>6}"
        )


if __name__ == "__main__":
    main()
