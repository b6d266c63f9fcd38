"""The client that asks for a second handshake meets OpenSSL, which refuses unless it is told not to."""

from __future__ import annotations

import os
import ssl
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.net.authority import make_authority
from gatepost.wire.renegotiation import Again, RenegotiatingClient

ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # OpenSSL 3, ssl.h; Python has no name for it


def server(folder: Path, options: int | None) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    now = time.time()
    made = make_authority("test", now=now).issue(["mx.example"], now=now)
    path = folder / "tls.pem"
    path.write_bytes(made.chain + made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.options = (context.options & ~ssl.OP_NO_RENEGOTIATION) | (options or 0)
    if options is None:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    return context.wrap_bio(incoming, outgoing, server_side=True), incoming, outgoing


@pytest.mark.parametrize(
    ("options", "answer"),
    [(ALLOW_CLIENT_RENEGOTIATION, Again.ACCEPTED), (0, Again.REFUSED), (None, Again.NO_HANDSHAKE)],
)
def test_openssl_is_asked_for_a_second_handshake(tmp_path: Path, options: int | None, answer: Again) -> None:
    tls, incoming, outgoing = server(tmp_path, options)
    client = RenegotiatingClient(os.urandom(96), "mx.example")
    out = client.start()
    for _ in range(10):
        incoming.write(out)
        try:
            tls.read(100)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            client.feed(outgoing.read())
            client.closed()
            break
        out = client.feed(outgoing.read())
        if client.answer is not None:
            break
    assert client.answer is answer, client.why


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_octets_are_an_answer_or_none(pieces: list[bytes]) -> None:
    client = RenegotiatingClient(bytes(range(96)), "mx.example")
    client.start()
    for piece in pieces:
        client.feed(b"\x16\x03\x03" + len(piece).to_bytes(2, "big") + piece)
    client.closed()
    assert client.answer is Again.NO_HANDSHAKE
