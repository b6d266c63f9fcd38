"""A clamd that is away, hangs, dies, lies or talks nonsense: the answer is ERROR, in time, and never "clean"."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gatepost.errors import ConfigError
from gatepost.net.clamd import ClamdScanner, parse_address
from gatepost.net.settings import ScannerSettings
from gatepost.ports import Scanned, ScanStatus

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MAIL = b"Subject: x\r\n\r\n" + b"y" * 300_000  # more than one chunk


async def take(reader: asyncio.StreamReader) -> bytes:
    """Everything a client of INSTREAM sends."""
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    taken = b""
    while size := struct.unpack(">I", await reader.readexactly(4))[0]:
        taken += await reader.readexactly(size)
    return taken


def scan(handler: Handler, raw: bytes = MAIL, *, tcp: Path | None = None, **options: object) -> Scanned:
    """What the scanner says with `handler` in clamd's place, on a TCP or (with a folder) a unix socket."""

    async def run() -> Scanned:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handler(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        if tcp is None:
            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        else:
            address = str(tcp / "clamd")
            server = await asyncio.start_unix_server(handle, address)
        try:
            return await ClamdScanner(ScannerSettings(address=address, **({"timeout": 5.0} | options))).begin(raw)  # type: ignore[arg-type]
        finally:
            server.close()

    return asyncio.run(run())


def says(reply: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(reply)
        await writer.drain()

    return handle


@pytest.mark.parametrize("raw", [b"", b"x", MAIL])
def test_every_octet_is_sent_and_a_clean_answer_is_clean(raw: bytes, tmp_path: Path) -> None:
    got = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await take(reader))
        writer.write(b"stream: OK\0")
        await writer.drain()

    assert scan(handle, raw, tcp=tmp_path).status is ScanStatus.CLEAN
    assert scan(handle, raw).status is ScanStatus.CLEAN
    assert got == [raw, raw]


def test_a_signature_is_named() -> None:
    assert scan(says(b"stream: Win.Test.EICAR_HDB-1 FOUND\0")) == Scanned(
        status=ScanStatus.FOUND, names=("Win.Test.EICAR_HDB-1",)
    )


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0",
        b"stream: OK",  # cut off
        b"stream: OK\n\0",
        b"stream: OK\0stream: Eicar FOUND\0",
        b"stream: ok\0",
        b" stream: OK\0",
        b"/etc/passwd: OK\0",
        b"stream:  FOUND\0",
        b"stream: a\r\nb FOUND\0",
        b"PONG\0",
        b"UNKNOWN COMMAND\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 100,
        b"stream: OK\0" + b"x" * 100_000,
        b"stream: Can't allocate memory ERROR\0",
    ],
)
def test_anything_else_is_no_verdict(reply: bytes) -> None:
    scanned = scan(says(reply))
    assert scanned.status is ScanStatus.ERROR
    assert scanned.reason
    assert not scanned.lasting


def test_too_large_for_us_is_not_sent_and_too_large_for_clamd_is_told_so(tmp_path: Path) -> None:
    scanned = scan(says(b"stream: OK\0"), max_size=1024)
    assert scanned.status is ScanStatus.ERROR
    assert "scanner.max_size is 1024" in scanned.reason
    assert scanned.lasting

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1000)  # and closes with octets unread, as clamd does
        writer.write(b"INSTREAM size limit exceeded. ERROR\0")
        await writer.drain()

    scanned = scan(handle, bytes(8 << 20), tcp=tmp_path)
    assert scanned.lasting
    assert "StreamMaxLength" in scanned.reason
    scanned = scan(handle, bytes(8 << 20))  # over TCP the reset may overtake the words
    assert scanned.status is ScanStatus.ERROR
    assert "StreamMaxLength" in scanned.reason


async def _hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _answers_and_stays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await take(reader)
    writer.write(b"stream: OK\0")
    await asyncio.sleep(60)


async def _answers_unasked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"stream: OK\0")
    await writer.drain()
    writer.write_eof()
    await asyncio.sleep(60)


async def _dribbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await take(reader)
    for _ in range(100):
        writer.write(b"s")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("handler", [_hangs, _answers_and_stays, _answers_unasked, _dribbles])
def test_a_clamd_that_does_not_come_to_an_end_is_left(handler: Handler) -> None:
    scanned = scan(handler, bytes(16 << 20), timeout=0.3)
    assert scanned.status is ScanStatus.ERROR
    assert "within 0.3 s" in scanned.reason


def test_a_clamd_that_dies_in_mid_stream() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)
        writer.transport.abort()

    assert scan(handle, bytes(16 << 20)).status is ScanStatus.ERROR


def test_nobody_there_and_not_asked_again_for_a_while(tmp_path: Path) -> None:
    async def run() -> list[Scanned]:
        scanner = ClamdScanner(ScannerSettings(address=str(tmp_path / "none")))
        first = await scanner.begin(b"x")
        server = await asyncio.start_unix_server(lambda _, writer: writer.close(), str(tmp_path / "none"))
        second = await scanner.begin(b"x")
        server.close()
        return [first, second]

    first, second = asyncio.run(run())
    assert first.status is ScanStatus.ERROR
    assert "cannot be reached" in first.reason
    assert second == first


def test_more_than_at_once_wait_their_turn() -> None:
    now, most = 0, 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await take(reader)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(b"stream: OK\0")
        await writer.drain()

    async def run() -> list[Scanned]:
        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await handle(reader, writer)
            writer.close()

        server = await asyncio.start_server(closing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        scanner = ClamdScanner(ScannerSettings(address=f"127.0.0.1:{port}", at_once=2))
        found = await asyncio.gather(*(scanner.begin(b"x") for _ in range(6)))
        server.close()
        return found

    assert {scanned.status for scanned in asyncio.run(run())} == {ScanStatus.CLEAN}
    assert most == 2


@pytest.mark.parametrize("text", ["clamd", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "::1:3310", "a b:1", ":1"])
def test_an_address_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"scanner\.address"):
        parse_address(text)


def test_addresses() -> None:
    assert parse_address("/run/clamd") == "/run/clamd"
    assert parse_address("[::1]:3310") == ("::1", 3310)
    assert parse_address("scan.example.org:3310") == ("scan.example.org", 3310)
