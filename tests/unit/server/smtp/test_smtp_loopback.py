"""Client and server over real sockets on loopback: sessions, TLS, limits, PROXY, XCLIENT, stop and reload."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost.errors import ConfigError, RemoteProtocolError, StoreFull
from gatepost.names import Envelope, Recipient
from gatepost.server.smtp.client import SmtpClient, TransportError
from gatepost.server.smtp.counters import CounterTable
from gatepost.server.smtp.gatekeeper import Answer, OpenDoor
from gatepost.server.smtp.listener import Listener, bind
from gatepost.server.smtp.settings import ClientSettings, SmtpSettings
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.settings import Limits

ENVELOPE = Envelope(
    mail_from="ann@example.com", recipients=(Recipient(address="bob@example.net"), Recipient(address="cy@example.net"))
)
RAW = b"From: ann@example.com\r\nSubject: hi\r\n\r\n.dot\r\n"
NO = Reply(550, "No such user", enhanced="5.1.1")


class Doorman(OpenDoor):
    """Remembers what it was asked; refuses `nobody`; can take its time."""

    def __init__(self) -> None:
        self.messages: list[tuple[Visit, Envelope, bytes]] = []
        self.ended: list[Stats] = []
        self.visits: list[Visit] = []
        self.hold: asyncio.Event | None = None
        self.at_connect: Answer = None
        self.error: Exception | None = None

    def connected(self, visit: Visit) -> Answer:
        self.visits.append(visit)
        return self.at_connect

    def recipient(self, visit: Visit, envelope: Envelope, recipient: Recipient) -> Answer:
        return NO if recipient.address.startswith("nobody") else None

    def message(self, visit: Visit, envelope: Envelope, raw: bytes) -> Answer:
        if self.error is not None:
            raise self.error
        self.messages.append((visit, envelope, raw))
        return self._later() if self.hold is not None else None

    async def _later(self) -> Reply | None:
        assert self.hold is not None
        await self.hold.wait()
        return Reply(250, "Waited", enhanced="2.0.0")

    def closed(self, visit: Visit, stats: Stats) -> None:
        self.ended.append(stats)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and mx.example.net, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.net")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("mx.example.net"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mx.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def client_tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


Body = Callable[[Listener, Doorman], Awaitable[None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def serve(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs `body` against a listener, on each event loop."""

    def run(body: Body, settings: SmtpSettings | None = None, tls: ssl.SSLContext | None = None) -> None:
        async def main() -> None:
            doorman = Doorman()
            listener = Listener(hostname="mx.example.net", gatekeeper=doorman, settings=settings, tls=tls)
            await listener.start([bind("127.0.0.1", 0)])
            try:
                await asyncio.wait_for(body(listener, doorman), 20)
            finally:
                await listener.stop(1)
            assert listener.connections == 0

        if request.param == "uvloop":
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(main())
        else:
            asyncio.run(main())

    return run


async def connect(listener: Listener, **more: object) -> SmtpClient:
    host, port = listener.addresses[0]
    client = await SmtpClient.connect(host, port, **more)  # type: ignore[arg-type]
    if client.greeting.positive:
        await client.hello("client.example")
    return client


async def raw(listener: Listener, octets: bytes, until: bytes = b"") -> bytes:
    """What the server says to `octets`, until it closes or has said `until`."""
    reader, writer = await asyncio.open_connection(*listener.addresses[0])
    writer.write(octets)
    answer = b""
    while until not in answer or not until:
        piece = await reader.read(65536)
        answer += piece
        if not piece:
            break
    writer.close()
    return answer


def test_a_message_and_another(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        client = await connect(listener)
        for _ in range(2):
            outcome = await client.send(ENVELOPE, RAW)
            assert [reply.code for reply in outcome.replies] == [250, 250]
        await client.quit()
        [(visit, envelope, raw), _] = doorman.messages
        assert raw == RAW
        assert [recipient.address for recipient in envelope.recipients] == ["bob@example.net", "cy@example.net"]
        assert (visit.session.client_ip, visit.session.ehlo_domain) == ("127.0.0.1", "client.example")
        assert visit.session.protocol == "ESMTP"
        while not doorman.ended:
            await asyncio.sleep(0.01)
        stats = doorman.ended[0]
        assert (stats.ended, stats.messages, stats.recipients, stats.errors) == ("quit", 2, 4, 0)
        assert stats.octets_in > 2 * len(RAW)

    serve(body)


def test_one_recipient_refused(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        client = await connect(listener)
        mixed = replace(ENVELOPE, recipients=(Recipient(address="nobody@example.net"), *ENVELOPE.recipients))
        outcome = await client.send(mixed, RAW)
        assert [reply.code for reply in outcome.replies] == [550, 250, 250]
        assert outcome.replies[0] == NO
        none = await client.send(replace(ENVELOPE, recipients=mixed.recipients[:1]), RAW)
        assert [reply.code for reply in none.replies] == [550]
        assert client.usable
        assert len(doorman.messages) == 1
        assert (await client.ask_recipient("", "nobody@example.net")).code == 550
        assert (await client.ask_recipient("", "bob@example.net")).code == 250
        assert (await client.send(ENVELOPE, RAW)).accepted
        await client.quit()

    serve(body)


def test_starttls(serve: Callable[..., None], certificate: Path) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        client = await connect(listener)
        assert "STARTTLS" in client.extensions
        assert "REQUIRETLS" not in client.extensions
        assert (await client.start_tls(client_tls(certificate), "mx.example.net")).code == 220
        assert client.tls is not None
        assert client.tls.version == "TLSv1.3"
        assert client.tls.verified
        await client.hello("client.example")
        assert "STARTTLS" not in client.extensions
        assert "REQUIRETLS" in client.extensions
        assert (await client.send(replace(ENVELOPE, requiretls=True), RAW * 20_000)).accepted
        [(visit, envelope, raw)] = doorman.messages
        assert visit.session.protocol == "ESMTPS"
        assert visit.session.tls is not None
        assert envelope.requiretls
        assert len(raw) == len(RAW) * 20_000
        await client.quit()

    serve(body, tls=server_tls(certificate))


def test_starttls_with_the_wrong_name(serve: Callable[..., None], certificate: Path) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        client = await connect(listener)
        with pytest.raises(TransportError) as caught:
            await client.start_tls(client_tls(certificate), "other.example.net")
        assert caught.value.reason == "tls"
        assert not client.usable

    serve(body, tls=server_tls(certificate))


def test_starttls_injection_over_sockets(serve: Callable[..., None], certificate: Path) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        answer = await raw(listener, b"EHLO x\r\nSTARTTLS\r\nEHLO injected\r\nMAIL FROM:<a@b.example>\r\n")
        assert b"\r\n501 5.5.2" in answer
        assert answer.count(b"\r\n220 ") == 0
        assert not any(visit.session.ehlo_domain == "injected" for visit in doorman.visits)

    serve(body, tls=server_tls(certificate))


def test_plaintext_in_place_of_the_handshake(serve: Callable[..., None], certificate: Path) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        reader, writer = await asyncio.open_connection(*listener.addresses[0])
        writer.write(b"EHLO x\r\n")
        await reader.readuntil(b"STARTTLS\r\n")
        writer.write(b"STARTTLS\r\n")
        await reader.readuntil(b"220 2.0.0 Ready to start TLS\r\n")
        writer.write(b"EHLO injected\r\n")
        assert b"250" not in await reader.read()
        writer.close()
        while not doorman.ended:
            await asyncio.sleep(0.01)
        assert doorman.ended[0].ended.startswith("tls")

    serve(body, tls=server_tls(certificate))


def test_client_refuses_what_comes_behind_220(serve: Callable[..., None], certificate: Path) -> None:
    async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        await reader.readline()
        writer.write(b"250-x\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go\r\n250-x\r\n250 SIZE 1\r\n")
        await reader.read()
        writer.close()

    async def body(listener: Listener, doorman: Doorman) -> None:
        server = await asyncio.start_server(hostile, "127.0.0.1", 0)
        client = await SmtpClient.connect(*server.sockets[0].getsockname()[:2])
        await client.hello("x")
        with pytest.raises(RemoteProtocolError):
            await client.start_tls(client_tls(certificate))
        assert not client.usable
        server.close()

    serve(body)


def test_implicit_tls(serve: Callable[..., None], certificate: Path) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        client = await connect(listener, implicit_tls=client_tls(certificate), server_hostname="mx.example.net")
        assert "STARTTLS" not in client.extensions
        assert (await client.send(ENVELOPE, RAW)).accepted
        await client.quit()

    serve(body, SmtpSettings(implicit_tls=True), server_tls(certificate))


def test_implicit_tls_behind_a_proxy_and_without_a_certificate(serve: Callable[..., None], certificate: Path) -> None:
    settings = SmtpSettings(implicit_tls=True, proxy_networks=("127.0.0.0/8",))

    async def body(listener: Listener, doorman: Doorman) -> None:
        header = b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\r\n"
        assert await raw(listener, header + b"EHLO injected\r\nQUIT\r\n") == b""
        reader, writer = await asyncio.open_connection(*listener.addresses[0])
        writer.write(header)
        await asyncio.sleep(0.05)
        await writer.start_tls(client_tls(certificate), server_hostname="mx.example.net")
        writer.write(b"QUIT\r\n")
        assert (await reader.read()).startswith(b"220 ")
        assert [visit.session.client_ip for visit in doorman.visits] == ["192.0.2.7"]
        writer.close()

    serve(body, settings, server_tls(certificate))
    with pytest.raises(ConfigError):
        Listener(hostname="mx", gatekeeper=OpenDoor(), settings=settings)


def test_pipelined_while_we_think(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        doorman.hold = asyncio.Event()
        mail = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
        task = asyncio.create_task(raw(listener, b"EHLO x\r\n" + mail + b"1\r\n.\r\n" + mail + b"2\r\n.\r\nQUIT\r\n"))
        while not doorman.messages:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert len(doorman.messages) == 1
        doorman.hold.set()
        answer = await task
        assert answer.endswith(b"250 2.0.0 Waited\r\n221 2.0.0 Bye\r\n")
        assert [raw for _, _, raw in doorman.messages] == [b"1\r\n", b"2\r\n"]
        assert doorman.messages[0][0].improper_pipelining

    serve(body)


def test_a_client_that_closes_its_side_gets_its_answer(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        doorman.hold = asyncio.Event()
        reader, writer = await asyncio.open_connection(*listener.addresses[0])
        writer.write(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\n")
        writer.write_eof()
        while not doorman.messages:
            await asyncio.sleep(0.01)
        doorman.hold.set()
        assert (await reader.read()).endswith(b"250 2.0.0 Waited\r\n")
        writer.close()

    serve(body)


def test_early_talker_and_browser(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        seen: list[bool] = []

        async def slow() -> None:
            await asyncio.sleep(0.1)
            seen.append(doorman.visits[0].early_talker)  # known before the greeting, so that it can be refused

        doorman.at_connect = slow()
        answer = await raw(listener, b"EHLO x\r\nQUIT\r\n")
        assert answer.endswith(b"221 2.0.0 Bye\r\n")
        assert doorman.visits[0].early_talker
        assert seen == [True]
        doorman.at_connect = None
        answer = await raw(listener, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.count(b"\r\n") == 2

    serve(body)


@pytest.mark.parametrize(("reply", "greeting"), [(Reply(554, "Go away"), 554), (Reply(421, "Later"), 421)])
def test_refused_at_the_door(serve: Callable[..., None], reply: Reply, greeting: int) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        doorman.at_connect = reply
        client = await connect(listener)
        assert client.greeting.code == greeting
        await client.quit()

    serve(body)


@pytest.mark.parametrize(("error", "code"), [(RuntimeError("boom"), 451), (StoreFull("full"), 452)])
def test_a_gatekeeper_that_fails(serve: Callable[..., None], error: Exception, code: int) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        doorman.error = error
        client = await connect(listener)
        assert [reply.code for reply in (await client.send(ENVELOPE, RAW)).replies] == [code, code]
        doorman.error = None
        assert (await client.send(ENVELOPE, RAW)).accepted
        await client.quit()

    serve(body)


def test_limits_in_a_session(serve: Callable[..., None]) -> None:
    settings = SmtpSettings(
        limits=Limits(message=1000), max_recipients=2, max_transactions=2, max_errors=3, max_commands=5
    )

    async def body(listener: Listener, doorman: Doorman) -> None:
        start = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n"
        answer = await raw(listener, start + b"RCPT TO:<a@d.example>\r\n" * 3 + b"QUIT\r\n")
        assert answer.count(b"452 4.5.3") == 1
        answer = await raw(listener, b"EHLO x\r\nMAIL FROM:<a@b.example> SIZE=1001\r\nQUIT\r\n")
        assert b"552 5.3.4" in answer
        answer = await raw(listener, b"EHLO x\r\n" + b"NOPE\r\n" * 9)
        assert answer.endswith(b"421 4.7.0 Too many errors\r\n")
        assert answer.count(b"500 ") == 3
        answer = await raw(listener, b"NOOP\r\n" * 9)
        assert answer.endswith(b"421 4.7.0 Too many commands\r\n")
        answer = await raw(listener, b"EHLO x\r\n" + b"MAIL FROM:<>\r\nRSET\r\n" * 3)
        assert answer.endswith(b"421 4.7.0 Enough messages in one connection\r\n")
        answer = await raw(
            listener,
            b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n" + b"x" * 1500 + b"\r\n.\r\nQUIT\r\n",
        )
        assert b"552 5.3.4" in answer
        assert answer.endswith(b"221 2.0.0 Bye\r\n")
        client = await connect(listener)
        assert client.server_limits == {"MAILMAX": 2, "RCPTMAX": 2}
        assert [reply.code for reply in (await client.send(ENVELOPE, b"x" * 2000)).replies] == [552, 552]
        await client.quit()

    serve(body, settings)


def test_too_many_connections(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        clients = [await connect(listener) for _ in range(3)]
        assert [client.greeting.code for client in clients] == [220, 220, 421]
        await clients[0].quit()
        while listener.connections > 1:
            await asyncio.sleep(0.01)
        again = await connect(listener)
        assert again.greeting.code == 220
        for client in (*clients, again):
            await client.quit()

    serve(body, SmtpSettings(max_connections=2))
    serve(body, SmtpSettings(max_connections_per_address=2, unlimited_networks=()))


def test_too_many_octets_in_flight(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        client = await connect(listener)
        outcome = await client.send(ENVELOPE, b"x" * 50_000)
        assert {reply.code for reply in outcome.replies} == {452}
        assert (await client.send(ENVELOPE, RAW)).accepted
        reader, writer = await asyncio.open_connection(*listener.addresses[0])
        writer.write(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n" + b"x" * 50_000)
        await asyncio.sleep(0.05)
        writer.write(b"\r\n.\r\nQUIT\r\n")
        assert b"\r\n452 4.3.1" in await reader.read()
        writer.close()
        await client.quit()

    serve(body, SmtpSettings(max_octets_in_flight=10_000))


def test_time_outs(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        assert (await raw(listener, b"EHLO x\r\nMAI")).endswith(b"421 4.4.2 Time-out\r\n")
        data = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nslow"
        assert (await raw(listener, data)).endswith(b"421 4.4.2 Time-out\r\n")
        while len(doorman.ended) < 2:
            await asyncio.sleep(0.01)
        assert [stats.ended for stats in doorman.ended] == ["time-out", "time-out"]

    serve(body, SmtpSettings(command_timeout=0.1, data_timeout=0.1))


def test_dripping_is_no_way_around(serve: Callable[..., None]) -> None:
    async def drip(listener: Listener, first: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*listener.addresses[0])
        writer.write(first)
        reading = asyncio.create_task(reader.read())
        while not reading.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
            if reader.at_eof():
                break
        writer.close()
        return await reading

    async def body(listener: Listener, doorman: Doorman) -> None:
        assert b"421 4.4.2" in await drip(listener, b"EHLO ")
        data = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"
        assert b"421 4.4.2" in await drip(listener, data)

    serve(body, SmtpSettings(command_timeout=0.2, data_timeout=0.2, min_data_rate=10_000))


def test_proxy_header(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        answer = await raw(listener, b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\r\nEHLO x\r\nQUIT\r\n")
        assert answer.startswith(b"220 ")
        session = doorman.visits[0].session
        assert (session.client_ip, session.relay_ip) == ("192.0.2.7", "127.0.0.1")
        assert doorman.visits[0].peer_port == 5555
        assert await raw(listener, b"EHLO x\r\n") == b""
        health = await raw(listener, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0QUIT\r\n")
        assert health.endswith(b"221 2.0.0 Bye\r\n")
        assert doorman.visits[-1].session.client_ip == "127.0.0.1"

    serve(body, SmtpSettings(proxy_networks=("127.0.0.0/8",)))


def test_proxy_header_from_anybody_else(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        answer = await raw(listener, b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\r\nEHLO x\r\nQUIT\r\n")
        assert b"\r\n500 5.5.1" in answer
        assert doorman.visits[0].session.client_ip == "127.0.0.1"

    serve(body, SmtpSettings(proxy_networks=("192.0.2.0/24",)))


def test_xclient(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        answer = await raw(
            listener, b"EHLO x\r\nXCLIENT ADDR=IPV6:2001:DB8::1 NAME=a\r\nEHLO y\r\nMAIL FROM:<>\r\nQUIT\r\n"
        )
        assert answer.count(b"220 mx") == 2
        session = doorman.visits[-1].session
        assert (session.client_ip, session.relay_ip, session.ehlo_domain) == ("2001:db8::1", "127.0.0.1", "y")
        assert len(doorman.visits) == 2

    serve(body, SmtpSettings(xclient_networks=("127.0.0.1",)))


def test_reload_keeps_old_connections(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        old = await connect(listener)
        listener.settings = SmtpSettings(limits=Limits(message=10))
        new = await connect(listener)
        assert new.extensions["SIZE"] == "10"
        assert (await old.send(ENVELOPE, RAW)).accepted
        assert not (await new.send(ENVELOPE, RAW)).accepted
        await old.quit()
        await new.quit()

    serve(body)


def test_stop_finishes_transactions(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        doorman.hold = asyncio.Event()
        idle, busy = await connect(listener), await connect(listener)
        sending = asyncio.create_task(busy.send(ENVELOPE, RAW))
        while not doorman.messages:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(listener.stop(5))
        await asyncio.sleep(0.05)
        with pytest.raises(TransportError):
            await idle.send(ENVELOPE, RAW)
        with pytest.raises(TransportError):
            await connect(listener) if listener.addresses else await SmtpClient.connect("127.0.0.1", 1)
        doorman.hold.set()
        assert (await sending).accepted
        await stopping
        assert sorted(stats.ended for stats in doorman.ended) == ["stop", "stop"]

    serve(body)


def test_stop_waits_only_so_long(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        doorman.hold = asyncio.Event()
        busy = await connect(listener)
        sending = asyncio.create_task(busy.send(ENVELOPE, RAW))
        while not doorman.messages:
            await asyncio.sleep(0.01)
        await listener.stop(0.05)
        with pytest.raises(TransportError) as caught:
            await sending
        assert caught.value.after_data

    serve(body)


def test_lmtp_answers_for_each_recipient(serve: Callable[..., None]) -> None:
    async def lmtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n"):
            writer.write(reply)
            await reader.readline()
        await reader.readuntil(b"DATA\r\n")
        writer.write(b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 2.0.0 kept\r\n452 4.2.2 full\r\n")
        await reader.readline()
        writer.write(b"221 bye\r\n")
        writer.close()

    async def body(listener: Listener, doorman: Doorman) -> None:
        server = await asyncio.start_server(lmtp, "127.0.0.1", 0)
        client = await SmtpClient.connect(*server.sockets[0].getsockname()[:2], lmtp=True)
        await client.hello("x")
        three = replace(ENVELOPE, recipients=(*ENVELOPE.recipients, Recipient(address="d@example.net")))
        outcome = await client.send(three, RAW)
        assert [reply.code for reply in outcome.replies] == [250, 550, 452]
        await client.quit()
        server.close()

    serve(body)


@pytest.mark.parametrize(
    "greeting",
    [
        b"220 x\n",
        b"hello\r\n",
        b"220-" + b"x" * 5000,
        b"220-x\r\n" * 500,
        b"220-a\r\n250 b\r\n",
        b"\xff\r\n",
        b"354 x\r\n",
    ],
    ids=repr,
)
def test_hostile_greetings(serve: Callable[..., None], greeting: bytes) -> None:
    async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read()
        writer.close()

    async def body(listener: Listener, doorman: Doorman) -> None:
        server = await asyncio.start_server(hostile, "127.0.0.1", 0)
        with pytest.raises(RemoteProtocolError):
            await SmtpClient.connect(*server.sockets[0].getsockname()[:2])
        server.close()

    serve(body)


def test_a_silent_server(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            with pytest.raises(TransportError) as caught:
                await SmtpClient.connect(*silent.getsockname(), settings=ClientSettings(greeting_timeout=0.05))
        assert caught.value.reason == "time-out"
        with pytest.raises(TransportError) as caught:
            await SmtpClient.connect("127.0.0.1", 1)
        assert caught.value.reason == "connect"

    serve(body)


def test_who_does_not_read_gets_no_more(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            rude.setblocking(False)
            await loop.sock_connect(rude, listener.addresses[0])
            sent, idle = 0, 0
            while idle < 8:  # in vain, one after the other
                now = await loop.run_in_executor(None, _send_some, rude)
                sent, idle = sent + now, 0 if now else idle + 1
                assert sent < 30_000_000
                await asyncio.sleep(0 if now else 0.01)
            stats = doorman.visits[0].stats
            assert stats.octets_out < 10_000_000

    serve(body, SmtpSettings(max_commands=10**9))


def _send_some(sock: socket.socket) -> int:
    try:
        return sock.send(b"VRFY x\r\n" * 5_000)
    except BlockingIOError:
        return 0


def test_unix_socket_and_ipv6(serve: Callable[..., None], tmp_path: Path) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        path = str(tmp_path / "smtp.sock")
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(path)
        unix.listen()
        six = bind("::1", 0)
        await listener.start([unix, six])
        for client in (await SmtpClient.connect(path), await SmtpClient.connect(*six.getsockname()[:2])):
            await client.hello("x")
            assert (await client.send(ENVELOPE, RAW)).accepted
            await client.quit()
        assert [visit.session.client_ip for visit in doorman.visits] == ["127.0.0.1", "::1"]

    serve(body)


def test_counters_are_shared_between_workers() -> None:
    table = CounterTable(2)
    first, second = table.column(0), table.column(1)
    first.enter("192.0.2.1")
    second.enter("192.0.2.1")
    second.enter("2001:db8::1")
    second.enter("2001:db8::2")
    second.hold(100)
    assert first.connections == 4
    assert first.connections_of("192.0.2.1") == 2
    assert first.connections_of("2001:db8:0:0:ffff::") == 2
    assert first.octets == 100
    first.leave("192.0.2.1")
    table.clear(1)
    assert (first.connections, first.octets, first.connections_of("192.0.2.1")) == (0, 0, 0)


class Nonsense(Doorman):
    """Gives replies that cannot be given, or none at all."""

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        return Reply(354, "Go ahead with nothing")

    def announced(self, visit: Visit, possible: Sequence[str]) -> Sequence[str]:
        if visit.session.ehlo_domain == "broken":
            raise RuntimeError("no list")
        return possible


def test_a_gatekeeper_that_makes_no_sense(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        listener.gatekeeper = Nonsense()
        answer = await raw(listener, b"EHLO x\r\nMAIL FROM:<>\r\nNOOP\r\n")
        assert answer.endswith(b"421 4.3.0 Local error, try again later\r\n")
        assert b"354" not in answer
        answer = await raw(listener, b"EHLO broken\r\nNOOP\r\n")
        assert answer.endswith(b"421 4.3.0 Local error, try again later\r\n")

    serve(body)


def test_a_delayed_greeting_meets_early_talkers(serve: Callable[..., None]) -> None:
    async def body(listener: Listener, doorman: Doorman) -> None:
        async def patient() -> Reply | None:
            await asyncio.sleep(0.3)
            return Reply(554, "You talk too early", enhanced="5.7.1") if doorman.visits[-1].early_talker else None

        doorman.at_connect = patient()
        assert (await raw(listener, b"EHLO x\r\nQUIT\r\n")).startswith(b"554 ")
        doorman.at_connect = patient()
        client = await connect(listener)
        assert client.greeting.code == 220
        await client.quit()

    serve(body)
