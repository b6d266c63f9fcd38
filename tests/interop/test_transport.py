"""TLS that cannot be stripped, with real neighbours: Knot signs zones, Unbound validates them, Postfix receives with
certificates that are right, wrong and expired, and a web server hands out MTA-STS policies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest
from knot import Knot
from neighbour import Running, free_port, tool, wait_for_port, wait_until
from postfix import Postfix

from certificates import Made
from gatepost.msgauth.tlsa import tlsa_data
from gatepost.names import Envelope, Recipient, Tls
from gatepost.net.pages import PageFetcher
from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.dane import Dane, find_dane
from gatepost.server.delivery.demands import Demands, SessionSeen
from gatepost.server.delivery.hop import HopFailed, TlsWish
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.protection import MxHost
from gatepost.server.delivery.routes import parse_route
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.delivery.sts import StsPolicies
from gatepost.server.logs import Log
from gatepost.store.sts import StsStore

pytestmark = [pytest.mark.neighbour("knotd"), pytest.mark.neighbour("unbound")]

RIGHT, EXPIRED, PLAIN = "127.0.0.1", "127.0.0.2", "127.0.0.3"
SERVICES = """\
127.0.0.2:{{port}} inet n - n - - smtpd -o smtpd_tls_cert_file={cert} -o smtpd_tls_key_file={key}
127.0.0.3:{{port}} inet n - n - - smtpd -o smtpd_tls_security_level=none
"""
UNBOUND = """
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/unbound.pid"
    use-syslog: no
    interface: 127.0.0.1@{port}
    do-ip6: no
    do-not-query-localhost: no
    module-config: "validator iterator"
    trust-anchor: "{secure}"
    trust-anchor: "{bogus}"
    num-threads: 1
{stubs}
remote-control:
    control-enable: no
"""
WRONG_DS = "bogus.example. DS 12345 13 2 " + "AB" * 32
POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n"
# name → (mode, mx, address of the host)
POLICIES = {
    "enforced": ("enforce", "mx.enforced.plain.example", RIGHT),
    "wrong": ("enforce", "*.wrong.plain.example", EXPIRED),
    "stripped": ("enforce", "mx.stripped.plain.example", PLAIN),
    "other": ("enforce", "mx.elsewhere.example", RIGHT),
    "testing": ("testing", "mx.testing.plain.example", EXPIRED),
}


def tlsa(usage: int, of: Made, selector: int = 1, matching: int = 1) -> str:
    return f"TLSA {usage} {selector} {matching} {(tlsa_data(of.der, selector, matching) or b'').hex()}"


class World:
    """Everything on loopback; `open` delivers a mail to a domain."""

    def __init__(self, folder: Path, start_postfix: Callable[..., Postfix], knotd: str, unbound: str) -> None:
        now = time.time()
        self.folder = folder
        self.root = Made(["root"], now, authority=True)
        names = ["mx.secure.example", *(f"mx.{name}.plain.example" for name in POLICIES)]
        self.right, self.expired = (Made(names, now, by=self.root, days=days) for days in (90, -1))
        self.web = Made([f"mta-sts.{name}.plain.example" for name in POLICIES], now, by=self.root)
        (folder / "ca.pem").write_bytes(self.root.pem)
        cert, key = self.right.write(folder, "right")
        old = self.expired.write(folder, "old")
        self.postfix = start_postfix(
            {
                "smtpd_tls_security_level": "may",
                "smtpd_tls_cert_file": cert,
                "smtpd_tls_key_file": key,
                "virtual_mailbox_domains": "static:all",
                "virtual_mailbox_maps": "static:all/",
                "smtpd_tls_loglevel": "1",
            },
            SERVICES.format(cert=old[0], key=old[1]),
        )
        zones = {
            "secure.example": self._secure(),
            "plain.example": self._plain(),
            "bogus.example": "bogus.example. MX 1 m",
        }
        self.knot = Knot(knotd, zones, more="dnssec-signing: on")
        self.resolver_port = free_port()
        keys: list[str] = []
        assert wait_until(lambda: keys.extend(self.knot.shows("secure.example", "DNSKEY")) or keys)
        secure = next(f"secure.example. DNSKEY {one}" for one in keys if one.startswith("257"))
        stubs = "".join(
            f'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1@{self.knot.port}\n' for zone in zones
        )
        config = folder / "unbound.conf"
        config.write_text(
            UNBOUND.format(folder=folder, port=self.resolver_port, secure=secure, bogus=WRONG_DS, stubs=stubs)
        )
        self.unbound = Running([unbound, "-d", "-c", str(config)], folder)
        wait_for_port(self.resolver_port)

    def _secure(self) -> str:
        """Hosts with their TLSA records, each a domain of its own."""
        alone = Made(["x"], time.time())
        hosts: Mapping[str, tuple[str, list[str]]] = {
            "ee": (RIGHT, [tlsa(3, self.right)]),
            "many": (RIGHT, [tlsa(3, alone), tlsa(1, self.right), tlsa(3, self.right, 0, 2)]),
            "mx": (RIGHT, [tlsa(2, self.root)]),  # the certificate has this name
            "name": (RIGHT, [tlsa(2, self.root, 0, 1)]),  # and not this one
            "whole": (EXPIRED, [tlsa(3, self.expired, 1, 0)]),
            "old": (EXPIRED, [tlsa(2, self.root)]),
            "false": (RIGHT, [tlsa(3, alone)]),
            "useless": (RIGHT, [tlsa(0, self.right)]),
            "gone": (PLAIN, [tlsa(3, self.right)]),
            "none": (PLAIN, []),
        }
        port, lines = self.postfix.port, []
        for name, (address, records) in hosts.items():
            lines += [f"{name} 60 A {address}", f"{name} 60 MX 10 {name}"]
            lines += [f"_{port}._tcp.{name} 60 {record}" for record in records]
        return "\n".join([*lines, "alias 60 MX 10 behind", "behind 60 CNAME ee", ""])

    def _plain(self) -> str:
        port, lines = self.postfix.port, ["insecure 60 MX 10 host", f"host 60 A {PLAIN}"]
        lines.append(f"_{port}._tcp.host 60 {tlsa(3, self.right)}")
        for name, (_, _, address) in POLICIES.items():
            lines += [f"{name} 60 MX 10 mx.{name}", f"mx.{name} 60 A {address}"]
            lines += [f'_mta-sts.{name} 60 TXT "v=STSv1; id=1"', f"mta-sts.{name} 60 A 127.0.0.1"]
        return "\n".join([*lines, ""])

    def resolver(self) -> DnsResolver:
        server = f"127.0.0.1:{self.resolver_port}"
        return DnsResolver(ResolverSettings(servers=(server,), authentic_from=(server,)))

    @contextlib.asynccontextmanager
    async def policies(self) -> AsyncIterator[int]:
        """A web server with the policies; gives its port."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                name = request.partition("Host: mta-sts.")[2].partition(".")[0]
                mode, mx, _ = POLICIES[name]
                body = POLICY.format(mode=mode, mx=mx)
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
                )
                await writer.drain()
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.web.write(self.folder, "web"))
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    def open(self, domain: str, wish: TlsWish = TlsWish.USUAL, **more: object) -> tuple[Tls | None, str, list[str]]:
        """Delivers: the TLS there was, who demanded it, what was counted. Raises HopFailed."""
        ca = str(self.folder / "ca.pem")
        settings = DeliverySettings(
            mx_port=self.postfix.port, forbidden_networks=(), ca_file=ca, failover_timeout=5.0, **more
        )  # type: ignore[arg-type]
        counted: list[SessionSeen] = []

        async def main() -> tuple[Tls | None, str]:
            resolver = self.resolver()
            store = StsStore.open(self.folder)
            async with self.policies() as port:
                pages = PageFetcher(resolver, authority=ca, allowed=[ip_network("127.0.0.0/8")], port=port)
                sts = StsPolicies(resolver, pages, store, Log(fd=os.open(os.devnull, os.O_WRONLY)), time.time)

                async def dane(host: MxHost) -> Dane:
                    return await find_dane(host, resolver, settings.mx_port)

                demands = Demands(
                    settings,
                    find_dane=dane if settings.dane else None,
                    find_sts=sts.find if settings.mta_sts else None,
                    count=counted.append,
                )
                own = Own("gate.example", settings, (1,))
                connector = Connector(
                    "gate.example", settings, resolver, protection=demands, own=own, rng=random.Random(1)
                )
                try:
                    hop = await connector(parse_route("mx").towards(domain), wish)
                    envelope = Envelope(mail_from="a@example.org", recipients=(Recipient(address=f"u@{domain}"),))
                    (reply,) = await hop.send(envelope, b"Subject: x\r\n\r\nhello\r\n")
                    assert reply.reply_code == 250, reply
                    await hop.close()
                    return hop.tls, hop.demanded_by
                finally:
                    store.close()

        tls, by = asyncio.run(main())
        return tls, by, [one.failure for one in counted]

    def stop(self) -> None:
        self.unbound.stop()
        self.knot.stop()


@pytest.fixture
def world(report_missing: Callable[[str], None], postfix: Callable[..., Postfix], tmp_path: Path) -> Iterator[World]:
    programs = [tool.found(name) for name in ("knotd", "unbound")]
    for name, program in zip(("knotd", "unbound"), programs, strict=True):
        if program is None:
            report_missing(f"the program {name}")
    found = World(tmp_path, postfix, str(programs[0]), str(programs[1]))
    yield found
    found.stop()


def refused(world: World, domain: str, **more: object) -> str:
    with pytest.raises(HopFailed) as caught:
        world.open(domain, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_dane_and_mta_sts_with_knot_unbound_and_postfix(world: World) -> None:
    """One world for all of it: starting the neighbours takes longer than what is asked of them."""
    for domain in ("ee", "many", "mx", "whole", "alias"):
        tls, by, failures = world.open(f"{domain}.secure.example")
        assert tls is not None, domain
        assert (tls.verified, by, failures) == (True, "dane", [""]), domain
    for domain, words in {
        "name": "the certificate is for mx.secure.example",
        "old": "valid from",
        "false": "no TLSA record names a certificate",
        "gone": "offers no STARTTLS; dane demands TLS",
    }.items():
        assert words in refused(world, f"{domain}.secure.example"), domain
    assert "DNS gives no answer" in refused(world, "bogus.example")

    tls, by, _ = world.open("useless.secure.example")  # TLS, whoever it is
    assert tls is not None
    assert (tls.verified, by) == (False, "dane")
    assert world.open("none.secure.example")[:2] == (None, "")
    assert world.open("insecure.plain.example")[:2] == (None, "")  # its TLSA record is not signed
    assert world.open("gone.secure.example", dane=False)[:2] == (None, "")
    assert world.open("gone.secure.example", TlsWish.WAIVED)[:2] == (None, "")

    tls, by, failures = world.open("enforced.plain.example")
    assert tls is not None
    assert (tls.verified, by, failures) == (True, "mta-sts", [""])
    assert "certificate has expired; mta-sts demands TLS" in refused(world, "wrong.plain.example")
    assert "offers no STARTTLS; mta-sts demands" in refused(world, "stripped.plain.example")
    assert "is not in the MTA-STS policy of other.plain.example" in refused(world, "other.plain.example")
    tls, by, failures = world.open("testing.plain.example")
    assert tls is not None
    assert (tls.verified, failures[0].partition(":")[0]) == (False, "certificate-expired")
    tls, by, _ = world.open("wrong.plain.example", mta_sts=False)
    assert tls is not None
    assert not by
    assert len(world.postfix.log.split("Anonymous TLS connection established from")) > 8
