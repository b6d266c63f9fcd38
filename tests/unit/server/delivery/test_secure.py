"""Bringing a connection to what is demanded, by real handshakes: certificates right, wrong, expired; with DANE."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certificates import Made
from gatepost.msgauth.tlsa import Tlsa, tlsa_data
from gatepost.server.delivery.protection import Demand, Level
from gatepost.server.delivery.secure import Secured, Security, TlsFailed
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.smtp.client import SmtpClient


class Server:
    """Speaks SMTP with STARTTLS; `sessions` counts connections, `names` are those asked for by SNI."""

    def __init__(self, context: ssl.SSLContext | None, answer: bytes = b"220 go\r\n") -> None:
        self.context, self.answer = context, answer
        self.sessions = 0
        self.names: list[str | None] = []
        if context is not None:
            context.sni_callback = lambda connection, name, own: self.names.append(name)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        writer.write(b"220 mx ESMTP\r\n")
        keyword = b"250-mx\r\n250 STARTTLS\r\n" if self.context else b"250 mx\r\n"
        try:
            while line := await reader.readline():
                if line.upper().startswith(b"EHLO"):
                    writer.write(keyword)
                elif line.upper().startswith(b"STARTTLS"):
                    writer.write(self.answer)
                    if self.context and self.answer.startswith(b"2"):
                        await writer.start_tls(self.context)
                        keyword = b"250 mx\r\n"
                else:
                    writer.write(b"221 bye\r\n")
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @contextlib.asynccontextmanager
    async def at(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


class House:
    """Certificates of an authority that the settings trust."""

    def __init__(self, folder: Path) -> None:

        now = time.time()
        self.folder, self.now = folder, now
        self.root = Made(["root"], now, authority=True)
        self.right = Made(["mx.example.org"], now, by=self.root)
        self.wrong = Made(["other.example"], now, by=self.root)
        self.expired = Made(["mx.example.org"], now, by=self.root, days=-1)
        self.alone = Made(["mx.example.org"], now)
        (folder / "ca.pem").write_bytes(self.root.pem)

    def context(self, which: str) -> ssl.SSLContext | None:
        if which == "none":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*getattr(self, which).write(self.folder, which))
        return context

    def run(self, server: Server, demand: Demand, *, local: bool = False) -> Secured:
        async def main() -> Secured:
            security = Security("gate.example", DeliverySettings(ca_file=str(self.folder / "ca.pem")))
            async with server.at() as port:

                async def again() -> SmtpClient:
                    client = await SmtpClient.connect("127.0.0.1", port)
                    await client.hello("gate.example")
                    return client

                secured = await security.secure(await again(), "mx.example.org", demand, again, local=local)
                assert secured.client.usable
                await secured.client.quit()
                return secured

        return asyncio.run(main())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


def record(usage: int, of: Made) -> Tlsa:
    return Tlsa(usage, 1, 1, tlsa_data(of.der, 1, 1) or b"")


NAMES = ("mx.example.org",)
ANY, TLS, SURE = (Demand(level=level, names=NAMES) for level in (Level.OPPORTUNISTIC, Level.ENFORCED, Level.VERIFIED))


@pytest.mark.parametrize(
    ("demand", "certificate", "tls", "verified", "failure"),
    [
        (Demand(level=Level.NONE), "right", False, False, ""),
        (ANY, "right", True, False, ""),
        (ANY, "alone", True, False, ""),
        (ANY, "none", False, False, "starttls-not-supported"),
        (TLS, "expired", True, False, ""),
        (SURE, "right", True, True, ""),
    ],
)
def test_what_is_agreed(
    house: House, demand: Demand, certificate: str, tls: bool, verified: bool, failure: str
) -> None:
    secured = house.run(Server(house.context(certificate)), demand)
    assert ((secured.client.tls is not None), secured.verified) == (tls, verified)
    assert secured.failure.partition(":")[0] == failure


@pytest.mark.parametrize(
    ("demand", "certificate", "failure", "code"),
    [
        (TLS, "none", "starttls-not-supported", "4.7.4"),
        (SURE, "none", "starttls-not-supported", "4.7.4"),
        (SURE, "wrong", "certificate-host-mismatch", "4.7.5"),
        (SURE, "expired", "certificate-expired", "4.7.5"),
        (SURE, "alone", "certificate-not-trusted", "4.7.5"),
    ],
)
def test_what_is_refused(house: House, demand: Demand, certificate: str, failure: str, code: str) -> None:
    with pytest.raises(TlsFailed) as caught:
        house.run(Server(house.context(certificate)), demand)
    assert (caught.value.failure.partition(":")[0], caught.value.code) == (failure, code)
    assert "configuration demands TLS" in caught.value.text


@pytest.mark.parametrize(
    ("usage", "named", "shown", "failure"),
    [
        (3, "right", "right", ""),
        (3, "expired", "expired", ""),
        (3, "wrong", "wrong", ""),
        (3, "right", "wrong", "certificate-not-trusted"),
        (2, "root", "right", ""),
        (2, "root", "wrong", "certificate-host-mismatch"),
        (2, "root", "expired", "certificate-expired"),
        (2, "root", "alone", "certificate-not-trusted"),
        (3, "right", "none", "starttls-not-supported"),
    ],
)
def test_dane(house: House, usage: int, named: str, shown: str, failure: str) -> None:
    tlsa = (record(usage, house.alone), record(usage, getattr(house, named)))
    if usage == 3 and shown == "alone":
        tlsa = tlsa[1:]
    demand = Demand(level=Level.DANE, names=NAMES, tlsa=tlsa, source="dane")
    server = Server(house.context(shown))
    if not failure:
        secured = house.run(server, demand)
        assert secured.verified
        assert server.names == ["mx.example.org"]
        return
    with pytest.raises(TlsFailed) as caught:
        house.run(server, demand)
    assert caught.value.failure.partition(":")[0] == failure
    assert "dane demands" in caught.value.text
    assert server.sessions == 1  # never again in the clear


def test_a_policy_that_is_tested_stops_nothing_and_is_told(house: House) -> None:
    demand = Demand(level=Level.VERIFIED, names=NAMES, source="mta-sts", testing=True)
    secured = house.run(Server(house.context("wrong")), demand)
    assert secured.client.tls is not None
    assert (secured.verified, secured.failure.partition(":")[0]) == (False, "certificate-host-mismatch")
    enforced = Demand(level=Level.VERIFIED, names=NAMES, source="mta-sts", testing=True, floor=Level.ENFORCED)
    with pytest.raises(TlsFailed):
        house.run(Server(None), enforced)


def test_a_refused_or_broken_handshake_is_left_for_a_new_connection(house: House) -> None:
    for answer in (b"454 not now\r\n", b"220 go\r\nnonsense\r\n"):
        server = Server(house.context("right"), answer)
        secured = house.run(server, ANY)
        assert (secured.client.tls, server.sessions) == (None, 2)
        with pytest.raises(TlsFailed):
            house.run(Server(house.context("right"), answer), TLS)


def test_on_this_machine_starttls_need_not_be_offered(house: House) -> None:
    assert house.run(Server(None), SURE, local=True).failure == ""
    with pytest.raises(TlsFailed):
        house.run(Server(house.context("wrong")), SURE, local=True)
