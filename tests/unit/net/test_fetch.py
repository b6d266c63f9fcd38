"""Following redirects: a real server on loopback, and every address that must not be reached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from fakes import DictResolver
from gatepost.net.authority import make_authority, write_private
from gatepost.net.fetch import RedirectFetcher, is_own_address
from gatepost.net.settings import FetchSettings, TlsSettings
from gatepost.net.tls import server_context
from gatepost.ports import Followed

Answers = Callable[[str, str], str]
"""Method and path, to the head of an answer."""


class Web:
    """A web server on loopback; `asked` are the requests as they came."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.asked.append(request)
            method, path, _ = request.split(" ", 2)
            writer.write(self.answers(method, path).encode("latin-1"))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def moved(location: str, status: int = 302) -> str:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"


OK = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\nSet-Cookie: a=b\r\n\r\n"


def follow(
    answers: Answers,
    start: str = "http://short.example:{port}/a",
    *,
    zone: dict[str, dict[str, str]] | None = None,
    deadline: float = 5.0,
    **options: object,
) -> tuple[Followed, Web]:
    """Where `start` leads; `{port}` is the server's port, and every host below short.example may be asked."""

    async def run() -> tuple[Followed, Web]:
        web = Web(answers)
        server = await asyncio.start_server(web.handle, "127.0.0.1", 0)
        web.port = server.sockets[0].getsockname()[1]
        fetcher = RedirectFetcher(
            DictResolver(zone or {"short.example": {"A": "127.0.0.1"}}),
            FetchSettings(**{"timeout": 2.0, **options}),  # type: ignore[arg-type]
            may_ask=lambda url: "short.example" in url.partition("//")[2].partition("/")[0] or "127.0" in url,
            also_allowed=frozenset({("127.0.0.1", web.port)}),
        )
        try:
            (answer,) = await fetcher.follow_all([start.replace("{port}", str(web.port))], deadline)
        finally:
            await fetcher.close()
            server.close()
        return answer, web

    return asyncio.run(run())


def test_a_short_link_is_followed_and_its_target_is_not_visited() -> None:
    answer, web = follow(lambda method, path: moved("https://paypa1.example/login?u=ann#top"))
    assert answer.hops[1:] == ("https://paypa1.example/login?u=ann",)
    assert answer.reason == ""
    assert len(web.asked) == 1


def test_nothing_but_the_url_is_sent() -> None:
    _, web = follow(
        lambda method, path: moved("/b") if path.startswith("/a") else OK, "http://ann:pw@short.example:{port}/a?t=1"
    )
    assert len(web.asked) == 2
    for request in web.asked:
        lines = [line.partition(":")[0].lower() for line in request.split("\r\n")[1:] if line]
        assert lines == ["host", "user-agent", "accept", "connection"]
        assert "short.example" in request
        assert "ann" not in request
        assert "python" not in request.lower()


def test_relative_redirects_and_servers_that_know_no_head() -> None:
    def answers(method: str, path: str) -> str:
        if method == "HEAD":
            return "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n"
        return moved("b/c") if path == "/a" else moved("http://end.example/")

    answer, web = follow(answers)
    assert [hop.partition("/b")[1] or hop for hop in answer.hops[1:]] == ["/b", "http://end.example/"]
    assert [request.split(" ")[0] for request in web.asked] == ["HEAD", "GET", "HEAD", "GET"]


def test_circles_and_long_chains_end() -> None:
    answer, _ = follow(lambda method, path: moved("/a"))
    assert "circle" in answer.reason
    answer, _ = follow(lambda method, path: moved(path + "x"), max_hops=3)
    assert "more than 3" in answer.reason
    assert len(answer.hops) == 4


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "198.18.0.1", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:a00:1::1"),
        *("64:ff9b::a00:1", "2001:db8::1", "::10.0.0.1"),
    ],
)
def test_private_and_special_addresses_are_never_reached(address: str) -> None:
    rtype = "AAAA" if ":" in address else "A"
    zone = {"short.example": {rtype: address}}
    answer, web = follow(lambda method, path: OK, "http://short.example/a", zone=zone)
    assert "private or special" in answer.reason
    assert web.asked == []


def test_one_bad_address_among_good_ones_is_enough_and_so_is_a_later_hop() -> None:
    zone = {"short.example": {"A": ["1.1.1.1", "10.0.0.1"]}}
    answer, _ = follow(lambda method, path: OK, "http://short.example/a", zone=zone)  # type: ignore[arg-type]
    assert "private" in answer.reason
    zone = {"short.example": {"A": "127.0.0.1"}, "in.short.example": {"A": "10.0.0.1"}}  # type: ignore[dict-item]
    answer, web = follow(lambda method, path: moved("http://in.short.example/admin"), zone=zone)  # type: ignore[arg-type]
    assert "private" in answer.reason
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("http://127.0.0.1/", "private"),
        ("http://127.0.0.1:{port}9/", ""),
        ("http://short.example:22/", "port 22"),
        ("ftp://short.example/", "neither"),
        ("file://short.example/etc/passwd", "neither"),
        ("http://short.example.:{port}/", ""),
        ("http://nowhere.short.example/", "no address"),
        ("http://[short.example/", ""),
        ("http://short.example:99999/", ""),
        ("http://short.example/\r\nX: y", ""),
        ("http://short.example/" + "x" * 5000, "too long"),
    ],
)
def test_what_is_not_followed_says_why(start: str, reason: str) -> None:
    answer, web = follow(lambda method, path: OK, start)
    assert web.asked == []
    assert reason in answer.reason
    assert answer.reason


def test_servers_that_hang_talk_nonsense_or_never_end_do_not_hold_us() -> None:
    for head in (
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 302 x\r\n\r\n",
        "HTTP/1.1 200 x\r\n" + "a: b\r\n" * 99_999,
    ):
        answer, _ = follow(lambda method, path, head=head: head)  # type: ignore[misc]
        assert answer.reason or answer.hops
        assert len(answer.hops) == 1


def test_the_deadline_holds_for_all_together_and_hops_so_far_are_told() -> None:
    async def run() -> tuple[Followed, ...]:
        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        fetcher = RedirectFetcher(
            DictResolver({"short.example": {"A": "127.0.0.1"}}),
            FetchSettings(timeout=60),
            may_ask=lambda url: True,
            also_allowed=frozenset({("127.0.0.1", port)}),
        )
        try:
            return await fetcher.follow_all([f"http://short.example:{port}/{n}" for n in range(5)], 0.3)
        finally:
            await fetcher.close()
            server.close()

    answers = asyncio.run(run())
    assert len(answers) == 5
    assert all("within 0.3 s" in answer.reason for answer in answers)


def test_an_answer_is_remembered_for_a_while() -> None:
    async def run() -> None:
        web = Web(lambda method, path: moved("http://end.example/"))
        server = await asyncio.start_server(web.handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        now = [0.0]
        fetcher = RedirectFetcher(
            DictResolver({"short.example": {"A": "127.0.0.1"}}),
            may_ask=lambda url: "short" in url,
            clock=lambda: now[0],
            also_allowed=frozenset({("127.0.0.1", port)}),
        )
        url = f"http://short.example:{port}/"
        first = await fetcher.follow_all([url], 5)
        assert await fetcher.follow_all([url], 5) == first
        assert len(web.asked) == 1
        now[0] = 4000.0
        assert await fetcher.follow_all([url], 5) == first
        assert len(web.asked) == 2
        await fetcher.close()
        server.close()

    asyncio.run(run())


def test_over_tls_the_name_is_asked_for_and_proven_at_the_checked_address(tmp_path: Path) -> None:
    now = time.time()
    authority = make_authority("Test root", now=now)
    authority.save(tmp_path)
    issued = authority.issue(["short.example"], now=now)
    write_private(tmp_path / "mx.pem", issued.chain)
    write_private(tmp_path / "mx.key", issued.key)
    tls = TlsSettings(certificate=str(tmp_path / "mx.pem"), key=str(tmp_path / "mx.key"))

    async def run() -> list[Followed]:
        web = Web(lambda method, path: moved("https://end.example/"))
        server = await asyncio.start_server(web.handle, "127.0.0.1", 0, ssl=server_context(tls, now=now))
        port = server.sockets[0].getsockname()[1]
        answers = []
        for host in ("short.example", "other.short.example"):  # the certificate names only the first
            fetcher = RedirectFetcher(
                DictResolver({host: {"A": "127.0.0.1"}}),
                may_ask=lambda url: "short" in url,
                also_allowed=frozenset({("127.0.0.1", port)}),
                authority=str(tmp_path / "ca.pem"),
            )
            answers += await fetcher.follow_all([f"https://{host}:{port}/"], 5)
            await fetcher.close()
        server.close()
        return answers

    proven, other = asyncio.run(run())
    assert proven.hops[1:] == ("https://end.example/",)
    assert len(other.hops) == 1
    assert other.reason.startswith("no answer")


def test_own_addresses_are_known() -> None:
    assert is_own_address(ip_address("127.0.0.1"))
    assert not is_own_address(ip_address("192.0.2.1"))
