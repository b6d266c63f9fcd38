"""The whole of sender authentication (SPF, DKIM, DMARC, ARC): ours and authheaders', in turn, in one run.

In: nothing (mail of `corpus`, a DNS server of a few lines in a child process on loopback). Out: milliseconds of CPU a
message and the ratios. Run: python bench/authentication.py, in an environment with requirements-bench.lock.
Messages differ (sender, body, signature). Ours also looks for the client's name in reverse DNS, which authheaders does
not; both write an Authentication-Results. "suffixes kept": authheaders with its public suffix list read once and not,
as it is shipped, four times a message. A wrong result of either side ends the run.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import authheaders
import authheaders.dmarc_lookup
import corpus
import dns.message
import dns.resolver
import dns.rrset
import dns.zone
import uvloop
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatepost.arc import seal_message
from gatepost.message.message import parse_message
from gatepost.msgauth.arc import ArcResult, ArcStatus
from gatepost.msgauth.authenticate import authenticate
from gatepost.msgauth.authres import (
    describe_arc,
    describe_dkim,
    describe_dmarc,
    describe_spf,
    write_authentication_results,
)
from gatepost.names import Session
from gatepost.net.resolver import DnsResolver, ResolverSettings

IP, EHLO, OURS = "192.0.2.10", "mail.example.com", "mx.example.net"
SESSION = Session(client_ip=IP, ehlo_domain=EHLO, protocol="ESMTPS")
MORE = f"""
{EHLO}. IN A {IP}
{EHLO}. IN TXT "v=spf1 a -all"
10.2.0.192.in-addr.arpa. IN PTR {EHLO}.
"""
Mail = tuple[bytes, str]  # octets, envelope sender


def serve(ready: Connection, zone_text: str) -> None:
    """Answers from octets made beforehand, found by the question section; what is not there does not exist."""
    replies: dict[bytes, bytes] = {}
    zone = dns.zone.from_text("@ IN SOA . . 1 1 1 1 300\n@ IN NS .\n" + zone_text, origin=".", relativize=False)
    for name, rdataset in zone.iterate_rdatasets():
        query = dns.message.make_query(name, rdataset.rdtype)
        reply = dns.message.make_response(query)
        reply.answer.append(dns.rrset.from_rdata_list(name, 300, list(rdataset)))
        replies[question_of(query.to_wire())] = reply.to_wire()[4:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    ready.send(server.getsockname()[1])
    soa = b"\0\0\6\0\1\0\0\1\x2c\0\x16\0\0" + b"\0\0\0\1" * 4 + b"\0\0\1\x2c"  # RFC 2308: so that "no" can be kept
    while True:
        octets, peer = server.recvfrom(4096)
        question = question_of(octets)
        rest = replies.get(question)
        if rest is None:
            server.sendto(octets[:2] + b"\x81\x83\0\1\0\0\0\1\0\0" + octets[12 : 12 + len(question)] + soa, peer)
        else:
            count = len(question)
            server.sendto(octets[:2] + b"\x81\x80" + rest[:8] + octets[12 : 12 + count] + rest[8 + count :], peer)


def question_of(octets: bytes) -> bytes:
    """The question section in lower case: the name up to the empty label, type and class."""
    return octets[12 : octets.index(b"\0", 12) + 5].lower()


def read_mail(folder: Path, size: int, count: int, seal: bool) -> list[Mail]:
    """Messages with their envelope senders; with `seal` each has passed a forwarder that sealed it (ARC)."""
    mail = []
    for line in corpus.make_corpus(folder, size, count).read_text().splitlines():
        path, sender, _ = line.split()
        raw = Path(path).read_bytes()
        if seal:
            domain = corpus.DOMAINS[len(mail) % len(corpus.DOMAINS)]
            key = load_pem_private_key(corpus._key(folder, domain), None)
            raw = seal_message(
                raw,
                chain=ArcResult(result=ArcStatus.NONE),
                results=f"{domain}; spf=pass smtp.mailfrom={sender}".encode(),
                domain=domain,
                selector=corpus.SELECTOR,
                key=key,  # type: ignore[arg-type]
                now=time.time() - 60,
            )
        mail.append((raw, sender))
    return mail


def check_ours(mail: list[Mail], port: int, arc: str) -> float:
    """Seconds of CPU for all, the second time over: keys, records and answers are cached, as in a gate that runs."""

    async def run() -> float:
        resolver = DnsResolver(ResolverSettings(servers=(f"127.0.0.1:{port}",)))
        started = 0.0
        for _ in range(2):
            started = time.process_time()
            for raw, sender in mail:
                results = await authenticate(parse_message(raw), SESSION, sender, resolver, time.time())
                assert results.spf_mail_from is not None
                methods = (
                    describe_spf(results.spf_mail_from, sender),
                    *describe_dkim(results.dkim),
                    describe_dmarc(results.dmarc),
                    describe_arc(results.arc, IP),
                )
                write_authentication_results(OURS, methods)
                found = [str(one.result) for one in (results.spf_mail_from, results.dkim, results.dmarc, results.arc)]
                if found != ["pass", "pass", "pass", arc]:
                    sys.exit(f"gatepost says {results}")
        return time.process_time() - started

    return uvloop.run(run())


def check_theirs(mail: list[Mail], port: int, arc: str) -> float:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    dns.resolver.default_resolver = resolver
    started = time.process_time()
    for raw, sender in mail:
        field = authheaders.authenticate_message(
            raw, OURS, spf=True, dkim=True, arc=True, dmarc=True, ip=IP, mail_from=sender, helo=EHLO
        )
        if not all(word in field for word in ("spf=pass", "dkim=pass", "dmarc=pass", f"arc={arc}")):
            sys.exit(f"authheaders says {field}")
    return time.process_time() - started


def keep_suffixes(keep: bool, original: Callable[[str], str] = authheaders.dmarc_lookup.get_org_domain) -> None:
    """Lets authheaders keep what its suffix list says of a domain, or read the list every time, as it is shipped."""
    function = functools.lru_cache(None)(original) if keep else original
    authheaders.dmarc_lookup.get_org_domain = authheaders.get_org_domain = function


def compare(folder: Path, port: int, size: int, count: int, seal: bool, rounds: int) -> dict[str, Any]:
    """The best of `rounds` for each, in turn; other programs on the machine only ever add."""
    mail, arc = read_mail(folder, size, count, seal), "pass" if seal else "none"
    ours, shipped, kept = [], [], []
    for _ in range(rounds):
        ours.append(check_ours(mail, port, arc) / count)
        keep_suffixes(False)
        shipped.append(check_theirs(mail[:3], port, arc) / 3)
        keep_suffixes(True)
        check_theirs(mail[: len(corpus.DOMAINS)], port, arc)
        kept.append(check_theirs(mail[: len(corpus.DOMAINS)], port, arc) / len(corpus.DOMAINS))
    row = {
        "octets": size,
        "sealed": seal,
        "gatepost": min(ours),
        "authheaders": min(shipped),
        "suffixes kept": min(kept),
    }
    return row | {"ratio": min(shipped) / min(ours), "ratio, suffixes kept": min(kept) / min(ours)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Sender authentication: gatepost against authheaders.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = multiprocessing.Pipe()
        zone = corpus.zone_lines(folder) + MORE
        child = multiprocessing.Process(target=serve, args=(theirs, zone), daemon=True)
        child.start()
        try:
            port = ours.recv()
            cases = ((10_240, 100, False), (10_240, 100, True), (102_400, 20, False))
            rows = [compare(folder, port, size, count, seal, options.rounds) for size, count, seal in cases]
        finally:
            child.terminate()
    if options.json:
        print(json.dumps(rows))
        return
    print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
    for row in rows:
        cells = [f"{v * 1000:.3f}" if k in {"gatepost", "authheaders", "suffixes kept"} else v for k, v in row.items()]
        print("| " + " | ".join(f"{c:.0f}" if isinstance(c, float) else str(c) for c in cells) + " |")
    print("\nMilliseconds of CPU a message, best of the rounds.")


if __name__ == "__main__":
    main()
