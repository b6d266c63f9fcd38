"""Pages over HTTPS from a real server on loopback: certificates, limits, redirects, addresses that are refused."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from certificates import Made
from fakes import DictResolver
from gatepost.net.pages import PageFetcher
from gatepost.ports.pages import Page

HOST = "mta-sts.example.org"
URL = f"https://{HOST}/.well-known/mta-sts.txt"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nConnection: close\r\n\r\n"


class House:
    def __init__(self, folder: Path) -> None:
        now = time.time()
        self.folder = folder
        root = Made(["root"], now, authority=True)
        self.names = {"right": Made([HOST], now, by=root), "wrong": Made(["a.example"], now, by=root)}
        self.names["expired"] = Made([HOST], now, by=root, days=-1)
        (folder / "ca.pem").write_bytes(root.pem)

    def get(
        self,
        answer: bytes,
        *,
        url: str = URL,
        which: str = "right",
        zone: Mapping[str, Mapping[str, str]] | None = None,
        allowed: bool = True,
        deadline: float = 5.0,
        post: bytes = b"",
    ) -> tuple[Page, bytes]:
        """The page, and what the server was asked."""
        asked = b""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            try:
                asked += await reader.readuntil(b"\r\n\r\n")
                if post:
                    asked += await reader.readexactly(len(post))
                writer.write(answer)
                await writer.drain()
                if not answer:
                    await asyncio.sleep(30)
            except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        async def main() -> Page:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.names[which].write(self.folder, which))
            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
            networks = [ip_network("127.0.0.0/8")] if allowed else []
            fetcher = PageFetcher(
                DictResolver(zone or {HOST: {"A": "127.0.0.1"}}),
                authority=str(self.folder / "ca.pem"),
                allowed=networks,
                port=server.sockets[0].getsockname()[1],
            )
            try:
                if post:
                    return await fetcher.post(url, post, {"Content-Type": "application/x"}, deadline=deadline)
                return await fetcher.fetch(url, deadline=deadline, max_octets=1000)
            finally:
                server.close()

        return asyncio.run(main()), asked


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("pages"))


def test_a_page_comes_with_its_type(house: House) -> None:
    page, asked = house.get(OK + b"version: STSv1\n")
    assert (page.status, page.content_type, page.body, page.reason) == (200, "text/plain", b"version: STSv1\n", "")
    assert page.is_there
    assert asked.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.org\r\n")


def test_a_document_is_posted(house: House) -> None:
    page, asked = house.get(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", post=b"the report")
    assert (page.status, page.reason) == (201, "")
    assert asked.startswith(b"POST ")
    assert asked.endswith(b"\r\n\r\nthe report")


@pytest.mark.parametrize(("which", "words"), [("wrong", "Hostname mismatch"), ("expired", "expired")])
def test_a_certificate_that_does_not_do(house: House, which: str, words: str) -> None:
    page, _ = house.get(OK, which=which)
    assert "certificate does not do" in page.reason
    assert words in page.reason


def test_a_redirect_is_not_followed(house: House) -> None:
    page, _ = house.get(b"HTTP/1.1 301 Moved\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n")
    assert (page.status, page.location) == (301, "https://evil.example/")
    assert "not followed" in page.reason
    assert not page.is_there


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OK + b"x" * 1001, "longer than 1000"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "answers 404"),
        (b"nonsense\r\n\r\n", "no answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "no answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", "no answer"),
    ],
)
def test_answers_that_are_no_page(house: House, answer: bytes, words: str) -> None:
    page, _ = house.get(answer)
    assert words in page.reason
    assert not page.is_there


def test_a_silent_server_costs_the_deadline(house: House) -> None:
    page, _ = house.get(b"", deadline=0.2)
    assert "within 0.2 s" in page.reason


def test_private_addresses_are_not_reached(house: House) -> None:
    page, asked = house.get(OK, allowed=False)
    assert "private or special address" in page.reason
    assert asked == b""


@pytest.mark.parametrize(
    "url",
    [
        "http://mta-sts.example.org/",
        "https://user@mta-sts.example.org/",
        "https://mta-sts.example.org:8443/",
        "https:///x",
        "https://" + "a" * 3000,
        "https://[::1/",
        "nonsense",
        "",
        "https://none.example/",
    ],
)
def test_what_is_no_address_of_a_page(house: House, url: str) -> None:
    page, asked = house.get(OK, url=url)
    assert page.reason
    assert asked == b""
