"""A listener over TLS in a thread of its own, and a client that logs in to it: for tests of AUTH.

In: how to make a gatekeeper, settings. Out: `LoginServer`: its ports and certificates; `log_in`. All is on loopback.
Not here: what is asserted of it.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509

from gatepost.net.authority import make_authority, write_private
from gatepost.net.settings import TlsSettings
from gatepost.net.tls import end_point, server_context
from gatepost.server.smtp.gatekeeper import Gatekeeper
from gatepost.server.smtp.listener import Listener, bind
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.wire.sasl import Channel, client_exchange, decode_line, encode_line
from gatepost.wire.sasl.client import ClientExchange


class LoginServer:
    """Two ports of one gatekeeper: STARTTLS on `port`, TLS from the start on `implicit`."""

    def __init__(
        self, folder: Path, gatekeeper: Callable[[], Gatekeeper], settings: SmtpSettings | None = None
    ) -> None:
        now = time.time()
        self._authority = make_authority("test", now=now)
        self._authority.save(folder)
        self.folder, self.ca = folder, folder / "ca.pem"
        certificate, key = self.issue("mx.example.net", "127.0.0.1")
        self.context = server_context(TlsSettings(certificate=str(certificate), key=str(key)), now=now)
        self.context.load_verify_locations(cafile=str(self.ca))
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listeners = self.run(self._begin(gatekeeper, settings or SmtpSettings()))
        self.port, self.implicit = (listener.addresses[0][1] for listener in self._listeners)

    def issue(self, *names: str) -> tuple[Path, Path]:
        """A certificate of the same authority, and its key."""
        issued = self._authority.issue(names, now=time.time())
        certificate, key = self.folder / f"{names[0]}.pem", self.folder / f"{names[0]}.key"
        certificate.write_bytes(issued.chain)
        write_private(key, issued.key)
        return certificate, key

    async def _begin(self, gatekeeper: Callable[[], Gatekeeper], settings: SmtpSettings) -> list[Listener]:
        keeper, listeners = gatekeeper(), []
        for one in (settings, replace(settings, implicit_tls=True)):
            listener = Listener(hostname="mx.example.net", gatekeeper=keeper, settings=one, tls=self.context)
            await listener.start([bind("127.0.0.1", 0)])
            listeners.append(listener)
        return listeners

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs it in the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def stop(self) -> None:
        """Ends all of it."""
        for listener in self._listeners:
            self.run(listener.stop(1))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def client_context(self, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """Trusts our authority; shows `certificate`."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if certificate is not None:
            context.load_cert_chain(*map(str, certificate))
        return context

    def client(self, *, tls: bool = True, certificate: tuple[Path, Path] | None = None) -> smtplib.SMTP:
        """Python's own client, which has said EHLO (over TLS)."""
        client = smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=20)
        if tls:
            client.starttls(context=self.client_context(certificate))
        client.ehlo()
        return client

    def scram(self, client: smtplib.SMTP, name: str, password: str, *, plus: bool) -> ClientExchange:
        """Our own machine for SCRAM, bound to the certificate that `client` was shown if `plus`."""
        assert isinstance(client.sock, ssl.SSLSocket)
        shown = x509.load_der_x509_certificate(client.sock.getpeercert(binary_form=True) or b"")
        channel = Channel(nonce="a client's nonce".replace(" ", "-"), end_point=end_point(shown) if plus else b"")
        exchange = client_exchange(("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"), name, password, channel)
        assert exchange is not None
        return exchange


def exchange_with(client: smtplib.SMTP, exchange: ClientExchange) -> tuple[int, bytes]:
    """Logs in by `exchange`; the last reply."""
    first = exchange.start()
    code, text = client.docmd(
        "AUTH", exchange.mechanism + (f" {encode_line(first) or '='}" if first is not None else "")
    )
    while code == 334:
        challenge = decode_line(text.decode())
        assert isinstance(challenge, bytes)
        code, text = client.docmd(encode_line(exchange.respond(challenge)))
    if code == 235:
        exchange.finish()
    return code, text
