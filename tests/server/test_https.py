"""The built-in HTTPS listener of a running gate: the policy, the redirect, its limits, and a new certificate."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatepost.net.authority import Authority, make_authority, write_private
from running import NameServer, RunningGate, free_port, until

NAMES = ("mx.gate.example", "mta-sts.gate.example")
OTHER = "autoconfig.gate.example"  # has a certificate of its own


@dataclass
class WebGate:
    gate: RunningGate
    authority: Authority
    https: int
    http: int

    def ask(self, octets: bytes, *, secure: bool = True, name: str = NAMES[1]) -> bytes:
        """Everything that is answered; empty when it is hung up on."""
        with socket.create_connection(("127.0.0.1", self.https if secure else self.http), 20) as sock:
            if secure:
                context = ssl.create_default_context(cadata=self.authority.pem.decode())
                sock = context.wrap_socket(sock, server_hostname=name)
            answer = b""
            try:
                sock.sendall(octets)
                while piece := sock.recv(65536):
                    answer += piece
            except OSError:
                pass
            sock.close()
            return answer

    def get(self, path: str, host: str = NAMES[1], **how: bool) -> bytes:
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), **how)


def issue(folder: Path, authority: Authority, stem: str, *names: str) -> None:
    issued = authority.issue(names, now=time.time())
    write_private(folder / f"{stem}.key", issued.key)
    write_private(folder / f"{stem}.pem", issued.chain)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGate]:
    folder = tmp_path_factory.mktemp("web")
    authority = make_authority("A test", now=time.time())
    issue(folder, authority, "usual", *NAMES)
    issue(folder, authority, "other", OTHER)
    https, http, submission = free_port(), free_port(), free_port()
    more = f"""
[tls]
certificate = "usual.pem"
key = "usual.key"
[tls.names."{OTHER}"]
certificate = "other.pem"
key = "other.key"
[https]
listen = ["127.0.0.1:{https}"]
http_listen = ["127.0.0.1:{http}"]
timeout = 3.0
max_connections_per_address = 4
[submission]
listen_tls = ["127.0.0.1:{submission}"]
[signing]
unsigned = "send"
"""
    server = NameServer()
    gate = RunningGate(folder, server.port, more=more)
    found = WebGate(gate, authority, https, http)
    until(lambda: found.get("/.well-known/mta-sts.txt") != b"", "HTTPS is served")
    yield found
    gate.stop()
    server.stop()


def test_the_policy_is_served_under_its_name(web: WebGate) -> None:
    answer = web.get("/.well-known/mta-sts.txt")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"content-type: text/plain\r\n" in head.lower() + b"\r\n"
    assert body == b"version: STSv1\r\nmode: testing\r\nmx: mx.gate.example\r\nmax_age: 1209600\r\n"
    assert web.ask(b"HEAD /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.gate.example\r\n\r\n").endswith(
        b"\r\n\r\n"
    )
    assert "scheme=https method=GET host=mta-sts.gate.example path=/.well-known/mta-sts.txt status=200" in web.gate.log


def test_each_name_has_its_certificate(web: WebGate) -> None:
    answer = web.ask(f"GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: {OTHER}\r\n\r\n".encode(), name=OTHER)
    assert b"<socketType>SSL</socketType>" in answer


def test_http_leads_to_https(web: WebGate) -> None:
    answer = web.get("/.well-known/mta-sts.txt", secure=False)
    assert b"Location: https://mta-sts.gate.example/.well-known/mta-sts.txt\r\n" in answer
    assert web.get("/", secure=False).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000, b"431"),
        (b"GET /" + b"y" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: \xfc.example\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000, b"413"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
        (b"GET https://mta-sts.gate.example/.well-known/mta-sts.txt HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
    ],
)
def test_a_bad_request_has_one_answer(web: WebGate, octets: bytes, status: bytes) -> None:
    answer = web.ask(octets)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 " + status)


def test_outlook_may_ask_whether_to_go_on(web: WebGate) -> None:
    fields = "Host: gate.example\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    head = f"POST /autodiscover/autodiscover.xml HTTP/1.1\r\n{fields}"
    with socket.create_connection(("127.0.0.1", web.https), 20) as plain:
        context = ssl.create_default_context(cadata=web.authority.pem.decode())
        with context.wrap_socket(plain, server_hostname=NAMES[0]) as sock:
            sock.sendall(head.encode())
            assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
            sock.sendall(b"<a>")
            assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


def test_who_dawdles_is_hung_up_on_and_cannot_keep_others_out(web: WebGate) -> None:
    held = [socket.create_connection(("127.0.0.1", port), 20) for port in (web.https, web.http) * 2]
    held[1].sendall(b"GET / HTTP/1.1\r\n")
    until(lambda: web.get("/", secure=False) == b"", "a fifth connection of one address is refused")
    for sock in held:
        assert sock.recv(100) == b""
        sock.close()
    until(lambda: web.get("/.well-known/mta-sts.txt") != b"", "there is room again")


def test_a_new_certificate_is_shown_without_a_restart(web: WebGate) -> None:
    def shown() -> str:
        with socket.create_connection(("127.0.0.1", web.https), 20) as plain:
            context = ssl.create_default_context(cadata=web.authority.pem.decode())
            with context.wrap_socket(plain, server_hostname=NAMES[0]) as sock:
                return str((sock.getpeercert() or {})["serialNumber"])

    before = shown()
    issue(web.gate.folder, web.authority, "usual", *NAMES)
    until(lambda: "info certificate-renewed " in web.gate.log, "the change is seen")

    def renewed() -> bool:
        try:
            return shown() != before
        except OSError:
            return False

    until(renewed, "the new certificate is shown")
