"""Real DNS programs: Unbound resolves from the lab's name server for our resolver, and dig reads it directly."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neighbour import free_port, wait_for_port

from gatepost.lab.dns import DnsFaults, LabDns
from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.net.zone import ZoneResolver
from gatepost.ports import DnsStatus, Question

ZONE = """
. 300 SOA ns.example. h.example. 1 2 3 4 30
. 300 NS ns.example.
ns.example. A 127.0.9.53
example. SOA ns.example. h.example. 1 2 3 4 30
example. NS ns.example.
a.example. A 192.0.2.1
a.example. AAAA 2001:db8::1
a.example. MX 10 mail.example.
a.example. TXT "v=spf1 " "-all"
alias.example. CNAME a.example.
*.wild.example. TXT "w"
e.ent.example. TXT "x"
null.example. MX 0 .
t.example. TLSA 3 1 1 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB
big.example. TXT "{0}" "{0}" "{0}" "{0}" "{0}" "{0}"
bad.example. A 192.0.2.2
""".format("x" * 250)
QUESTIONS = [
    Question("a.example", "A"),
    Question("a.example", "AAAA"),
    Question("a.example", "MX"),
    Question("a.example", "TXT"),
    Question("a.example", "PTR"),
    Question("alias.example", "AAAA"),
    Question("x.y.wild.example", "TXT"),
    Question("ent.example", "TXT"),
    Question("none.example", "MX"),
    Question("null.example", "MX"),
    Question("t.example", "TLSA"),
    Question("big.example", "TXT"),
    Question("bad.example", "A"),
]
CONFIG = """
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/unbound.pid"
    use-syslog: no
    logfile: "{folder}/unbound.log"
    interface: 127.0.0.1@{port}
    do-ip6: no
    do-not-query-localhost: no
    module-config: "iterator"
    num-threads: 1
stub-zone:
    name: "."
    stub-addr: 127.0.9.53@{upstream}
remote-control:
    control-enable: no
"""


@pytest.fixture
def unbound(report_missing: Callable[[str], None], tmp_path: Path) -> Iterator[Callable[[int], int]]:
    """Starts an Unbound that asks the name server on 127.0.9.53 at the port given; gives its own port."""
    path = shutil.which("unbound", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if path is None:
        report_missing("the program unbound")
        raise AssertionError("report_missing() does not return")
    started: list[subprocess.Popen[bytes]] = []

    def start(upstream: int) -> int:
        port = free_port()
        (tmp_path / "unbound.conf").write_text(CONFIG.format(folder=tmp_path, port=port, upstream=upstream))
        started.append(subprocess.Popen([path, "-d", "-c", str(tmp_path / "unbound.conf")]))
        wait_for_port(port)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def test_unbound_between_our_server_and_our_resolver(unbound: Callable[[int], int]) -> None:
    async def main() -> None:
        server = LabDns(ZONE, DnsFaults(failures=("bad.example",)))
        upstream = await server.start("127.0.9.53")
        port = await asyncio.to_thread(unbound, upstream)
        resolver = DnsResolver(ResolverSettings(servers=(f"127.0.0.1:{port}",), mixed_case="always", attempts=1))
        zone = ZoneResolver(ZONE, failures=("bad.example",))
        for question, answer in zip(QUESTIONS, await resolver.lookup_all(QUESTIONS, 10.0), strict=True):
            expected = zone.answer(question)
            assert (answer.status, answer.records) == (expected.status, expected.records), question
        assert (await resolver.lookup("bad.example", "A")).status is DnsStatus.TEMPFAIL
        server.close()

    asyncio.run(main())


def test_dig_reads_the_lab_name_server(report_missing: Callable[[str], None]) -> None:
    path = shutil.which("dig")
    if path is None:
        report_missing("the program dig")
        return

    async def main() -> None:
        server = LabDns(ZONE)
        port = await server.start("127.0.9.53")

        async def dig(*words: str) -> str:
            arguments = [path, "@127.0.9.53", "-p", str(port), "+time=2", "+tries=1", *words]
            done = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, check=True)
            assert "WARNING" not in done.stdout
            return done.stdout

        assert "192.0.2.1" in await dig("alias.example", "A", "+short")
        assert "status: NXDOMAIN" in await dig("none.example", "A")
        assert "IN\tSOA" in await dig("none.example", "A")
        assert (await dig("big.example", "TXT", "+short")).count("x" * 250) == 6  # dig goes to TCP as well
        assert "192.0.2.1" in await dig("a.example", "A", "+tcp", "+noedns", "+short")
        server.close()

    asyncio.run(main())
