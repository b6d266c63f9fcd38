"""TLS from the first octet: a client whose hello is there before the server looks is served all the same."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
import uvloop

from gatepost.net.authority import make_authority, write_private
from gatepost.net.settings import TlsSettings
from gatepost.net.tls import server_context
from gatepost.server.smtp.gatekeeper import OpenDoor
from gatepost.server.smtp.listener import Listener, bind
from gatepost.server.smtp.settings import SmtpSettings


def context_in(folder: Path) -> ssl.SSLContext:
    issued = make_authority("test", now=time.time()).issue(["mx.example"], now=time.time())
    (folder / "mx.pem").write_bytes(issued.chain)
    write_private(folder / "mx.key", issued.key)
    settings = TlsSettings(certificate=str(folder / "mx.pem"), key=str(folder / "mx.key"))
    return server_context(settings, now=time.time())


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_a_hello_that_was_there_first_is_not_lost(new_loop: object, tmp_path: Path) -> None:
    server = context_in(tmp_path)
    sock = bind("127.0.0.1", 0)
    answers: list[tuple[int, bytes]] = []

    def client() -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP_SSL("127.0.0.1", sock.getsockname()[1], "client", context=context, timeout=20) as smtp:
            answers.append(smtp.ehlo())

    async def serve() -> None:
        settings = SmtpSettings(implicit_tls=True)
        listener = Listener(hostname="mx", gatekeeper=OpenDoor(), settings=settings, tls=server)
        people = [threading.Thread(target=client) for _ in range(8)]
        for one in people:
            one.start()
        while not _has_hello(sock):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # the hellos are in the kernel before anybody is accepted
        await listener.start([sock])
        await asyncio.to_thread(lambda: [one.join() for one in people])
        await listener.stop(1)

    loop = new_loop()  # type: ignore[operator]
    try:
        loop.run_until_complete(asyncio.wait_for(serve(), 60))
    finally:
        loop.close()
    assert [code for code, _ in answers] == [250] * 8


def _has_hello(sock: socket.socket) -> bool:
    """Whether a client waits to be accepted."""
    import select

    return bool(select.select([sock], [], [], 0)[0])
