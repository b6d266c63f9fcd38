"""The prober against servers that are good, careless and hostile, over real sockets on loopback."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost import ZoneResolver
from gatepost.api_audit import Audit, audit_domain
from gatepost.audit.settings import AuditSettings
from gatepost.errors import InputError
from gatepost.net.authority import make_authority
from gatepost.net.probe import NetProber, read_networks
from gatepost.ports import Service, Spoken, Target

LOOPBACK = read_networks(("127.0.0.0/8",))
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TARGET = Target(host="mx.example.org", address="9.9.9.1", port=25, spoken=Spoken.SMTP)


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """A server on loopback that ends with the block."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()


def script(*answers: str, greeting: str = "220 mx.example.org ESMTP") -> Serve:
    """A server that says its lines, one for each line it gets, then stays silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting.encode() + b"\r\n")
        for answer in answers:
            if not await reader.readline():
                break
            writer.write(answer.encode() + b"\r\n")
        await reader.read()
        writer.close()

    return serve


async def look(serve: Serve, target: Target = TARGET, **options: object) -> Service:
    """What the prober finds at a server that stands in for the target's address."""
    async with listening(serve) as place:
        prober = NetProber(instead={(target.address, target.port): place}, pause=0, wait=0.5, **options)  # type: ignore[arg-type]
        return (await prober.look_all([target], 5.0))[0]


def test_smtp_without_tls() -> None:
    service = asyncio.run(look(script("250-mx.example.org\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN")))
    assert service.reached
    assert service.banner == "mx.example.org ESMTP"
    assert service.capabilities == ("SIZE 1000", "AUTH PLAIN LOGIN")
    assert not service.starttls
    assert service.tls is None


def test_recipients_are_asked_and_nothing_is_sent() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.example.org\r\n")
        while line := await reader.readline():
            heard.append(line)
            code = b"550 no" if b"nobody" in line else b"221 bye" if line == b"QUIT\r\n" else b"250 mx.example.org"
            writer.write(code + b"\r\n")
        writer.close()

    target = replace(TARGET, recipients=("postmaster@example.org", "nobody@example.org"))
    service = asyncio.run(look(serve, target))
    assert [(one.recipient, one.code) for one in service.answered] == [
        ("postmaster@example.org", 250),
        ("nobody@example.org", 550),
    ]
    assert [line.split()[0] for line in heard] == [b"EHLO", b"MAIL", b"RCPT", b"RCPT", b"RSET", b"QUIT"]
    assert heard[1] == b"MAIL FROM:<>\r\n"


def test_imap_and_pop3() -> None:
    imap = script("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done", "a2 NO not now", greeting="* OK hello")
    service = asyncio.run(look(imap, replace(TARGET, port=143, spoken=Spoken.IMAP)))
    assert service.capabilities == ("IMAP4rev1", "STARTTLS", "LOGINDISABLED")
    assert service.starttls
    assert "NO not now" in service.reason
    pop3 = script("+OK list\r\nUSER\r\nSTLS\r\n.", "-ERR no", greeting="+OK hello")
    service = asyncio.run(look(pop3, replace(TARGET, port=110, spoken=Spoken.POP3)))
    assert service.capabilities == ("USER", "STLS")
    assert "-ERR no" in service.reason


def endless(octets: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(octets)
                await writer.drain()
        except OSError:
            pass

    return serve


HOSTILE = [
    ("silent", script(greeting=""), "no SMTP"),
    ("turns us away", script(greeting="554 go away"), "554 go away"),
    ("another protocol", script(greeting="SSH-2.0-OpenSSH_9.2"), "no SMTP"),
    ("a line without end", endless(b"x" * 4096), "without end"),
    ("an answer without end", endless(b"220-x\r\n"), "no end"),
    ("octets", endless(bytes(range(256))), "no SMTP"),
    ("refuses EHLO", script("502 no"), "EHLO"),
    ("refuses STARTTLS", script("250 STARTTLS", "454 no"), ""),
    ("TLS that is none", script("250-x\r\n250 STARTTLS", "220 go", "plain text"), ""),
]


@pytest.mark.parametrize(("serve", "words"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_hostile_servers_end_with_a_reason(serve: Serve, words: str) -> None:
    begun = time.monotonic()
    service = asyncio.run(look(serve))
    assert time.monotonic() - begun < 60
    assert service.reached
    assert words in service.reason


def test_tls_that_is_none_is_told() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        await reader.readline()
        writer.write(b"250-mx\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go\r\n")
        await reader.read(100)
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    service = asyncio.run(look(serve))
    assert service.tls is not None
    assert "no TLS" in service.tls.failure


def test_a_closed_port_and_a_private_address() -> None:
    async def both() -> tuple[Service, Service]:
        async with listening(script()) as place:
            pass
        prober = NetProber(instead={("9.9.9.1", 25): place}, pause=0)
        refused = (await prober.look_all([TARGET], 5.0))[0]
        return refused, (await prober.look_all([replace(TARGET, address="10.1.2.3")], 5.0))[0]

    refused, private = asyncio.run(both())
    assert (refused.reached, refused.certain) == (False, True)
    assert "refused" in refused.reason
    assert (private.reached, private.certain) == (False, False)
    assert "--private" in private.reason


def test_what_hangs_is_cut_off_and_what_was_seen_is_kept() -> None:
    async def run() -> Service:
        async with listening(script("250-mx.example.org\r\n250 SIZE")) as place:
            prober = NetProber(instead={(TARGET.address, 25): place}, pause=0, wait=600)
            target = replace(TARGET, recipients=("postmaster@example.org",))
            return (await prober.look_all([target], 0.5))[0]

    service = asyncio.run(run())
    assert service.reached
    assert service.capabilities == ("SIZE",)
    assert "not finished" in service.reason


def test_connections_to_one_address_are_few_at_a_time() -> None:
    """Eight ports of one host, two connections at a time."""
    now, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        writer.write(b"220 mx\r\n")
        await reader.readline()
        await asyncio.sleep(0.02)
        writer.write(b"250 mx\r\n")
        await reader.read()
        now -= 1
        writer.close()

    async def run() -> tuple[Service, ...]:
        async with listening(serve) as place:
            ports = range(1, 9)
            prober = NetProber(instead={(TARGET.address, port): place for port in ports}, pause=0, wait=5)
            return await prober.look_all([replace(TARGET, port=port) for port in ports], 20.0)

    assert all(one.reached and not one.reason for one in asyncio.run(run()))
    assert most <= 3  # two that talk, and one that is just being closed


def context_for(folder: Path, name: str, *, days: int = 30, at: float | None = None) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for `name`, and the authority to trust."""
    moment = time.time() if at is None else at
    authority = make_authority("probe", now=moment)
    issued = authority.issue([name], now=moment, days=days)
    (folder / "chain.pem").write_bytes(issued.chain)
    (folder / "key.pem").write_bytes(issued.key)
    (folder / "ca.pem").write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    return context, folder / "ca.pem"


def smtp_inside(*, banner: str = "220 mx.example.org ESMTP Postfix 3.7.11") -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(banner.encode() + b"\r\n")
            while line := await reader.readline():
                writer.write(b"250-mx.example.org\r\n250 AUTH PLAIN\r\n" if line[:4] == b"EHLO" else b"221 bye\r\n")
        except OSError:
            pass
        finally:
            writer.close()

    return serve


def test_implicit_tls_with_a_chain_that_is_known(tmp_path: Path) -> None:
    async def run() -> Service:
        context, authority = context_for(tmp_path, "mx.example.org")
        async with listening(smtp_inside(), context) as place:
            prober = NetProber(instead={("9.9.9.1", 465): place}, pause=0, wait=3, authority=str(authority))
            return (await prober.look_all([replace(TARGET, port=465, implicit_tls=True)], 20.0))[0]

    service = asyncio.run(run())
    assert service.tls is not None
    assert service.tls.trusted
    assert service.secure_capabilities == ("AUTH PLAIN",)
    accepted = {seen.version: seen.accepted for seen in service.tls.versions}
    assert (accepted["SSLv3"], accepted["TLSv1.2"], accepted["TLSv1.3"]) == (False, True, True)


async def whole(serve: Serve, context: ssl.SSLContext, port: int, now: float) -> Audit:
    """The audit of a domain whose only server answers at `port`."""
    zone = "example.org. IN MX 10 mx.example.org.\nmx.example.org. IN A 9.9.9.1\n"
    async with listening(serve, context) as place:
        shut = {("9.9.9.1", other): ("127.0.0.1", 1) for other in (25, 465, 587, 2525, 143, 993, 110, 995)}
        prober = NetProber(instead={**shut, ("9.9.9.1", port): place}, pause=0, wait=3)
        chosen = AuditSettings(lookalikes=0, common_selectors=False)
        return await audit_domain("example.org", resolver=ZoneResolver(zone), prober=prober, settings=chosen, now=now)


def test_faults_of_a_certificate_are_findings(tmp_path: Path) -> None:
    """Wrong name, unknown authority, expired, and a banner that tells too much: each found with its remedy."""
    context, _ = context_for(tmp_path, "other.example.net", days=2)
    answer = asyncio.run(whole(smtp_inside(), context, 465, time.time() + 5 * 86_400))
    found = {one.code: one for one in answer.findings}
    assert found["certificate.wrong-name"].evidence["names"] == ["other.example.net"]
    assert found["certificate.expired"].severity.value == "danger"
    assert "Postfix 3.7.11" in found["port.banner"].summary
    assert found["mx.unreachable"].severity.value == "danger"
    assert "no known authority" not in str(found["certificate.wrong-name"])
    soon = asyncio.run(whole(smtp_inside(), context, 465, time.time()))
    codes = {one.code for one in soon.findings}
    assert {"certificate.expires-soon", "certificate.untrusted"} <= codes


def test_networks() -> None:
    with pytest.raises(InputError, match="is no network"):
        read_networks(("10.0.0",))
