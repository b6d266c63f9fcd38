"""Audits: many domains beside checkdmarc on the checks both do, and what memory a stream of domains takes.

In: options. Out: domains a second and processor time a domain, for DNS alone and with STARTTLS at the mail exchangers,
and the ratios; resident memory after so many domains. Both ask the same NSD on loopback and the same SMTP server; they
run in turn, never at once. What both do: SOA and NS, MX with addresses, SPF with its tree, DMARC with the walk, MTA-STS
and TLS-RPT records, BIMI, DNSSEC (`--quick`); with STARTTLS the handshake at port 25, chain and name checked. They
try 465 as well.
The whole runs in a network of its own (root): checkdmarc's name server must be in resolv.conf and have port 53.
Run: python bench/audit.py [--domains 1000] [--rounds 2] [--stream 20000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "interop")]

from checkdmarc_world import inside  # noqa: E402
from neighbour import Running, tool  # noqa: E402

from gatepost.net.authority import make_authority  # noqa: E402

THEIRS = """
import sys, checkdmarc
found = checkdmarc.check_domains(sys.stdin.read().split(), timeout=5.0, check_mx_tls=len(sys.argv) > 1)
good = sum(bool(one["spf"]["valid"] and one["dmarc"]["valid"] and one["mx"]["hosts"]) for one in found)
tls = sum(all(host.get("starttls") for host in one["mx"]["hosts"]) for one in found)
print(len(found), good, tls)
"""
NSD = """
server:
  ip-address: 127.0.0.1
  port: 53
  server-count: 1
  username: root
  zonesdir: {d}
  database: ""
  pidfile: ""
  logfile: {d}/nsd.log
  xfrdfile: ""
  zonelistfile: {d}/zones.list
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
"""
CONFIG = """
hostname = "audit.test"
[dns]
servers = ["127.0.0.1"]
[audit]
common_selectors = false
lookalikes = 0
recipients = false
tls = "off"
depth = "quick"
pause = 0
private = ["127.0.0.0/8"]
"""
ZONE = """$ORIGIN {n}.
$TTL 300
@ SOA ns1 h 1 2 3 4 300
@ NS ns1
@ NS ns2
ns1 A 127.0.0.1
ns2 A 127.0.0.1
@ MX 10 a{i}.mx.test.
@ MX 20 b{i}.mx.test.
@ TXT "v=spf1 mx include:_spf.{n} include:_spf.shared.test -all"
_spf TXT "v=spf1 a:a{i}.mx.test ip4:192.0.2.{o} -all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{n}"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{n}"
"""


def write_zones(folder: Path, count: int) -> list[str]:
    """A zone for each domain, one for what they share, one for reverse names, and the root for all else."""
    names = [f"d{i}.test" for i in range(count)]
    zones = {name: ZONE.format(n=name, i=i, o=i % 256) for i, name in enumerate(names)}
    head = "$TTL 300\n@ SOA ns1.shared.test. h.shared.test. 1 2 3 4 300\n@ NS ns1.shared.test.\n"
    hosts = [f"{kind}{i} A {_address(kind, i)}" for i in range(count) for kind in "ab"]
    zones["mx.test"] = head + "\n".join(hosts) + "\n"
    zones["shared.test"] = head + 'ns1 A 127.0.0.1\n_spf TXT "v=spf1 ip4:198.51.100.0/24 -all"\n'
    reverse = [f"{_reversed(_address(kind, i))} PTR {kind}{i}.mx.test." for i in range(count) for kind in "ab"]
    zones["127.in-addr.arpa"] = head + "\n".join(reverse) + "\n"
    zones["."] = head
    lines = [NSD.format(d=folder)]
    for number, (name, text) in enumerate(zones.items()):
        (folder / f"z{number}").write_text(text)
        lines.append(f"zone:\n  name: {name}\n  zonefile: z{number}\n")
    (folder / "nsd.conf").write_text("\n".join(lines))
    return names


def _reversed(address: str) -> str:
    return ".".join(reversed(address.split(".")[1:]))


def _address(kind: str, number: int) -> str:
    return f"127.{10 if kind == 'a' else 20}.{number // 250}.{number % 250 + 1}"


async def serve_smtp(folder: Path) -> None:
    """An SMTP server at port 25 of all of loopback, with STARTTLS and one certificate for all hosts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 mx.test ESMTP\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    secure = writer.get_extra_info("ssl_object") is not None
                    writer.write(b"250-mx.test\r\n250 SIZE\r\n" if secure else b"250-mx.test\r\n250 STARTTLS\r\n")
                elif verb == b"STAR":
                    writer.write(b"220 go\r\n")
                    await writer.start_tls(context)
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(session, "0.0.0.0", 25, backlog=1000)
    async with server:
        await server.serve_forever()


def write_certificate(folder: Path) -> None:
    authority = make_authority("bench", now=time.time())
    issued = authority.issue(["*.mx.test"], now=time.time())
    for name, octets in (("chain.pem", issued.chain), ("key.pem", issued.key), ("ca.pem", authority.pem)):
        (folder / name).write_bytes(octets)


@dataclass(frozen=True)
class Ran:
    """How long a program took, what processor time it and its children took (seconds), and what it said."""

    seconds: float
    processor: float
    said: str


def run(command: list[str], names: list[str], folder: Path) -> Ran:
    """A program with `names` on its standard input."""
    environment = os.environ | {"SSL_CERT_FILE": str(folder / "ca.pem")}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, input="\n".join(names), capture_output=True, text=True, env=environment, check=False)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(seconds, processor, done.stdout)


def gatepost(folder: Path, *more: str) -> list[str]:
    """Our command."""
    config = ("--config", str(folder / "gatepost.toml"))
    return [sys.executable, "-m", "gatepost", "audit", "--from", "-", "--json", "--fail-on", "never", *config, *more]


def ours(folder: Path, names: list[str], *, tls: bool) -> Ran:
    """The audit; `said` as checkdmarc's program says it: domains, good ones, those with TLS at all exchangers."""
    ran = run(gatepost(folder, "--at-once", "64", *([] if tls else ["--no-ports"])), names, folder)
    answers = [json.loads(line) for line in ran.said.splitlines()]
    codes = [{one["code"]: one["severity"] for one in answer["findings"]} for answer in answers]
    good = sum(one.get("spf.ends-open") == "pass" and one.get("dmarc.policy") == "pass" for one in codes)
    services = [answer["facts"]["services"] or () for answer in answers]
    secure = sum(sum(bool(one["tls"] and one["tls"]["trusted"]) for one in some) == 2 for some in services)
    return Ran(ran.seconds, ran.processor, f"{len(answers)} {good} {secure}")


def contest(folder: Path, names: list[str], rounds: int) -> None:
    python = tool.venv_python("checkdmarc")
    if python is None:
        print("checkdmarc is missing: python tools/neighbours.py checkdmarc")
        return
    for title, tls in (("DNS", False), ("DNS and STARTTLS", True)):
        mine, peers = [], []
        for _ in range(rounds):
            mine.append(ours(folder, names, tls=tls))
            peers.append(run([str(python), "-c", THEIRS, *(["tls"] if tls else [])], names, folder))
            said, told = mine[-1].said.split(), peers[-1].said.split()
            if said[:2] != told[:2] or (tls and said != told):
                print(f"they do not agree (domains, good, with TLS): gatepost {said}, checkdmarc {told}")
        a, b = (statistics.median(one.seconds for one in some) for some in (mine, peers))
        c, d = (1000 * statistics.median(one.processor for one in some) / len(names) for some in (mine, peers))
        print(
            f"{title:<18} gatepost {len(names) / a:6.1f}/s, {c:5.1f} ms CPU each; checkdmarc {len(names) / b:6.1f}/s, "
            f"{d:5.1f} ms; ratio {b / a:.1f}, by CPU {d / c:.1f}"
        )


def memory(folder: Path, names: list[str], count: int) -> None:
    """Resident memory while a stream of domains passes, most of them names that do not exist."""
    command = gatepost(folder, "--no-ports", "--at-once", "64")
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    marks = {count // 20, count // 4, count // 2, count - 64}  # at the very end it is gone
    feeder = os.fork()
    if feeder == 0:
        process.stdout.close()
        for number in range(count):
            name = names[number % len(names)] if number % 3 == 0 else f"host{number}.{names[number % len(names)]}"
            process.stdin.write(name + "\n")
        process.stdin.flush()
        os._exit(0)
    process.stdin.close()
    begun = time.perf_counter()
    for done, _ in enumerate(process.stdout, 1):
        if done in marks:
            speed = done / (time.perf_counter() - begun)
            print(f"after {done:>7} domains: {_resident(process.pid):.0f} MB, {speed:.0f}/s")
    os.waitpid(feeder, 0)
    process.wait()


def _resident(pid: int) -> float:
    """MB of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = 0.0
    for one in (str(pid), *children):
        lines = Path(f"/proc/{one}/status").read_text().splitlines()
        found += int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--stream", type=int, default=20_000)
    parser.add_argument("--smtp", help=argparse.SUPPRESS)  # the server's own process
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.smtp:
        asyncio.run(serve_smtp(Path(options.smtp)))
    if not options.inside:
        with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as name:
            resolv = Path(name) / "resolv.conf"
            resolv.write_text("nameserver 127.0.0.1\n")
            return subprocess.run(inside(resolv, sys.executable, *sys.argv, "--inside"), check=False).returncode
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as name:
        folder = Path(name)
        names = write_zones(folder, options.domains)
        write_certificate(folder)
        (folder / "gatepost.toml").write_text(CONFIG)
        nsd = tool.found("nsd")
        if nsd is None:
            print("nsd is missing: python tools/neighbours.py nsd")
            return 1
        running = [
            Running([nsd, "-d", "-c", str(folder / "nsd.conf")], folder),
            Running([sys.executable, str(Path(__file__).resolve()), "--smtp", str(folder)], folder),
        ]
        try:
            time.sleep(3)
            if options.rounds:
                contest(folder, names, options.rounds)
            if options.stream:
                memory(folder, names, options.stream)
        finally:
            for one in running:
                one.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
