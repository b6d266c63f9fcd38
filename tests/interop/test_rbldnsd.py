"""A real list server: every kind of list is asked as it wants to be, and one that lies, hangs, refuses or babbles stops
no mail and fakes no verdict (RFC 5782; TRAPS, "Block list through a public resolver")."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neighbour import free_port, tool, wait_for_port
from rbldnsd import BadServer, Rbldnsd

from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.reputation import Lists, ListsSettings, Subject, SubjectKind
from gatepost.reputation.settings import CodeSettings, DnsListSettings
from running import NameServer, RunningGate, mail

Start = Callable[[dict[str, tuple[str, str]]], Rbldnsd]
FILE = hashlib.sha256(b"evil").hexdigest()


@pytest.fixture
def rbldnsd(report_missing: Callable[[str], None]) -> Iterator[Start]:
    """Starts list servers."""
    program = tool.found("rbldnsd")
    if program is None:
        report_missing("the program rbldnsd")
    started: list[Rbldnsd] = []

    def start(zones: dict[str, tuple[str, str]]) -> Rbldnsd:
        started.append(Rbldnsd(str(program), zones))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def _base32(hexadecimal: str) -> str:
    import base64

    return base64.b32encode(bytes.fromhex(hexadecimal)).decode().rstrip("=").lower()


KINDS = {
    "ip.test": ("ip4set", ":127.0.0.2:spam\n127.0.0.2\n192.0.2.0/28\n!192.0.2.5\n198.51.100.9 :127.0.0.10:dialup\n"),
    "six.test": ("ip6trie", ":127.0.0.2:spam\n::ffff:7f00:2 \n2001:db8:1::/48\n"),
    "names.test": ("dnset", ":127.0.0.2:spam\ntest\n.evil.example\n"),
    "uri.test": ("dnset", "test :127.0.0.2:\nbad.example :127.0.0.72:\n"),
    "mails.test": ("dnset", f":127.0.0.2:\n{hashlib.sha1(b'victor@fraud.example').hexdigest()}\n"),
    "files.test": ("dnset", f":127.0.3.10:\n{_base32(FILE)}\n"),
}
OWN = {
    "ip": DnsListSettings(
        kind="ip",
        zone="ip.test",
        codes={
            "127.0.0.2": CodeSettings(meaning="spam", weight=3.0),
            "127.0.0.10": CodeSettings(meaning="dialup", weight=2.0, client_only=True),
        },
    ),
    "six": DnsListSettings(kind="ip", zone="six.test", test_listed="2001:db8:1::2", test_unlisted="::1"),
    "names": DnsListSettings(kind="domain", zone="names.test", names="host"),
    "uri": DnsListSettings(
        kind="uri",
        zone="uri.test",
        bitmask=True,
        codes={"8": CodeSettings(meaning="phish", weight=4.0), "2": CodeSettings(meaning="test", weight=0.1)},
    ),
    "mails": DnsListSettings(kind="email", zone="mails.test", hashing="sha1"),
    "files": DnsListSettings(kind="hash", zone="files.test"),
}


def test_every_kind_of_list(rbldnsd: Start) -> None:
    server = rbldnsd(KINDS)
    resolver = DnsResolver(ResolverSettings(servers=(f"127.0.0.1:{server.port}",)))
    subjects = [
        (SubjectKind.IP, "192.0.2.1", "client"),
        (SubjectKind.IP, "198.51.100.9", "path"),  # a home connection further back
        (SubjectKind.DOMAIN, "mx.evil.example", "ehlo"),
        (SubjectKind.HOST, "www.bad.example", "link"),
        (SubjectKind.HOST, "good.example", "link"),
        (SubjectKind.EMAIL, "Victor+x@fraud.example", "text"),
        (SubjectKind.HASH, FILE, "a.exe"),
    ]

    async def main() -> list[tuple[str, str, str]]:
        lists = Lists(ListsSettings(use=tuple(OWN), dns=OWN), resolver)
        now = time.time()
        await lists.probe(now)
        assert {name: lists.health.of(name).reason for name in OWN} == dict.fromkeys(OWN, "")
        found = await lists.check([Subject(kind=k, value=v, where=w) for k, v, w in subjects], now)
        assert found.trouble == ()
        six = await lists.check_client("2001:db8:1::99", now)
        excluded = await lists.check_client("192.0.2.5", now)
        assert excluded.listed == ()
        return [(one.one.name, one.subject.value, one.says) for one in (*found.listed, *six.listed)]

    assert asyncio.run(main()) == [
        ("ip", "192.0.2.1", "spam"),
        ("names", "mx.evil.example", "listed"),
        ("uri", "www.bad.example", "phish"),
        ("mails", "Victor+x@fraud.example", "listed"),
        ("files", FILE, "listed"),
        ("six", "2001:db8:1::99", "listed"),
    ]


UNBOUND = """
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
remote-control:
    control-enable: no
"""
STUB = 'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1@{port}\n    stub-prime: no\n'
ZONES = {
    "honest.bl.example": ("dnset", ":127.0.0.2:\ntest\n.sender.example\n"),
    "liar.bl.example": ("ip4set", ":127.0.0.2:\n0.0.0.0/1\n128.0.0.0/1\n"),
    "refuses.bl.example": ("dnset", ":127.255.255.254:\ntest\ninvalid\n.example\n"),
    "parked.bl.example": ("dnset", ":192.0.2.80:\ntest\ninvalid\n.example\n"),
    "empty.bl.example": ("dnset", "nothing.example\n"),
}
LISTS = """
[lists]
use = ["honest", "liar", "refuses", "parked", "empty", "hangs", "babbles"]
deadline = 1.0
watch_own = false
"""


def _described(zone: str) -> str:
    name, kind = zone.partition(".")[0], "ip" if zone.startswith("liar") else "domain"
    return f'[lists.dns.{name}]\nkind = "{kind}"\nzone = "{zone}"\nweight = 0.5\n'


@pytest.fixture
def unbound(report_missing: Callable[[str], None], tmp_path: Path) -> Iterator[Callable[[dict[str, int]], int]]:
    """Starts an Unbound that asks the port given for each zone."""
    path = shutil.which("unbound", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if path is None:
        report_missing("the program unbound")
    started: list[subprocess.Popen[bytes]] = []

    def start(zones: dict[str, int]) -> int:
        port = free_port()
        stubs = "".join(STUB.format(zone=zone, port=where) for zone, where in zones.items())
        (tmp_path / "unbound.conf").write_text(UNBOUND.format(folder=tmp_path, port=port) + stubs)
        started.append(subprocess.Popen([str(path), "-d", "-c", str(tmp_path / "unbound.conf")]))
        wait_for_port(port)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def test_bad_lists_neither_stop_mail_nor_fake_a_verdict(
    rbldnsd: Start, unbound: Callable[[dict[str, int]], int], tmp_path: Path
) -> None:
    good, names = rbldnsd(ZONES), NameServer()
    hanging, babbling = BadServer(None), BadServer(b"\x85\x80\x00\x01\xff\xff" + bytes(range(256)))
    ports = {"example": names.port, "hangs.bl.example": hanging.port, "babbles.bl.example": babbling.port}
    ports |= dict.fromkeys(ZONES, good.port)
    described = "".join(_described(zone) for zone in (*ZONES, "hangs.bl.example", "babbles.bl.example"))
    gate = RunningGate(tmp_path, unbound(ports), more=LISTS + described)
    try:
        sick = {"liar", "refuses", "parked", "empty", "hangs", "babbles"}
        _until_tested(gate, sick)
        code, text = gate.send(mail("listed"))
        assert code == 250, text
        gate.delivered("ann")
        (entry,) = gate.cli_json("log")
        found = {finding["code"]: finding for finding in entry["findings"] if finding["code"].startswith("list.")}
        assert entry["action"] == "accept"
        assert set(found) == {"list.domain", "list.sick"}
        assert {one["list"] for one in found["list.domain"]["evidence"]["listings"]} == {"honest"}
        assert set(found["list.sick"]["evidence"]["trouble"]) == sick
        assert hanging.asked
        assert babbling.asked
    finally:
        gate.stop()
        for server in (hanging, babbling, names):
            server.stop()


def _until_tested(gate: RunningGate, sick: set[str]) -> None:
    """Both reception processes have tested all lists."""
    from running import until

    until(lambda: all(gate.log.count(f"list-sick list={name} ") == 2 for name in sick), "all lists are tested")
